/** How long and how far to throttle, by the class of the failure. Pure: times and chance come in. */
import type { FailureClass } from '../../agents/failures.ts';
import type { Throttle, ThrottleLevel } from '../../core/model/session.ts';
import { type BackoffPlan, backoffMs } from '../../supervise/index.ts';

/** Without a hint of the provider, waits begin at `firstMs` and double up to `maxMs`. */
interface ThrottleRule extends BackoffPlan {
  /** How far the other sessions of the provider are throttled. All work of the session that failed waits. */
  readonly others: ThrottleLevel;
  /** After so many throttles in a row, all work of the others waits too. */
  readonly allAfter: number;
}

const limited = { others: 'all', allAfter: 1 } as const;
/** One failed request says little of the next, so only background work waits. */
const stumbled = { others: 'background', allAfter: 3 } as const;

/** Classes that are not here do not throttle: another task may succeed at once. */
export const throttleRules: { readonly [C in FailureClass]?: ThrottleRule } = {
  rate_limit: { ...limited, firstMs: 5_000, maxMs: 300_000 },
  overloaded: { ...limited, firstMs: 2_000, maxMs: 120_000 },
  server_error: { ...stumbled, firstMs: 1_000, maxMs: 60_000 },
  network: { ...stumbled, firstMs: 1_000, maxMs: 60_000 },
  // These two wait for a person. A retry now and then finds out that the person has acted.
  quota: { ...limited, firstMs: 300_000, maxMs: 3_600_000 },
  auth: { ...limited, firstMs: 60_000, maxMs: 900_000 },
};

/** A conversation that is too long fails every task: background work would use up its queue. */
export const contextPlan: BackoffPlan = { firstMs: 60_000, maxMs: 900_000 };

/** An agent that ends unexpectedly. The first end may be chance; from the second in a row on, the start waits. */
export const crashPlan: BackoffPlan = { firstMs: 500, maxMs: 30_000 };

/** A program that is being replaced, or a machine that has too few processes, descriptors or memory: it lasts seconds, and is no fault of the agent. */
export const startPlan: BackoffPlan = { firstMs: 250, maxMs: 15_000 };

/** After so long without a failure, the next failure counts as the first. */
export const forgetMs = 900_000;

export const throttleMs = (
  rule: BackoffPlan,
  throttlesInRow: number,
  random: () => number,
  hintMs: number | null,
): number => backoffMs(rule, throttlesInRow, random(), hintMs);

const later = (a: number | null, b: number | null): boolean => a === null || (b !== null && a >= b);

/** Of two throttles the one that stops more work; of equal ones the one that lasts longer. */
export function stricter(a: Throttle | null, b: Throttle | null): Throttle | null {
  if (a === null || b === null) {
    return a ?? b;
  }
  if (a.level !== b.level) {
    return a.level === 'all' ? a : b;
  }
  return later(a.until, b.until) ? a : b;
}
