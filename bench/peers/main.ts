/**
 * `npm run bench:peers`: no-op tasks from submit to end, over 1,000 sessions, beside task queues that others use.
 *
 * Not like for like, and the table says so: ours is embedded in the process that submits, the peers are servers behind a
 * socket; ours keeps a tape of each task and one owner for each session, the peers here do neither. What is asked is whether
 * these guarantees make ours the slower choice.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Durability } from '../../src/store/index.ts';
import type { Figure, Run, Skipped } from '../harness.ts';
import { compared, inTurns, temporaryFolder } from '../harness.ts';
import type { Report } from '../report.ts';
import { commitOf, describeMachine, missed, table } from '../report.ts';
import { openOurs } from '../support/no-op-tasks.ts';
import { openBullMq, redisServer } from './bullmq.ts';
import { openGraphileWorker } from './graphile-worker.ts';
import type { Peer } from './peer.ts';
import { openPgBoss } from './pg-boss.ts';
import { startPostgres } from './postgres.ts';

const note =
  'not like for like: ours is embedded, with a tape for each task and one owner for each session; a peer is a server behind a socket and has neither. `process`: Postgres without fsync, Redis without a file';

async function beside(run: Run, name: string, durability: Durability, path: string, peer: Peer): Promise<Figure> {
  const load = { sessions: run.quick ? 50 : 1_000, perSession: run.quick ? 2 : 10, inFlight: 200 };
  await using ours = await openOurs(path, durability, load);
  run.say(`${name}, ${durability}`);
  const pairs = await inTurns(run, { limit: () => peer.round(load), ours: ours.round });
  return compared(pairs, { measure: `${name}, ${durability}`, unit: '/s', goal: { of: 'ratio', atLeast: 1 }, note });
}

async function measure(run: Run, durability: Durability): Promise<readonly (Figure | Skipped)[]> {
  using folder = temporaryFolder();
  // Postgres may run as a user of its own, who has to get in.
  chmodSync(folder.path, 0o711);
  await using postgres = await startPostgres(folder.path, durability);
  const figures: (Figure | Skipped)[] = [];
  const fresh = (name: string): string => join(folder.path, `${name}.db`);
  {
    await using peer = await openGraphileWorker(postgres.url);
    figures.push(await beside(run, 'graphile-worker', durability, fresh('graphile-worker'), peer));
  }
  {
    await using peer = await openPgBoss(postgres.url);
    figures.push(await beside(run, 'pg-boss', durability, fresh('pg-boss'), peer));
  }
  const redis = redisServer();
  if (redis === null) {
    figures.push({
      measure: `BullMQ, ${durability}`,
      skipped: 'no redis-server here (apt install redis-server, or REDIS_SERVER)',
    });
  } else {
    await using peer = await openBullMq(redis, folder.path, durability);
    figures.push(await beside(run, 'BullMQ', durability, fresh('bullmq'), peer));
  }
  return figures;
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    date: { type: 'string' },
    commit: { type: 'string' },
  },
});
const run: Run = {
  quick: values.quick,
  rounds: values.quick ? 1 : Number(values.rounds),
  say: (text) => process.stderr.write(`bench peers: ${text}\n`),
};
const began = performance.now();
const figures = [...(await measure(run, 'power')), ...(await measure(run, 'process'))];
const report: Report = {
  date: values.date ?? new Date().toISOString().slice(0, 10),
  commit: values.commit ?? commitOf(fileURLToPath(new URL('../..', import.meta.url))),
  node: process.version,
  machine: describeMachine(),
  quick: run.quick,
  rounds: run.rounds,
  rows: [
    {
      row: 'tasks',
      title: 'submit to end of no-op tasks over 1,000 sessions',
      limit: 'the peer',
      figures,
      error: null,
      seconds: (performance.now() - began) / 1000,
    },
  ],
};
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
}
process.stdout.write(table(report));
if (missed(report) > 0) {
  process.stderr.write(`bench: ${missed(report)} goals missed\n`);
}
