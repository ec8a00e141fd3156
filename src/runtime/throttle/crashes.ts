/**
 * Agents that end when they should not, counted for each session: once may be chance, again and again is a loop.
 *
 * Owned by one runtime, since the count outlives the session's place in memory.
 *  crashes/1 The first end in a row costs no wait; each further one waits longer, with jitter.
 *  crashes/2 After `openAfter` in a row nothing is started for the whole cool-down; then one start finds out whether it
 *            works.
 *  crashes/3 A turn that ended, with any outcome, resets the count.
 */
import type { SessionKey } from '../../core/model/ids.ts';
import {
  type BreakerPlan,
  type BreakerState,
  backoffMs,
  breakerAdmit,
  breakerClosed,
  breakerFailed,
} from '../../supervise/index.ts';
import { crashPlan, forgetMs } from './rules.ts';

/** Sessions that are remembered before the old ones are looked through. */
const manyMax = 256;

interface CrashVerdict {
  /** How long nothing is started; 0: try again at once. */
  readonly ms: number;
  readonly reason: 'agent_crashed' | 'agent_crash_loop';
}

interface Count {
  state: BreakerState;
  at: number;
}

export class Crashes {
  readonly #plan: BreakerPlan;
  readonly #counts = new Map<SessionKey, Count>();

  /** `openAfter`: ends in a row; `coolDownMs`: the first throttle. Each start that fails again doubles it, up to ten times. */
  constructor(openAfter: number, coolDownMs: number) {
    this.#plan = { openAfter, coolDownMs, forgetMs: forgetMs };
  }

  of(session: SessionKey): CrashLoop {
    return {
      crashed: (now, random) => this.#crashed(session, now, random),
      worked: () => void this.#counts.delete(session),
      openUntil: (now) => {
        const state = this.#counts.get(session)?.state;
        return state?.kind === 'open' && state.until > now ? state.until : null;
      },
    };
  }

  #crashed(session: SessionKey, now: number, random: () => number): CrashVerdict {
    this.#forget(now);
    const before = this.#counts.get(session)?.state ?? breakerClosed;
    // An agent that crashes was started: after the cool-down that was the trial.
    const state = breakerFailed(this.#plan, breakerAdmit(this.#plan, before, now).state, now);
    this.#counts.set(session, { state, at: now });
    if (state.kind === 'open') {
      return { ms: state.until - now, reason: 'agent_crash_loop' };
    }
    const ms = state.failures < 2 ? 0 : backoffMs(crashPlan, state.failures - 1, random());
    return { ms, reason: 'agent_crashed' };
  }

  #forget(now: number): void {
    if (this.#counts.size < manyMax) {
      return;
    }
    for (const [session, { state, at }] of this.#counts) {
      if (now - at > forgetMs && (state.kind !== 'open' || state.until < now)) {
        this.#counts.delete(session);
      }
    }
  }
}

/** The crashes of one session. Times are monotonic ms. */
export interface CrashLoop {
  crashed(now: number, random: () => number): CrashVerdict;
  worked(): void;
  /** Until when nothing is started; null: a start is allowed. */
  openUntil(now: number): number | null;
}
