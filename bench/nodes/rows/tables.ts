/**
 * The statements that every node sends again and again, on tables with 1,000, 10,000 and 1,000,000 sessions, each with a task that has ended: none may take
 * longer for it. 1,000 sessions have an open task and an owner that lives. No plan may read a whole table of history.
 */
import type pg from 'pg';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { quoted } from '../../../src/store/postgres/migrate.ts';
import { statements } from '../../../src/store/postgres/sql.ts';
import type { Figure, Row, Run } from '../../harness.ts';
import { alone, median, percentile } from '../../harness.ts';
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
    const figures: Figure[] = [];
    const smallest = new Map<string, number>();
    const scans: string[] = [];
    for (const sessions of sizes) {
      run.say(`${sessions} sessions`);
      await using database = await emptyDatabase();
      await (await openPostgresStore({ url: database.url })).close();
      const began = performance.now();
      await fill(database.client, sessions);
      run.say(`filled in ${Math.round((performance.now() - began) / 1_000)} s`);
      for (const [name, values] of hot(sessions)) {
        scans.push(...(await wholeTables(database.client, name, values(0))).map((table) => `${name}: ${table}`));
        const taken = await timed(database.client, name, run.quick ? 10 : 300, values);
        const first = smallest.get(name) ?? median(taken);
        smallest.set(name, first);
        if (sessions === sizes.at(-1)) {
          figures.push(beside(name, sessions, taken, first));
        }
      }
    }
    const note = scans.length === 0 ? 'by EXPLAIN, at each size' : [...new Set(scans)].join(', ');
    const goal = { of: 'ours', atMost: 0 } as const;
    return [
      ...figures,
      alone(scans.length, { measure: 'plans that read a whole table of history', unit: '', goal, note }),
    ];
  },
};

function beside(name: string, sessions: number, taken: readonly number[], first: number): Figure {
  const [ours, ratio] = [median(taken), median(taken) / first];
  return {
    measure: `${name}, ${sessions} sessions, p50`,
    unit: 'ms',
    ours,
    limit: first,
    ratio,
    spread: null,
    goal: { of: 'ratio', atMost: 3 },
    // Below half a millisecond the way to the server is most of it.
    met: ratio <= 3 || ours < 0.5,
    note: `p99 ${percentile(taken, 99).toFixed(2)} ms`,
  };
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

type Values = (at: number) => readonly unknown[];

/** What a node sends while it works, with values for each of its calls. `claimShared` makes no session: it takes one that has ended. */
function hot(sessions: number): readonly (readonly [name: keyof typeof sql & string, values: Values])[] {
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

async function timed(
  client: pg.Client,
  name: keyof typeof sql,
  samples: number,
  values: Values,
): Promise<readonly number[]> {
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
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly Plan[];
}

const history = new Set(['sessions', 'tasks', 'runs']);

/** Tables with history that the plan reads from one end to the other. */
async function wholeTables(
  client: pg.Client,
  name: keyof typeof sql,
  values: readonly unknown[],
): Promise<readonly string[]> {
  const { rows } = await client.query<{ 'QUERY PLAN': readonly { readonly Plan: Plan }[] }>({
    text: `EXPLAIN (FORMAT JSON) ${sql[name]}`,
    values: [...values],
  });
  const found: string[] = [];
  const look = (plan: Plan): void => {
    if (plan['Node Type'] === 'Seq Scan' && history.has(plan['Relation Name'] ?? '')) {
      found.push(plan['Relation Name'] ?? '');
    }
    plan.Plans?.forEach(look);
  };
  rows[0]?.['QUERY PLAN'].forEach(({ Plan: plan }) => look(plan));
  return found;
}
