/** How a node's time-to-live is divided, so that its agents stand still before another node may have its sessions. */
export interface LeaseTimes {
  readonly ttlMs: number;
  /** Between two renewals. */
  readonly renewMs: number;
  /** Between two looks at the others, as long as they are few. */
  readonly lookMs: number;
  /** How long the store may take for a renewal. */
  readonly statementMs: number;
  /** Counted from the sending of the last renewal that was answered: the agents are frozen. */
  readonly freezeMs: number;
  /** As above: the agents of a daemon that gives no sign of life are ended. */
  readonly killMs: number;
  /** How long freezing or ending them may take. */
  readonly stopMs: number;
}

/**
 * One renewal may fail before the agents stand still, `2 * renew + statement <= freeze`, if the next one is sent `renew` after it was sent; and
 * they are gone before the node can be declared dead, `kill + stop < ttl`: the rest is for timers that are late and clocks that drift.
 */
export const leaseTimes = (ttlMs: number): LeaseTimes => ({
  ttlMs,
  renewMs: ttlMs / 4,
  // A dead node was seen alive up to so long after its last sign of life: its sessions wait for that, too.
  lookMs: Math.min(ttlMs / 4, 500),
  statementMs: ttlMs / 10,
  freezeMs: ttlMs * 0.65,
  killMs: ttlMs * 0.8,
  stopMs: ttlMs * 0.15,
});

/** Milliseconds. Shorter: a busy machine would lose its sessions; longer: they would wait too long for another node. */
export const ttlBounds = { minMs: 1_000, maxMs: 600_000, defaultMs: 10_000 } as const;
