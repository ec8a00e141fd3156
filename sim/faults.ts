/** Where a run strikes, and how often. Drawn from the seed; counted, so that a campaign can show that every point was hit. */
import { AppError } from '../src/core/errors.ts';
import { Random } from './random.ts';

/** Stands for the end of the process: it unwinds whatever runs, and nothing that catches it does anything more. */
export class Crashed extends Error {
  override readonly name = 'Crashed';
}

export const storeFailure = (point: string): AppError =>
  new AppError({ code: 'store_failed', message: `simulated at ${point}` });

export const coreFailure = (): AppError =>
  new AppError({ code: 'invariant_broken', message: 'simulated defect of the core' });

/** Also when wrapped. */
export function isSimulated(error: unknown): boolean {
  return error instanceof Error && (error.message.includes('simulated') || isSimulated(error.cause));
}

type Strike = 'crash' | 'store-error' | 'core-error';

export interface Profile {
  /** Probability per passage of a fault point. */
  readonly crash: number;
  readonly storeError: number;
  readonly coreError: number;
  /** Probability per read of the store. */
  readonly readError: number;
}

function drawProfile(random: Random): Profile {
  const sometimes = (probability: number, most: number): number =>
    random.chance(probability) ? most * random.float() : 0;
  return {
    crash: sometimes(0.7, 0.01),
    storeError: sometimes(0.5, 0.1),
    coreError: sometimes(0.15, 0.01),
    readError: sometimes(0.2, 0.01),
  };
}

/** Points at which a store may fail and its caller lives on; after the commit there is no failure, only the end. */
const failing = new Set(['store.before-commit', 'store.after-write']);

export class FaultPlan {
  readonly profile: Profile;
  readonly struck = new Map<string, number>();
  readonly #random: Random;

  constructor(seed: number, profile?: Profile) {
    this.#random = new Random(seed, 4);
    this.profile = profile ?? drawProfile(this.#random);
  }

  at(point: string): Strike | null {
    const { crash, storeError, coreError } = this.profile;
    const drawn = this.#random.float();
    if (drawn < crash) {
      return this.#count(point, 'crash');
    }
    if (failing.has(point) && drawn < crash + storeError) {
      return this.#count(point, 'store-error');
    }
    if (point === 'runtime.before-step' && drawn < crash + coreError) {
      return this.#count(point, 'core-error');
    }
    return null;
  }

  readFails(method: string): boolean {
    return (
      this.profile.readError > 0 &&
      this.#random.chance(this.profile.readError) &&
      this.#count(`store.${method}`, 'store-error') !== null
    );
  }

  #count(point: string, strike: Strike): Strike {
    const key = `${strike} at ${point}`;
    this.struck.set(key, (this.struck.get(key) ?? 0) + 1);
    return strike;
  }
}
