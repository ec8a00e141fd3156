/**
 * Signs of life for a turn that works without a word: thinking, long input for a tool, a tool that runs. Without them the
 * silence deadline would end it; with one for each frame they would fill the tape.
 *
 * Owned by the agent; at most one timer.
 */
import type { Timers } from '../../supervise/index.ts';

export class Pulse {
  readonly #timers: Timers;
  readonly #everyMs: number;
  readonly #tell: (what: string) => void;
  #cancel: (() => void) | null = null;
  #told = false;
  #last = '';

  constructor(timers: Timers, everyMs: number, tell: (what: string) => void) {
    this.#timers = timers;
    this.#everyMs = everyMs;
    this.#tell = tell;
  }

  /** Something was heard. */
  heard(what: string): void {
    this.#last = what;
    this.#cancel ??= this.#timers.set(this.#everyMs, () => {
      this.#cancel = null;
      if (!this.#told) {
        this.#tell(this.#last);
      }
      this.#told = false;
    });
  }

  /** Something was told that shows life by itself. */
  told(): void {
    this.#told = true;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#told = false;
  }
}
