/**
 * Preemption of an agent, a real process that streams, by an urgent task that comes in at its own node or at another one: from handing the request
 * to the socket until the agent has read the interrupt. Two daemons; with notifications, and behind a pooler, where they poll.
 */
import { join } from 'node:path';
import { hasPgbouncer, startPgbouncer } from '../../../test/support/pgbouncer.ts';
import type { Figure, Row, Run, Skipped } from '../../harness.ts';
import { compared, pause, percentile, temporaryFolder } from '../../harness.ts';
import { usBetween } from '../../support/agent-log.ts';
import type { Connection } from '../../support/connection.ts';
import { ScriptedDaemon } from '../../support/scripted-daemon.ts';
import { emptyDatabase, serverPort } from '../support/database.ts';

const pollMs = 50;
/** What a hop to another node may take. */
const hopMs = 15;

export const row: Row = {
  name: 'preempt',
  title: 'request at a node to interrupt readable by the agent',
  limit: 'the node that owns the session',
  async measure(run: Run): Promise<readonly (Figure | Skipped)[]> {
    const hinted = await pair(
      run,
      'with notifications',
      (url) => Promise.resolve({ url, stop: async () => {} }),
      hopMs,
    );
    if (!hasPgbouncer) {
      return [...hinted, { measure: 'polling only', skipped: 'this machine has no pgbouncer' }];
    }
    const pooled: Route = (_, database) => startPgbouncer({ port: serverPort() }, { database, poolSize: 20 });
    const polled = await pair(run, `polling every ${pollMs} ms`, pooled, pollMs + hopMs);
    return [...hinted, ...polled];
  },
};

type Route = (url: string, database: string) => Promise<{ readonly url: string; stop(): Promise<void> }>;

async function pair(run: Run, how: string, route: Route, atMost: number): Promise<readonly Figure[]> {
  run.say(how);
  using folder = temporaryFolder();
  await using database = await emptyDatabase();
  const way = await route(database.url, database.name);
  const settings = { store: way.url, 'node.pollMs': pollMs };
  try {
    await using owner = await ScriptedDaemon.start(join(folder.path, 'owner'), { ...settings, 'node.name': 'owner' });
    await using other = await ScriptedDaemon.start(join(folder.path, 'other'), { ...settings, 'node.name': 'other' });
    const samples = run.quick ? 5 : 150;
    const pairs: { readonly ours: readonly number[]; readonly limit: readonly number[] }[] = [];
    await round(owner, owner, run.quick ? 5 : 30);
    await round(owner, other, run.quick ? 5 : 30);
    for (let at = 0; at < run.rounds; at += 1) {
      pairs.push({ limit: await round(owner, owner, samples), ours: await round(owner, other, samples) });
    }
    return [50, 99].map((percent) => {
      const of = pairs.map(({ ours, limit }) => ({
        ours: percentile(ours, percent),
        limit: percentile(limit, percent),
      }));
      const goal = percent === 99 ? ({ of: 'ours', atMost } as const) : null;
      return compared(of, { measure: `${how}, p${percent}`, unit: 'ms', goal });
    });
  } finally {
    await way.stop();
  }
}

/** Milliseconds of each sample. */
async function round(owner: ScriptedDaemon, door: ScriptedDaemon, samples: number): Promise<readonly number[]> {
  using home = await owner.connect();
  using connection = await door.connect();
  const submit = (at: Connection, lane: string, prompt: string) =>
    at.post('/v1/tasks', { session: 'bench:preempt', lane, prompt });
  const { body } = await submit(home, 'background', '[[forever:20]]');
  const { task } = JSON.parse(body) as { readonly task: string };
  await owner.log.next('prompt');
  const taken: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    await pause(10 + Math.random() * 20);
    const { sentAt } = await submit(connection, 'interactive', '[[text:short]]');
    const interrupted = await owner.log.next('interrupt');
    taken.push(usBetween(sentAt, interrupted.at) / 1_000);
    // The turn that gave way, the urgent one, and the first again.
    for (const event of ['result', 'prompt', 'result', 'prompt'] as const) {
      await owner.log.next(event);
    }
  }
  using end = await owner.connect();
  await end.post(`/v1/tasks/${task}/cancel`, {});
  await owner.log.next('result');
  return taken;
}
