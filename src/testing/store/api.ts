/** What the contract suite needs of a test framework, and of the store under test. */
import { AppError } from '../../core/errors.ts';
import type { Faults } from '../../store/faults.ts';
import type { MaybePromise } from '../../store/maybe-promise.ts';
import type { Store } from '../../store/port.ts';

/** Vitest, Jest and Bun have these under the same names; `toEqual` compares deeply. */
export interface ContractApi {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: (name: string, body: () => Promise<void>) => void;
  readonly expect: (actual: unknown) => { toBe(expected: unknown): void; toEqual(expected: unknown): void };
}

/** One empty place for data. */
export interface StoreHarness {
  /** Opens the store there; again after `close` or a crash. */
  open(options?: { readonly faults?: Faults }): MaybePromise<Store>;
  /** Closes whatever is open and removes the data. */
  dispose(): MaybePromise<void>;
}

/** One empty place for the data of several nodes. */
export interface NodesHarness extends StoreHarness {
  /** Opens one more store there, which has not joined. */
  openShared(options?: { readonly faults?: Faults }): MaybePromise<Store>;
  /** Another life of the store begins, with all that is there. */
  failOver(): MaybePromise<void>;
}

export interface Suite<H extends StoreHarness = StoreHarness> {
  readonly api: ContractApi;
  /** A test with its own harness. */
  readonly check: (name: string, body: (harness: H) => Promise<void>) => void;
}

export const suiteOf = <H extends StoreHarness>(api: ContractApi, make: () => MaybePromise<H>): Suite<H> => ({
  api,
  check: (name, body) =>
    api.it(name, async () => {
      const harness = await make();
      try {
        await body(harness);
      } finally {
        await harness.dispose();
      }
    }),
});

/** The code of the AppError that `work` throws, or `none`. Any other error is thrown on. */
export async function codeOf(work: () => MaybePromise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof AppError) {
      return error.code;
    }
    throw error;
  }
  return 'none';
}
