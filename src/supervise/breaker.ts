/**
 * Stops trying what fails again and again, and finds out when it works again. Pure: states are values, time comes in.
 *
 *              openAfter failures, none too old                coolDownMs
 *   ┌─► closed ────────────────────────────────► open ───────────────────► half-open
 *   │     ▲                                       ▲                          │   │
 *   │     └───────────────── it worked ───────────┼──────────────────────────┘   │
 *   └─ forgetMs                                   └──── it failed: cool longer ──┘
 *
 * Invariants:
 *  breaker/1 While it is open nothing is let through; when half-open, one trial at a time.
 *  breaker/2 A trial that never reports back blocks nobody: after another `coolDownMs` the next one is let through.
 *  breaker/3 Every failed trial doubles the cool-down, up to `coolDownMaxMs`; a success begins again from the shortest.
 *  breaker/4 A report that comes while it is open, of something let through before, neither closes it nor keeps it open
 *            longer.
 */
export interface BreakerPlan {
  /** So many failures in a row open it. 1 or more. */
  readonly openAfter: number;
  /** From opening to the first trial. */
  readonly coolDownMs: number;
  /** Default: ten times `coolDownMs`. */
  readonly coolDownMaxMs?: number;
  /** Two failures further apart than this are not in a row. Default: never forgotten. */
  readonly forgetMs?: number;
}

export type BreakerState =
  /** `lastAt`: of the last failure. */
  | { readonly kind: 'closed'; readonly failures: number; readonly lastAt: number }
  /** Nothing before `until`. `opened`: how often in a row, from 1. `failures`: since it last worked. */
  | { readonly kind: 'open'; readonly failures: number; readonly opened: number; readonly until: number }
  /** One trial is under way; the next is let through at `until` if this one does not report. */
  | { readonly kind: 'half-open'; readonly failures: number; readonly opened: number; readonly until: number };

type Admission =
  | { readonly admitted: true; readonly state: BreakerState; readonly trial: boolean }
  /** Ask again at `retryAt`. */
  | { readonly admitted: false; readonly state: BreakerState; readonly retryAt: number };

export const breakerClosed: BreakerState = { kind: 'closed', failures: 0, lastAt: 0 };

/** Whether one more may be tried now. `now` and all times: milliseconds of one clock that does not go back. */
export function breakerAdmit(plan: BreakerPlan, state: BreakerState, now: number): Admission {
  if (state.kind === 'closed') {
    return { admitted: true, state, trial: false };
  }
  if (now < state.until) {
    return { admitted: false, state, retryAt: state.until };
  }
  const { failures, opened } = state;
  return {
    admitted: true,
    trial: true,
    state: { kind: 'half-open', failures, opened, until: now + coolDown(plan, opened) },
  };
}

/** What was let through has worked. */
export function breakerSucceeded(state: BreakerState): BreakerState {
  return state.kind === 'open' ? state : breakerClosed;
}

/** What was let through has failed. */
export function breakerFailed(plan: BreakerPlan, state: BreakerState, now: number): BreakerState {
  switch (state.kind) {
    case 'open':
      return state;
    case 'half-open':
      return open(plan, state.failures + 1, state.opened + 1, now);
    case 'closed': {
      const forgotten = now - state.lastAt > (plan.forgetMs ?? Number.POSITIVE_INFINITY);
      const failures = (forgotten ? 0 : state.failures) + 1;
      if (failures < plan.openAfter) {
        return { kind: 'closed', failures, lastAt: now };
      }
      return open(plan, failures, 1, now);
    }
  }
}

function open(plan: BreakerPlan, failures: number, opened: number, now: number): BreakerState {
  return { kind: 'open', failures, opened, until: now + coolDown(plan, opened) };
}

function coolDown(plan: BreakerPlan, opened: number): number {
  return Math.min(plan.coolDownMaxMs ?? plan.coolDownMs * 10, plan.coolDownMs * 2 ** (opened - 1));
}
