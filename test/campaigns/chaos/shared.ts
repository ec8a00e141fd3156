/** What the daemon of a chaos run and the run itself agree on. */

/** Every process of a run carries it, however far it has gone. */
export const markName = 'SIGNALBOX_CHAOS_RUN';

export const deadlines = {
  drainMs: 1_000,
  silenceMs: 4_000,
  startMs: 6_000,
  unsolicitedMs: 3_000,
  holdLimitMs: 30_000,
  agentIdleMs: 15_000,
  // Agents die on purpose: the breaker opens, and soon lets the next one try.
  maxCrashes: 2,
  crashThrottleMs: 500,
} as const;
