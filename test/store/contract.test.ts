/** The contract suite on both stores. */
import { describe, expect, it } from 'vitest';
import { storeContract } from '../../src/testing/store/contract.ts';
import { harnesses } from './harness.ts';

for (const [name, make] of Object.entries(harnesses)) {
  storeContract({ describe, expect, it }, name, make);
}
