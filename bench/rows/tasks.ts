/** Submit to `final` of no-op tasks over 1,000 sessions, at both durabilities. The peers stand in `npm run bench:peers`. */
import { join } from 'node:path';
import type { Figure, Row, Run } from '../harness.ts';
import { alone, median, temporaryFolder } from '../harness.ts';
import { openOurs } from '../support/no-op-tasks.ts';

export const row: Row = {
  name: 'tasks',
  title: 'submit to final of no-op tasks over 1,000 sessions, function agent, tasks per second',
  limit: 'graphile-worker, pg-boss, BullMQ: see npm run bench:peers',
  async measure(run: Run): Promise<readonly Figure[]> {
    const load = { sessions: run.quick ? 50 : 1_000, perSession: run.quick ? 2 : 10, inFlight: 200 };
    const figures: Figure[] = [];
    for (const durability of ['power', 'process'] as const) {
      using folder = temporaryFolder();
      await using ours = await openOurs(join(folder.path, 'bench.db'), durability, load);
      const rates: number[] = [];
      for (let round = 0; round <= run.rounds; round += 1) {
        const tasks = await ours.round();
        if (round > 0) {
          rates.push(tasks);
        }
        run.say(`${durability}, round ${round}: ${Math.round(tasks)}/s`);
      }
      const note = 'judged beside its peers by npm run bench:peers';
      figures.push(alone(median(rates), { measure: durability, unit: '/s', goal: null, note }));
    }
    return figures;
  },
};
