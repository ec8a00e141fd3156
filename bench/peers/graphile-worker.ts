/** graphile-worker, with its batching of fetches and completions on: its fastest configuration for small jobs. */
import { Logger, run } from 'graphile-worker';
import pg from 'pg';
import { rate } from '../harness.ts';
import { sendAll } from '../support/no-op-tasks.ts';
import { Countdown, type Peer } from './peer.ts';

export async function openGraphileWorker(url: string): Promise<Peer> {
  const pool = new pg.Pool({ connectionString: url, max: 20 });
  // The server is stopped after the pool; what its last connections say then is of no interest.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  let countdown = new Countdown(0);
  const runner = await run({
    pgPool: pool,
    taskList: { 'no-op': () => countdown.end() },
    noHandleSignals: true,
    preset: {
      worker: {
        concurrentJobs: 20,
        pollInterval: 100,
        localQueue: { size: 500 },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      },
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
    async [Symbol.asyncDispose]() {
      await runner.stop();
      await pool.end();
    },
  };
}

const silent = (): Logger => new Logger(() => () => {});
