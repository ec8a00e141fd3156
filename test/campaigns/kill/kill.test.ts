import { expect, it } from 'vitest';
import { killRun } from './run.ts';

it('T09 S08 SIGKILL at every fault point and in between leaves each accepted task one end, and no agent doubled or left', async () => {
  const report = await killRun(12, 7, () => {});
  expect(report.wrong).toEqual([]);
  expect(report.accepted).toBe(report.sent);
  expect(report.sent).toBeGreaterThan(20);
}, 120_000);
