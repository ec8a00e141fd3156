/**
 * The statements that every node sends again and again, on tables with 1,000, 10,000 and 1,000,000 sessions, each with a task that has ended. 1,000 sessions
 * have an open task and an owner that lives. What is judged is the pages that a statement reads, which another load of the machine does not change: not many
 * more where there is more history (an index of a million rows is one or two pages deeper).
 */
import type pg from 'pg';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { quoted } from '../../../src/store/postgres/migrate.ts';
import { statements } from '../../../src/store/postgres/sql.ts';
import type { Figure, Row, Run } from '../../harness.ts';
import { median } from '../../harness.ts';
import { emptyDatabase } from '../support/database.ts';

const sql = statements(quoted('signalbox'));
const open = 1_000;
/** For the samples of one statement. */
const longestMs = 5_000;

export const row: Row = {
  name: 'tables',
  title: 'statements of a node beside what has been stored before',
  limit: 'the same with 1,000 sessions',
  async measure(run: Run): Promise<readonly Figure[]> {
    const sizes = run.quick ? [1_000, 2_000] : [1_000, 10_000, 1_000_000];
    const pages = new Map<string, number[]>();
    const times = new Map<string, number[]>();
    for (const sessions of sizes) {
      const began = performance.now();
      await using database = await emptyDatabase();
      await (await openPostgresStore({ url: database.url })).close();
      await fill(database.client, sessions);
      run.say(`${sessions} sessions, filled in ${Math.round((performance.now() - began) / 1_000)} s`);
      for (const [name, values] of hot(sessions)) {
        pages.set(name, [...(pages.get(name) ?? []), await pagesOf(database.client, name, values)]);
        const taken = await timed(database.client, name, run.quick ? 10 : 300, values);
        times.set(name, [...(times.get(name) ?? []), median(taken)]);
      }
    }
    return [...pages].map(([name, counts]) => {
      const note = `p50 ${times
        .get(name)
        ?.map((ms) => ms.toFixed(2))
        .join(', ')} ms`;
      return beside(`${name}, ${sizes.join(', ')} sessions`, counts, note);
    });
  },
};

/** The most against the fewest sessions. */
function beside(measure: string, counts: readonly number[], note: string): Figure {
  const [limit, ours] = [counts[0] ?? 0, counts.at(-1) ?? 0];
  const ratio = Math.max(1, ours) / Math.max(1, limit);
  const goal = { of: 'ratio', atMost: 3 } as const;
  return { measure, unit: 'pages', ours, limit, ratio, spread: null, goal, met: ratio <= goal.atMost, note };
}

/** Each session has an ended task with its tape; the last ones an open task too, and an owner. */
async function fill(client: pg.Client, sessions: number): Promise<void> {
  const all = [
    'DELETE FROM signalbox.nodes',
    `INSERT INTO signalbox.nodes (inc, host, pid, process, name, version, ttl_ms, shared)
      SELECT n, 'host', 1, 1, 'node-' || n, '1.0.0', 10000, true FROM generate_series(1, 2) n`,
    `INSERT INTO signalbox.sessions (n, key, lease, version, xid, tasks, changed_at, row, owner)
      SELECT n, 'bench:' || n, 1, 3, '1000', 1, n, '{"key":"bench:' || n || '","filler":"' || repeat('x', 400) || '"}',
        CASE WHEN n > ${sessions - open} THEN 1 END
      FROM generate_series(1, ${sessions}) n`,
    `INSERT INTO signalbox.tasks (session, tape, n, id, status, lane, admitted_at, ended_at, seq, reason, source, row, payload, result)
      SELECT n, 1, n, 'ended-' || n, 'completed', 'interactive', n, n, 9, 'completed', 'api', '{"filler":"' || repeat('x', 200) || '"}',
        '{"prompt":"nothing"}', '{"status":"completed"}'
      FROM generate_series(1, ${sessions}) n`,
    `INSERT INTO signalbox.tasks (session, tape, n, id, status, lane, admitted_at, source, row, payload)
      SELECT n, 2, ${sessions} + n, 'open-' || n, 'running', 'background', n, 'api', '{"filler":"' || repeat('x', 200) || '"}', '{"prompt":"much"}'
      FROM generate_series(${sessions - open + 1}, ${sessions}) n`,
    `INSERT INTO signalbox.runs (session, tape, first_seq, last_seq, ends, era, xid, ord, events)
      SELECT n, 1, 1 + 4 * part, 4 + 4 * part, false, 1, (1000 + n)::text::xid8, 4 * part, '[' || repeat('x', 500) || ']'
      FROM generate_series(1, ${sessions}) n, generate_series(0, 1) part`,
    "SELECT setval(pg_get_serial_sequence('signalbox.sessions', 'n'), (SELECT max(n) FROM signalbox.sessions))",
  ];
  for (const statement of all) {
    await client.query(statement);
  }
  await client.query('VACUUM ANALYZE');
}

type Name = keyof typeof sql;
type Values = (at: number) => readonly unknown[];

/** What a node sends while it works, with values for each of its calls. `claimShared` makes no session: it takes one that has ended. */
function hot(sessions: number): readonly (readonly [name: Name, values: Values])[] {
  /** One that has no owner, another each time, all over the table. */
  const old = (at: number): number => 1 + ((at * 7_919) % (sessions - open || 1));
  const live = (at: number): number => sessions - (at % open);
  const before = Number.MAX_SAFE_INTEGER;
  return [
    ['claimShared', (at) => [`bench:${old(at)}`, 1]],
    ['openTasks', (at) => [live(at)]],
    ['taskByKey', (at) => ['api', `key-${at}`]],
    ['orphans', () => [50]],
    ['receive', () => [1, 100]],
    ['nodes', () => []],
    ['renew', () => [2, 0, 16, null, 0, 0, null]],
    ['tape', (at) => [old(at), 1, 0, 100]],
    ['feed', (at) => [1, String(1_000 + old(at)), 0, 100]],
    ['feedOfSession', (at) => [0, '0', 0, 100, `bench:${old(at)}`]],
    ['task', (at) => [`ended-${old(at)}`]],
    ['tasks', () => [before, 50, null, null]],
    ['tasksByStatus', () => [before, 50, null, null, 'running']],
    ['session', (at) => [`bench:${old(at)}`]],
    ['sessions', () => [before, 50]],
    ['openSessions', () => [0, 50]],
    ['totals', () => ['signalbox']],
  ];
}

async function timed(client: pg.Client, name: Name, samples: number, values: Values): Promise<readonly number[]> {
  const taken: number[] = [];
  const end = performance.now() + longestMs;
  for (let at = 1; at <= samples && performance.now() < end; at += 1) {
    const began = performance.now();
    await client.query({ text: sql[name], values: [...values(at)] });
    taken.push(performance.now() - began);
  }
  return taken;
}

interface Plan {
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
}

/** Pages of 8 KiB that the statement reads, whether they are in memory or not: the median of some calls. What it changes is rolled back. */
async function pagesOf(client: pg.Client, name: Name, values: Values): Promise<number> {
  const counts: number[] = [];
  for (let at = 1; at <= 11; at += 1) {
    await client.query('BEGIN');
    const { rows } = await client.query<{ 'QUERY PLAN': readonly { readonly Plan: Plan }[] }>({
      text: `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql[name]}`,
      values: [...values(at)],
    });
    await client.query('ROLLBACK');
    const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
    counts.push((plan?.['Shared Hit Blocks'] ?? 0) + (plan?.['Shared Read Blocks'] ?? 0));
  }
  return median(counts);
}
