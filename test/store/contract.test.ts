/** The contract suites on both stores, and on one that answers late; on a store that nodes share where there can be one. */
import { describe, expect, it } from 'vitest';
import { hintsContract, nodesContract, storeContract } from '../../src/testing/store/contract.ts';
import { harnesses, joined, lateHarness, memoryHarness } from './harness.ts';

const api = { describe, expect, it };

for (const [name, make] of Object.entries({ ...harnesses, late: lateHarness })) {
  storeContract(api, name, make);
}
for (const [name, make] of Object.entries({ memory: memoryHarness, late: lateHarness })) {
  storeContract(api, `${name}, shared`, () => joined(make()));
  nodesContract(api, name, make);
  hintsContract(api, name, make);
}
