/** A small chaos run with every misdeed; the whole one is `npm run chaos:agents`. */
import { expect, test } from 'vitest';
import { misdeeds } from './misdeeds.ts';
import { chaosRun } from './run.ts';

// The process table is read from /proc.
test.runIf(process.platform === 'linux')(
  'S02 S03 S04 S06 S07: agents that misbehave in every known way leave nothing behind, and every task gets its final',
  { timeout: 120_000 },
  async () => {
    const report = await chaosRun({ sessions: misdeeds.length, healthy: 2, seconds: 8, seed: 7, tell: () => {} });
    // Delays are the business of the long run on a quiet machine.
    expect(report.wrong.filter((line) => !line.startsWith('healthy turns began late'))).toEqual([]);
    expect(Object.keys(report.byMisdeed).length).toBe(misdeeds.length);
  },
);
