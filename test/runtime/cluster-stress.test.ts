/** Three nodes on one store under random commands, deaths, cuts, pauses and drains. */
import { describe, expect, test } from 'vitest';
import { expectNothingLost, Stress } from '../support/cluster-stress.ts';

describe.each([false, true])('nodes under stress, the store answers late: %s', (late) => {
  test.each([1, 2, 3, 4, 5, 6])('lose and double nothing, seed %i', async (seed) => {
    const stress = new Stress(seed, late);
    await stress.start();
    await stress.start();
    await stress.start();
    for (let round = 0; round < 400; round += 1) {
      await stress.act();
    }
    await stress.settle();
    await expectNothingLost(stress);
    expect(stress.accepted.size).toBeGreaterThan(5);
    await stress.close();
  });

  test.each([1, 2, 3, 4, 5, 6])('two agents never run, whatever a failover has lost, seed %i', async (seed) => {
    const stress = new Stress(seed, late);
    await stress.start();
    await stress.start();
    await stress.start();
    for (let round = 0; round < 400; round += 1) {
      await (stress.draw(20) === 0 ? stress.failOver() : stress.act());
    }
    await stress.settle();
    await expectNothingLost(stress);
    expect(stress.failovers).toBeGreaterThan(0);
    await stress.close();
  });
});
