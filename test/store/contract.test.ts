/** The contract suite on both stores, and on one that answers late. */
import { describe, expect, it } from 'vitest';
import { storeContract } from '../../src/testing/store/contract.ts';
import { harnesses, lateHarness } from './harness.ts';

for (const [name, make] of Object.entries({ ...harnesses, late: lateHarness })) {
  storeContract({ describe, expect, it }, name, make);
}
