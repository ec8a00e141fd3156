/**
 * The contract of the Store port as a test suite. Every adapter runs it, ours and third parties' (`signalbox/testing`):
 *
 *     import { describe, expect, it } from 'vitest';
 *     storeContract({ describe, expect, it }, 'my store', () => ({ open: …, dispose: … }));
 */
import { suiteOf, type ContractApi, type NodesHarness, type StoreHarness } from './api.ts';
import { admission } from './admission.ts';
import { conversations } from './conversations.ts';
import { failing } from './failing.ts';
import { hints } from './hints.ts';
import { leases } from './leases.ts';
import { letters } from './letters.ts';
import { outbox, sharedOutbox } from './outbox.ts';
import { ownership } from './ownership.ts';
import { reading } from './reading.ts';
import { tapes } from './tapes.ts';
import { throttles } from './throttles.ts';
import type { MaybePromise } from '../../store/maybe-promise.ts';

/** `make` gives a new, empty place for each test. */
export function storeContract(api: ContractApi, name: string, make: () => MaybePromise<StoreHarness>): void {
  const suite = suiteOf(api, make);
  api.describe(`the store contract: ${name}`, () => {
    for (const part of [tapes, admission, leases, reading, failing, outbox]) {
      part(suite);
    }
  });
}

/** The contract of `Nodes`, for a store that several nodes share. */
export function nodesContract(api: ContractApi, name: string, make: () => MaybePromise<NodesHarness>): void {
  const suite = suiteOf(api, make);
  api.describe(`the contract of nodes: ${name}`, () => {
    for (const part of [ownership, letters, throttles, conversations, sharedOutbox]) {
      part(suite);
    }
  });
}

/** Of a store whose hints arrive: a network may keep them back, and a pooler does. */
export function hintsContract(api: ContractApi, name: string, make: () => MaybePromise<NodesHarness>): void {
  api.describe(`the contract of hints: ${name}`, () => hints(suiteOf(api, make)));
}
