/**
 * The state of each provider of models, and how far it throttles its sessions.
 *
 * Owned by one runtime. Messages in: failures, retries and successes of agents; the operator's `resume`. Out: `changed` with
 * the provider's name, when the level or the reason changes.
 *
 *         failure               the throttle ends                 no failure, or a completed turn
 *   free ─────────► throttled ─────────────────────► probing ─────────────────────────────────────► free
 *                       ▲      interactive work goes first │
 *                       └────────────── failure ───────────┘  (a longer throttle)
 *
 *  providers/1 A request that fails during a throttle was sent before it. It extends the throttle up to its own hint, and does
 *              not lengthen the next one.
 *  providers/2 A throttle never ends before the provider's hint.
 *  providers/3 A retry that the agent makes by itself throttles background work only: its turn continues.
 */
import type { FailureClass, ProviderFailure } from '../../agents/failures.ts';
import type { Throttle, ThrottleLevel } from '../../core/model/session.ts';
import type { Clock } from '../clock.ts';
import { forgetMs, throttleRules, throttleMs } from './rules.ts';

/** Times are wall clock, ms. */
export interface ProviderView {
  readonly name: string;
  /** `free`: not throttled. `throttled`: `level` says how far. `probing`: background work waits for a completed turn. */
  readonly state: 'free' | 'throttled' | 'probing';
  readonly level: ThrottleLevel | null;
  readonly reason: FailureClass | null;
  readonly since: number | null;
  /** When the throttle, or the probing, ends by itself. */
  readonly until: number | null;
  /** A completed turn sets it to 0. */
  readonly throttlesInRow: number;
  /** Failures since the start of the daemon. */
  readonly failures: number;
  /** The message of the provider with its last failure. */
  readonly message: string | null;
  readonly status: number | null;
}

/** Probing lasts as long as the throttle did, within these bounds. */
const probeMinMs = 5_000;
const probeMaxMs = 60_000;

interface ProviderThrottle {
  readonly state: 'throttled' | 'probing';
  readonly level: ThrottleLevel;
  readonly reason: FailureClass;
  /** Its length from when it was last made longer. */
  readonly ms: number;
  /** Monotonic ms. A request that was sent before it does not count as a further failure. */
  readonly began: number;
  readonly until: number;
  /** Wall clock; `since`: when this reason first came. */
  readonly since: number;
  readonly untilWall: number;
}

interface Provider {
  readonly name: string;
  throttle: ProviderThrottle | null;
  throttlesInRow: number;
  failures: number;
  failedAt: number;
  last: ProviderFailure | null;
  cancel: () => void;
}

export interface ProvidersParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly changed: (name: string) => void;
}

export class Providers {
  readonly #parts: ProvidersParts;
  readonly #providers = new Map<string, Provider>();

  constructor(parts: ProvidersParts) {
    this.#parts = parts;
  }

  /**
   * A turn has failed that was sent at `sentAt` (monotonic ms). What fails for a reason that is not the provider's changes
   * nothing.
   */
  failed(name: string, failure: ProviderFailure, sentAt: number): void {
    this.#fail(name, failure, sentAt, false);
  }

  /** An agent tries a failed request again by itself. */
  retrying(name: string, failure: ProviderFailure, sentAt: number): void {
    this.#fail(name, failure, sentAt, true);
  }

  /** A turn has completed: a provider that answers again needs no further probing. */
  succeeded(name: string): void {
    const provider = this.#providers.get(name);
    if (provider === undefined || provider.throttlesInRow === 0 || provider.throttle?.state === 'throttled') {
      return;
    }
    provider.throttlesInRow = 0;
    this.#set(provider, null);
  }

  /** An operator's command: the cause is mended. False: the provider was not throttled. */
  resume(name: string): boolean {
    const provider = this.#providers.get(name);
    if (provider === undefined || provider.throttle === null) {
      return false;
    }
    provider.throttlesInRow = 0;
    this.#set(provider, null);
    return true;
  }

  throttleOf(name: string): Throttle | null {
    const throttle = this.#providers.get(name)?.throttle ?? null;
    return throttle === null ? null : { level: throttle.level, reason: throttle.reason, until: throttle.untilWall };
  }

  /** Also of a provider without a failure. */
  view(name: string): ProviderView {
    return viewOf(this.#providers.get(name) ?? fresh(name));
  }

  list(): readonly ProviderView[] {
    return [...this.#providers.values()].map(viewOf);
  }

  close(): void {
    for (const provider of this.#providers.values()) {
      provider.cancel();
    }
  }

  #fail(name: string, failure: ProviderFailure, sentAt: number, goesOn: boolean): void {
    const rule = throttleRules[failure.class];
    if (rule === undefined) {
      return;
    }
    const { clock, random } = this.#parts;
    const provider = this.#of(name);
    const now = clock.now();
    if (provider.throttle === null && now - provider.failedAt > forgetMs) {
      provider.throttlesInRow = 0;
    }
    provider.failedAt = now;
    provider.failures += 1;
    provider.last = failure;
    const standing = provider.throttle?.state === 'throttled' ? provider.throttle : null;
    const counts = standing === null || sentAt >= standing.began;
    if (counts) {
      provider.throttlesInRow += 1;
    }
    const level: ThrottleLevel =
      !goesOn && provider.throttlesInRow >= rule.allAfter ? 'all' : goesOn ? 'background' : rule.others;
    const rises = level === 'all' && standing?.level === 'background';
    const hint = failure.retryAfterMs;
    const lasts = counts || rises || hint !== null;
    if (!lasts || (level === 'background' && standing?.level === 'all')) {
      return;
    }
    const until = Math.max(now + throttleMs(rule, provider.throttlesInRow, random, hint), standing?.until ?? 0);
    if (standing !== null && !counts && !rises && until === standing.until) {
      return;
    }
    const began = counts || rises ? now : standing.began;
    this.#begin(provider, { state: 'throttled', level, reason: failure.class, began, ms: until - now });
  }

  #begin(provider: Provider, next: Omit<ProviderThrottle, 'since' | 'until' | 'untilWall'>): void {
    const { clock } = this.#parts;
    const before = provider.throttle;
    const [now, wall] = [clock.now(), clock.wall()];
    this.#set(provider, {
      ...next,
      since: before?.reason === next.reason ? before.since : wall,
      until: now + next.ms,
      // Of a monotonic clock, which has fractions; a time on the wall has none.
      untilWall: Math.ceil(wall + next.ms),
    });
    provider.cancel = clock.timer(next.ms, () => this.#over(provider));
  }

  /** After a throttle of all work, background work still waits: an interactive turn shows whether the provider answers. */
  #over(provider: Provider): void {
    const { throttle } = provider;
    if (throttle === null || throttle.state === 'probing' || throttle.level === 'background') {
      this.#set(provider, null);
      return;
    }
    const ms = Math.min(probeMaxMs, Math.max(probeMinMs, throttle.ms));
    this.#begin(provider, {
      state: 'probing',
      level: 'background',
      reason: throttle.reason,
      began: this.#parts.clock.now(),
      ms,
    });
  }

  #set(provider: Provider, throttle: ProviderThrottle | null): void {
    const before = provider.throttle;
    provider.cancel();
    provider.cancel = () => {};
    provider.throttle = throttle;
    if (before?.level !== throttle?.level || before?.reason !== throttle?.reason) {
      this.#parts.changed(provider.name);
    }
  }

  #of(name: string): Provider {
    const known = this.#providers.get(name);
    if (known !== undefined) {
      return known;
    }
    const provider = fresh(name);
    this.#providers.set(name, provider);
    return provider;
  }
}

const fresh = (name: string): Provider => ({
  name,
  throttle: null,
  throttlesInRow: 0,
  failures: 0,
  failedAt: Number.NEGATIVE_INFINITY,
  last: null,
  cancel: () => {},
});

function viewOf({ name, throttle, throttlesInRow, failures, last }: Provider): ProviderView {
  return {
    name,
    state: throttle?.state ?? 'free',
    level: throttle?.level ?? null,
    reason: throttle?.reason ?? null,
    since: throttle?.since ?? null,
    until: throttle?.untilWall ?? null,
    throttlesInRow,
    failures,
    message: last?.message ?? null,
    status: last?.status ?? null,
  };
}
