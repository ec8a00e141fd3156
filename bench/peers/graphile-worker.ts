/** graphile-worker: with its batching of fetches and completions, its fastest configuration for small jobs, or without. */
import { Logger, run } from 'graphile-worker';
import pg from 'pg';
import { rate } from '../harness.ts';
import { sendAll } from '../support/no-op-tasks.ts';
import { Countdown, type Peer, timed } from './peer.ts';

const batched = { concurrentJobs: 20, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
const plain = { concurrentJobs: 24 };

export async function openGraphileWorker(url: string, isBatched = true): Promise<Peer> {
  const pool = new pg.Pool({ connectionString: url, max: 20 });
  // The server is stopped after the pool; what its last connections say then is of no interest.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  let countdown = new Countdown(0);
  let began: () => void = () => {};
  const runner = await run({
    pgPool: pool,
    taskList: {
      'no-op': () => countdown.end(),
      probe: () => began(),
    },
    noHandleSignals: true,
    preset: {
      worker: { pollInterval: 100, ...(isBatched ? batched : plain) },
    },
    logger: silent(),
  });
  return {
    round: (load) => {
      countdown = new Countdown(load.sessions * load.perSession);
      return rate(load.sessions * load.perSession, async () => {
        await sendAll(load, (session) => runner.addJob('no-op', { session }));
        await countdown.all;
      });
    },
    dispatch: () =>
      timed(async (run) => {
        began = run;
        await runner.addJob('probe', {});
      }),
    async [Symbol.asyncDispose]() {
      await runner.stop();
      await pool.end();
    },
  };
}

const silent = (): Logger => new Logger(() => () => {});
