/** Time for the runtime. Deadlines and latencies use `now`; `wall` is only shown (a clock that jumps moves no deadline). */
export interface Clock {
  /** Wall-clock milliseconds since 1970, for tapes. */
  wall(): number;
  /** Monotonic milliseconds, fractional. */
  now(): number;
  /** Calls `fire` once after `ms` milliseconds; the returned function cancels it. */
  timer(ms: number, fire: () => void): () => void;
  /** Calls `run` at the end of the current pass of the event loop, before any further I/O is waited for. */
  soon(run: () => void): void;
}

/**
 * A timer that fires later than this was not merely queued: the process was stopped, the machine slept, or the main loop was blocked. What others
 * said meanwhile is unread.
 */
export const stillMs = 1_000;

/** Longest delay that Node's timers take (2^31 - 1 ms). */
const maxDelayMs = 2_147_483_647;

export const systemClock: Clock = {
  wall: () => Date.now(),
  now: () => performance.now(),
  timer: (ms, fire) => {
    const handle = setTimeout(fire, Math.min(ms, maxDelayMs));
    return () => clearTimeout(handle);
  },
  soon: (run) => {
    setImmediate(run);
  },
};
