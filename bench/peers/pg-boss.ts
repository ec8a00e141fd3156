/** pg-boss, fetching in batches of 500 as often as it can; each job is sent by itself, as ours and the others are. */
import { PgBoss } from 'pg-boss';
import { rate } from '../harness.ts';
import { sendAll } from '../support/no-op-tasks.ts';
import { Countdown, type Peer, timed } from './peer.ts';

export async function openPgBoss(url: string): Promise<Peer> {
  const boss = new PgBoss({ connectionString: url, max: 20 });
  let stopping = false;
  boss.on('error', (error) => {
    // Its pool ends before its connections do; the server then ends those, which it reports as errors.
    if (!stopping) {
      process.stderr.write(`pg-boss: ${String(error)}\n`);
    }
  });
  await boss.start();
  await boss.createQueue('no-op');
  let countdown = new Countdown(0);
  // A batch is completed when its handler returns; the jobs count as ended then, as they do for their sender.
  await boss.work(
    'no-op',
    { batchSize: 500, pollingIntervalSeconds: 0.5, localConcurrency: 4 },
    (jobs: readonly unknown[]) => {
      setImmediate(() => countdown.end(jobs.length));
      return Promise.resolve();
    },
  );
  let began: () => void = () => {};
  await boss.createQueue('probe');
  await boss.work('probe', { pollingIntervalSeconds: 0.5 }, () => {
    began();
    return Promise.resolve();
  });
  return {
    dispatch: () =>
      timed(async (run) => {
        began = run;
        await boss.send('probe', {});
      }),
    round: (load) => {
      countdown = new Countdown(load.sessions * load.perSession);
      return rate(load.sessions * load.perSession, async () => {
        await sendAll(load, (session) => boss.send('no-op', { session }));
        await countdown.all;
      });
    },
    async [Symbol.asyncDispose]() {
      stopping = true;
      await boss.stop({ graceful: false });
    },
  };
}
