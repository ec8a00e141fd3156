/** What 1,000 nodes cost their database: signs of life, looks at the others, looks for letters and free sessions. */
import type pg from 'pg';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { quoted } from '../../../src/store/postgres/migrate.ts';
import { statements } from '../../../src/store/postgres/sql.ts';
import type { Figure, Row, Run } from '../../harness.ts';
import { alone, median, percentile } from '../../harness.ts';
import { emptyDatabase } from '../support/database.ts';

const sql = statements(quoted('signalbox'));
/** Of the default time-to-live: a renewal and a look each quarter of 10 s, and what is polled each second. */
const perSecond = { renew: 0.4, list: 0.4, poll: 1 };

export const row: Row = {
  name: 'beats',
  title: 'statements of 1,000 idle nodes, on one connection',
  limit: 'none',
  async measure(run: Run): Promise<readonly Figure[]> {
    const count = run.quick ? 50 : 1_000;
    await using database = await emptyDatabase();
    await (await openPostgresStore({ url: database.url })).close();
    await database.client.query('DELETE FROM signalbox.nodes');
    await database.client.query(
      `INSERT INTO signalbox.nodes (inc, host, pid, process, name, version, address, ttl_ms, shared)
        SELECT n, 'host-' || n, 1, 1, 'node-' || n, '1.0.0', 'http://127.0.0.1:7070', 10000, true FROM generate_series(1, $1::integer) n`,
      [count],
    );
    const samples = run.quick ? 20 : 1_000;
    const busy: number[] = [];
    const figures: Figure[] = [];
    for (const [name, times, values] of [
      ['renew', perSecond.renew, (node: number) => [node, 0, 16, null, 0, 0, null]],
      ['nodes', perSecond.list, () => []],
      ['receive', perSecond.poll, (node: number) => [node, 100]],
      ['orphans', perSecond.poll, () => [50]],
    ] as const) {
      const taken = await timed(database.client, sql[name], samples, (at) => values((at % count) + 1));
      const each = median(taken);
      busy.push((each * count * times) / 1_000);
      const note = `${Math.round(count * times)} a second for ${count} nodes at a time-to-live of 10 s and \`pollMs\` of 1 s`;
      figures.push(alone(each, { measure: `${name}, p50`, unit: 'ms', goal: null, note }));
      figures.push(alone(percentile(taken, 99), { measure: `${name}, p99`, unit: 'ms', goal: null }));
    }
    const all = busy.reduce((sum, one) => sum + one, 0);
    const note = 'sum of statements a second times their p50, answers and the way to the server included';
    figures.push(alone(all, { measure: `connections kept busy by ${count} nodes`, unit: '', goal: null, note }));
    return figures;
  },
};

async function timed(
  client: pg.Client,
  text: string,
  samples: number,
  values: (at: number) => readonly unknown[],
): Promise<readonly number[]> {
  const taken: number[] = [];
  for (let at = 0; at < samples; at += 1) {
    const began = performance.now();
    await client.query({ text, values: [...values(at)] });
    taken.push(performance.now() - began);
  }
  return taken;
}
