import { expect, test } from 'vitest';
import { faults } from './faults/all.ts';
import { nodesRun } from './run.ts';

/**
 * A few of the faults of `npm run chaos`, each once: those in which two agents, two owners or a lost commit are near. The others cut connections
 * in easier ways, or have tests of their own.
 */
const chosen = ['kill-interrupting', 'stop-daemon', 'cut-silent', 'failover'];

test('three daemons on one database lose and double nothing while they and their server are killed, stopped and cut off', async () => {
  const report = await nodesRun({
    faults: faults.filter(({ name }) => chosen.includes(name)),
    seconds: 120,
    rounds: 1,
    nodes: 3,
    sessions: 30,
    callers: 3,
    seed: 7,
    ttlMs: 2_000,
  });
  expect(report.wrong).toEqual([]);
  expect(report.faults.map(({ name }) => name).toSorted()).toEqual(chosen.toSorted());
  expect(report.accepted).toBeGreaterThan(10);
}, 240_000);
