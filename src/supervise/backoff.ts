/** How long to wait before trying again: exponential, bounded, jittered. Pure: the random number comes in. */

export interface BackoffPlan {
  /** Before the first retry. */
  readonly firstMs: number;
  /** No wait of ours is longer. */
  readonly maxMs: number;
  /** Each wait is this many times the one before. Default 2. */
  readonly factor?: number;
  /**
   * Share of the wait that is left to chance, 0 to 1. Default 0.5: a wait is between half of its full length and all of
   * it, so that a hundred that failed together do not come back together, and none comes back at once.
   */
  readonly jitter?: number;
}

/**
 * Milliseconds to wait after `failures` failures in a row (from 1), a whole number. `random`: from 0 up to, not including, 1.
 *
 * `hintMs` is how long the other side asked us to wait. It is never undercut, also where it is longer than `maxMs`; the
 * jitter then comes on top, at most one `firstMs`, since everybody was given the same hint.
 */
export function backoffMs(plan: BackoffPlan, failures: number, random: number, hintMs: number | null = null): number {
  const { firstMs, maxMs, factor = 2, jitter = 0.5 } = plan;
  // Beyond some hundred failures the power is Infinity, and the smaller of both is still right.
  const full = Math.min(maxMs, firstMs * factor ** (Math.max(1, failures) - 1));
  const ours = full * (1 - jitter * random);
  if (hintMs === null || hintMs <= ours) {
    return Math.round(ours);
  }
  return Math.ceil(hintMs + Math.min(firstMs, hintMs) * jitter * random);
}
