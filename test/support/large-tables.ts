/**
 * A schema with much history, and the statements that nodes send again and again: what they read must not grow with it. For the test of their plans, and
 * for the benchmark.
 */
import type pg from 'pg';
import { quoted } from '../../src/store/postgres/migrate.ts';
import { statements } from '../../src/store/postgres/sql.ts';

/** Sessions with an open task and a living owner; the others have none. */
export const openSessions = 1_000;

export const sql = statements(quoted('signalbox'));
export type Name = keyof typeof sql;
type Values = (at: number) => readonly unknown[];

/** Runs of so many sessions have one transaction number: below all that the server gives out. */
const perTransaction = 5_000;

/** Each session has an ended task with its tape; the last ones an open task too, and an owner. */
export async function fill(client: pg.Client, sessions: number): Promise<void> {
  const all = [
    'DELETE FROM signalbox.nodes',
    `INSERT INTO signalbox.nodes (inc, host, pid, process, name, version, ttl_ms, shared)
      SELECT n, 'host', 1, 1, 'node-' || n, '1.0.0', 10000, true FROM generate_series(1, 2) n`,
    `INSERT INTO signalbox.sessions (n, key, lease, version, xid, tasks, changed_at, row, owner)
      SELECT n, 'bench:' || n, 1, 3, '1000', 1, n, '{"key":"bench:' || n || '","filler":"' || repeat('x', 400) || '"}',
        CASE WHEN n > ${sessions - openSessions} THEN 1 END
      FROM generate_series(1, ${sessions}) n`,
    `INSERT INTO signalbox.tasks (session, tape, n, id, status, lane, admitted_at, ended_at, seq, reason, source, row, payload, result)
      SELECT n, 1, n, 'ended-' || n, 'completed', 'interactive', n, n, 9, 'completed', 'api', '{"filler":"' || repeat('x', 200) || '"}',
        '{"prompt":"nothing"}', '{"status":"completed"}'
      FROM generate_series(1, ${sessions}) n`,
    `INSERT INTO signalbox.tasks (session, tape, n, id, status, lane, admitted_at, source, row, payload)
      SELECT n, 2, ${sessions} + n, 'open-' || n, 'running', 'background', n, 'api', '{"filler":"' || repeat('x', 200) || '"}', '{"prompt":"much"}'
      FROM generate_series(${sessions - openSessions + 1}, ${sessions}) n`,
    `INSERT INTO signalbox.runs (session, tape, first_seq, last_seq, ends, era, xid, ord, events)
      SELECT n, 1, 1 + 4 * part, 4 + 4 * part, false, 1, (3 + n / ${perTransaction})::text::xid8, 8 * (n % ${perTransaction}) + 4 * part, '[' || repeat('x', 500) || ']'
      FROM generate_series(1, ${sessions}) n, generate_series(0, 1) part`,
    "SELECT setval(pg_get_serial_sequence('signalbox.sessions', 'n'), (SELECT max(n) FROM signalbox.sessions))",
  ];
  for (const statement of all) {
    await client.query(statement);
  }
  await client.query('VACUUM ANALYZE');
}

/** What a node sends while it works, with values for each of its calls. `claimShared` makes no session: it takes one that has ended. */
export function hot(sessions: number): readonly (readonly [name: Name, values: Values])[] {
  /** One that has no owner, another each time, all over the table. */
  const old = (at: number): number => 1 + ((at * 7_919) % (sessions - openSessions));
  const live = (at: number): number => sessions - (at % openSessions);
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
    ['feed', (at) => [1, String(3 + Math.floor(old(at) / perTransaction)), 0, 100]],
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

interface Plan {
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
}

/** Pages of 8 KiB that the statement reads, whether they are in memory or not: the median of some calls. What it changes is rolled back. */
export async function pagesOf(client: pg.Client, name: Name, values: Values): Promise<number> {
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

/** The median, as it is. */
function median(counts: readonly number[]): number {
  return counts.toSorted((a, b) => a - b)[Math.floor(counts.length / 2)] ?? 0;
}
