/**
 * Signs of life of a turn that emits nothing for long: while it thinks, writes a long input for a tool, or runs one. Without them
 * the silence deadline would end it; one for each frame would fill the tape.
 *
 * Owned by the agent; at most one timer.
 */
import type { Timers } from '../../supervise/index.ts';

export class Activity {
  readonly #timers: Timers;
  readonly #everyMs: number;
  readonly #report: (what: string) => void;
  #cancel: (() => void) | null = null;
  /** Something was emitted since the timer was set. */
  #emitted = false;
  #last = '';

  /** `report`: called at most every `everyMs`, with the name of the last frame. */
  constructor(timers: Timers, everyMs: number, report: (what: string) => void) {
    this.#timers = timers;
    this.#everyMs = everyMs;
    this.#report = report;
  }

  /** A frame has come. */
  seen(what: string): void {
    this.#last = what;
    this.#cancel ??= this.#timers.set(this.#everyMs, () => {
      this.#cancel = null;
      if (!this.#emitted) {
        this.#report(this.#last);
      }
      this.#emitted = false;
    });
  }

  /** An event was emitted, which shows life by itself. */
  emitted(): void {
    this.#emitted = true;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#emitted = false;
  }
}
