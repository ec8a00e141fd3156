/** How fast tasks end, for a sender that is refused: when it is worth to come back. A guess, within bounds. */

/** Where too few have ended to know. */
const unknownMs = 30_000;
const leastMs = 1_000;
const mostMs = 300_000;
/** Weight of the newest interval. */
const weight = 0.2;

export class Pace {
  #last: number | null = null;
  #meanMs: number | null = null;

  /** A task has ended. `now`: monotonic ms. */
  ended(now: number): void {
    if (this.#last !== null) {
      const interval = now - this.#last;
      this.#meanMs = this.#meanMs === null ? interval : this.#meanMs + weight * (interval - this.#meanMs);
    }
    this.#last = now;
  }

  /** How long the next end may take: as long as the last ones took, or as nothing has ended by now if that is longer. */
  nextMs(now: number): number {
    return this.#last === null || this.#meanMs === null
      ? unknownMs
      : Math.min(mostMs, Math.max(leastMs, this.#meanMs, now - this.#last));
  }
}
