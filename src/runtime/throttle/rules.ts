/** How long and how far to hold back, by what went wrong. Pure: times and chance come in. */
import type { FailureClass } from '../../agents/failures.ts';
import type { Throttle } from '../../core/model/session.ts';
import { type BackoffPlan, backoffMs } from '../../supervise/index.ts';

export type Level = Throttle['level'];

/** Where the provider gives no hint of its own, waits begin at `firstMs` and double up to `maxMs`. */
interface ThrottleRule extends BackoffPlan {
  /** How far the other sessions of the provider hold back. The one that failed always waits altogether. */
  readonly others: Level;
  /** From so many pauses in a row on, the others wait altogether too. */
  readonly allAfter: number;
}

const limited = { others: 'all', allAfter: 1 } as const;
/** One failed request says little of the next: the others go on, and only background work gives the provider room. */
const stumbled = { others: 'background', allAfter: 3 } as const;

/** Classes that are not here say nothing of the provider: another task may well succeed at once. */
export const THROTTLE_RULES: { readonly [C in FailureClass]?: ThrottleRule } = {
  rate_limit: { ...limited, firstMs: 5_000, maxMs: 300_000 },
  overloaded: { ...limited, firstMs: 2_000, maxMs: 120_000 },
  server_error: { ...stumbled, firstMs: 1_000, maxMs: 60_000 },
  network: { ...stumbled, firstMs: 1_000, maxMs: 60_000 },
  // These two wait for a person; they are tried now and then, in case that nobody says that it is done.
  quota: { ...limited, firstMs: 300_000, maxMs: 3_600_000 },
  auth: { ...limited, firstMs: 60_000, maxMs: 900_000 },
};

/** A conversation that is too long fails for every task alike: background work would burn its queue on it. */
export const CONTEXT_PLAN: BackoffPlan = { firstMs: 60_000, maxMs: 900_000 };

/** An agent that ends when it should not: the first time may be chance, from the second on in a row it waits. */
export const CRASH_PLAN: BackoffPlan = { firstMs: 500, maxMs: 30_000 };

/** After this long without a failure the next one counts as the first again. */
export const FORGET_MS = 900_000;

export const pauseMs = (rule: BackoffPlan, pauses: number, random: () => number, hintMs: number | null): number =>
  backoffMs(rule, pauses, random(), hintMs);

const later = (a: number | null, b: number | null): boolean => a === null || (b !== null && a >= b);

/** Of two reasons to hold back the one that holds back more; of equal ones the one that lasts longer. */
export function stricter(a: Throttle | null, b: Throttle | null): Throttle | null {
  if (a === null || b === null) {
    return a ?? b;
  }
  if (a.level !== b.level) {
    return a.level === 'all' ? a : b;
  }
  return later(a.until, b.until) ? a : b;
}
