/**
 * The contract of the Store port as a test suite. Every adapter runs it, ours and third parties' (`signalbox/testing`):
 *
 *     import { describe, expect, it } from 'vitest';
 *     storeContract({ describe, expect, it }, 'my store', () => ({ open: …, dispose: … }));
 */
import { suiteOf, type ContractApi, type StoreHarness } from './api.ts';
import { admission } from './admission.ts';
import { failing } from './failing.ts';
import { leases } from './leases.ts';
import { reading } from './reading.ts';
import { tapes } from './tapes.ts';
import type { MaybePromise } from '../../store/port.ts';

/** `make` gives a new, empty place for each test. */
export function storeContract(api: ContractApi, name: string, make: () => MaybePromise<StoreHarness>): void {
  const suite = suiteOf(api, make);
  api.describe(`the store contract: ${name}`, () => {
    for (const part of [tapes, admission, leases, reading, failing]) {
      part(suite);
    }
  });
}
