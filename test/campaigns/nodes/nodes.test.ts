import { expect, test } from 'vitest';
import { nodesRun } from './run.ts';

test('three daemons on one database lose and double nothing while they and their server are killed, stopped, drained and cut off', async () => {
  const report = await nodesRun({ seconds: 20, nodes: 3, sessions: 30, callers: 4, seed: 7, ttlMs: 2_000 });
  expect(report.wrong).toEqual([]);
  expect(report.accepted).toBeGreaterThan(10);
}, 240_000);
