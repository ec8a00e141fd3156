/**
 * The statements that every node sends again and again, on tables with 2,000, 10,000 and 1,000,000 sessions, each with a task that has ended. 1,000 sessions
 * have an open task and an owner that lives. What is judged is the pages that a statement reads, which another load of the machine does not change: not many
 * more where there is more history (an index of a million rows is one or two pages deeper).
 */
import type pg from 'pg';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { fill, hot, type Name, pagesOf, sql } from '../../../test/support/large-tables.ts';
import type { Figure, Row, Run } from '../../harness.ts';
import { median } from '../../harness.ts';
import { emptyDatabase } from '../support/database.ts';

/** For the samples of one statement. */
const longestMs = 5_000;

export const row: Row = {
  name: 'tables',
  title: 'statements of a node beside what has been stored before',
  limit: 'the same with 2,000 sessions',
  async measure(run: Run): Promise<readonly Figure[]> {
    const sizes = run.quick ? [2_000, 4_000] : [2_000, 10_000, 1_000_000];
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

async function timed(
  client: pg.Client,
  name: Name,
  samples: number,
  values: (at: number) => readonly unknown[],
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
