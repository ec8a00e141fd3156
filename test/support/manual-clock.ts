/** Time that stands still until the test moves it. Passes run by themselves, as those of the event loop do, unless they are held. */
import type { Clock } from '../../src/runtime/index.ts';

export class ManualClock implements Clock {
  #now = 0;
  #held: (() => void)[] | null = null;
  readonly #timers = new Set<{ readonly at: number; readonly fire: () => void }>();

  wall(): number {
    return 1_760_000_000_000 + this.#now;
  }

  now(): number {
    return this.#now;
  }

  timer(ms: number, fire: () => void): () => void {
    const timer = { at: this.#now + ms, fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  soon(run: () => void): void {
    if (this.#held === null) {
      setImmediate(run);
    } else {
      this.#held.push(run);
    }
  }

  /** From now on a pass runs only when the test calls `pass`. */
  holdPasses(): void {
    this.#held ??= [];
  }

  /** Passes that were asked for since they are held. */
  get heldPasses(): number {
    return this.#held?.length ?? 0;
  }

  /** Runs the held passes, and lets later ones run by themselves again. */
  releasePasses(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const run of held) {
      run();
    }
  }

  /** Timers that wait. */
  get armed(): number {
    return this.#timers.size;
  }

  /** Fires what falls due on the way, in order, each at its own time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) {
        break;
      }
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.fire();
    }
    this.#now = end;
  }

  /** The process stands still: nothing fires on the way, and what has fallen due fires late. */
  jump(ms: number): void {
    this.#now += ms;
    this.advance(0);
  }
}
