/** A short form of each part of the campaign `npm run doors`, which also measures. */
import { expect, test } from 'vitest';
import { crowdRun, openFilesMax } from './crowd.ts';
import { logRun } from './log.ts';
import { stopRunning } from './stop.ts';

const tell = (): void => {};

test.skipIf(openFilesMax() < 3_000)(
  'W04: the command line is served while a crowd without a token opens one connection after the other (skipped where fewer than 3,000 files may be open)',
  async () => {
    const { wrong, open } = await crowdRun({ silent: 1_000, slow: 1_000, calls: 2, tell });
    expect(wrong).toEqual([]);
    expect(open).toBeGreaterThan(1_900);
  },
);

test('W06: a daemon whose log is not read does all its tasks, counts the lines that it drops, and ends by itself', async () => {
  const { read, unread } = await logRun({ minutes: 0.05, callers: 4, tell });
  expect([read.dropped, read.exit, unread.exit]).toEqual([0, [0, null], [0, null]]);
  expect(unread.dropped).toBeGreaterThan(0);
  expect(unread.task.calls).toBe(read.task.calls);
}, 120_000);

test('S10: a daemon with running turns of which some do not read their interrupt ends by itself', async () => {
  expect((await stopRunning(5)).wrong).toBe(null);
}, 60_000);
