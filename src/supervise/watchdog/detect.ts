/**
 * When a main loop counts as blocked, from what a watchdog sees at each of its own ticks. Pure.
 *
 *  detect/1 A tick of its own that comes late means that the whole process, or the machine, stood still: the main loop gets
 *           the full threshold anew, and no alarm is raised.
 *  detect/2 One block is one alarm: the next needs a sign of life in between.
 */
interface DetectPlan {
  /** Silence of the main loop that counts as a block. */
  readonly hangMs: number;
  /** Between two ticks of the watchdog. */
  readonly tickMs: number;
}

export interface DetectState {
  readonly tickAt: number;
  /** The last moment at which everything stood still, and is known to run again. */
  readonly awakeAt: number;
  readonly blocked: boolean;
}

/** `lagMs`: what counts, standing still left out. */
export interface Detected {
  readonly state: DetectState;
  readonly lagMs: number;
  readonly change: 'blocked' | 'resumed' | 'stood-still' | null;
}

export const detectStart = (now: number): DetectState => ({ tickAt: now, awakeAt: now, blocked: false });

/** `lagMs`: since the main loop's last sign of life, at the time `now` of the same clock. */
export function detect(plan: DetectPlan, state: DetectState, now: number, lagMs: number): Detected {
  const late = now - state.tickAt - plan.tickMs;
  const stoodStill = late > plan.hangMs / 2;
  const awakeAt = stoodStill ? now : state.awakeAt;
  const counted = Math.min(lagMs, now - awakeAt);
  const next = { tickAt: now, awakeAt, blocked: state.blocked };
  if (state.blocked) {
    // It has given a sign of life since; a block that goes on over a suspension stays one.
    if (lagMs < plan.hangMs / 2) {
      return { state: { ...next, blocked: false }, lagMs, change: 'resumed' };
    }
    return { state: next, lagMs, change: null };
  }
  if (stoodStill) {
    return { state: next, lagMs: counted, change: 'stood-still' };
  }
  if (counted >= plan.hangMs) {
    return { state: { ...next, blocked: true }, lagMs: counted, change: 'blocked' };
  }
  return { state: next, lagMs: counted, change: null };
}
