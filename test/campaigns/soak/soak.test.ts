/** Three quarters of a minute of the soak; two hours of it are `npm run soak`. */
import { expect, test } from 'vitest';
import { soakRun } from './run.ts';

test('every accepted task ends once and by a just end, under all verbs, misdeeds, outages, kills, closes and stops', async () => {
  const plan = { minutes: 0.75, sessions: 8, callers: 4, maxAgents: 3, seed: 11 };
  const report = await soakRun({ ...plan, tell: () => {} });
  expect(report.wrong).toEqual([]);
  expect(report.accepted).toBeGreaterThan(50);
  expect(report.byEnd['completed']).toBeGreaterThan(0);
  expect(Object.values(report.disturbances).reduce((sum, times) => sum + times, 0)).toBeGreaterThan(1);
}, 400_000);
