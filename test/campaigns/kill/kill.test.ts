import { expect, it } from 'vitest';
import { killRun } from './run.ts';

it('T09 S08 the daemon is killed by SIGKILL at every fault point and in between: every accepted task ends once, no agent is doubled or left', async () => {
  const report = await killRun(12, 7, () => {});
  expect(report.wrong).toEqual([]);
  expect(report.accepted).toBe(report.sent);
  expect(report.sent).toBeGreaterThan(20);
}, 120_000);
