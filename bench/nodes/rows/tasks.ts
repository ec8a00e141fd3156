/** Submit to `final` of no-op tasks over 1,000 sessions, by one node, beside the queues that others use. */
import type { Figure, Row, Run, Skipped } from '../../harness.ts';
import { alone, compared, inTurns, median, temporaryFolder } from '../../harness.ts';
import { noOpAgent, ours } from '../../support/no-op-tasks.ts';
import { emptyDatabase } from '../support/database.ts';
import { openNode } from '../support/node.ts';
import { type KnownPeer, peers } from '../support/peers.ts';

export const row: Row = {
  name: 'tasks',
  title: 'submit to end of no-op tasks over 1,000 sessions, 200 submits under way',
  limit: 'the peer on the same server; BullMQ on Redis',
  async measure(run: Run): Promise<readonly (Figure | Skipped)[]> {
    const load = { sessions: run.quick ? 50 : 1_000, perSession: run.quick ? 2 : 10, inFlight: 200 };
    await using database = await emptyDatabase();
    const limits = { maxAgents: load.sessions };
    await using node = await ours(await openNode(database.url, { name: 'a', agent: noOpAgent(), limits }), load);
    const figures: (Figure | Skipped)[] = [];
    for (const peer of peers) {
      figures.push(await beside(run, peer, () => node.round(), load));
    }
    const counted: number[] = [];
    for (let round = 0; round < run.rounds; round += 1) {
      const before = await transactions(database.client);
      await node.round();
      counted.push(((await transactions(database.client)) - before) / (load.sessions * load.perSession));
    }
    const note = 'those of polls, renewals and readers included; of 10,000 tasks, 200 submits under way';
    figures.push(alone(median(counted), { measure: 'transactions a task', unit: '', goal: null, note }));
    return figures;
  },
};

interface TasksLoad {
  readonly sessions: number;
  readonly perSession: number;
  readonly inFlight: number;
}

async function beside(
  run: Run,
  { name, open }: KnownPeer,
  node: () => Promise<number>,
  load: TasksLoad,
): Promise<Figure | Skipped> {
  run.say(name);
  using folder = temporaryFolder();
  await using database = await emptyDatabase();
  const peer = await open(database.url, folder.path);
  if (typeof peer === 'string') {
    return { measure: name, skipped: peer };
  }
  await using opened = peer;
  const pairs = await inTurns(run, { limit: () => opened.round(load), ours: node });
  const atLeast = name.endsWith('batched') ? 0.4 : 1;
  return compared(pairs, { measure: name, unit: '/s', goal: { of: 'ratio', atLeast } });
}

/** Committed in this database so far. */
async function transactions(client: { query(text: string): Promise<{ rows: { n: string }[] }> }): Promise<number> {
  await client.query('SELECT pg_stat_force_next_flush()');
  const { rows } = await client.query(
    'SELECT xact_commit AS n FROM pg_stat_database WHERE datname = current_database()',
  );
  return Number(rows[0]?.n);
}
