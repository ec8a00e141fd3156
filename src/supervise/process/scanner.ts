/**
 * Looks at all processes, for everybody who asks at the same time.
 *
 * Owns: at most one look that is under way and one that was asked for.
 * Invariants:
 *  scanner/1 An answer comes from a look that began after the question: what was there then and still lives is in it.
 *  scanner/2 However many ask at once, two looks answer them: the one that begins next, and the one after for late askers.
 *  scanner/3 A look gives the loop a turn every few milliseconds.
 */
import { setImmediate } from 'node:timers/promises';
import { system } from '../platform/index.ts';
import type { ProcessEntry } from '../platform/types.ts';

export class ProcessScanner {
  readonly #look: () => Promise<readonly ProcessEntry[]>;
  #underWay: Promise<unknown> = Promise.resolve();
  #asked: Promise<readonly ProcessEntry[]> | null = null;
  /** Looks that were begun. */
  looks = 0;

  constructor(look: () => Promise<readonly ProcessEntry[]> = () => system.entries()) {
    this.#look = look;
  }

  look(): Promise<readonly ProcessEntry[]> {
    this.#asked ??= this.#next(this.#underWay);
    return this.#asked;
  }

  async #next(before: Promise<unknown>): Promise<readonly ProcessEntry[]> {
    await Promise.allSettled([before]);
    // Whoever asks in this turn of the loop comes along.
    await setImmediate();
    this.#asked = null;
    this.looks += 1;
    const look = this.#look();
    this.#underWay = look;
    return look;
  }
}

/** One for the whole process: what all its agents share is the system's list. */
export const systemScanner = new ProcessScanner();
