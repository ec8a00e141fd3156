/**
 * How each provider of models does, and how far its sessions hold back for it.
 *
 * Owned by one runtime. Messages in: failures, retries and successes of agents; the operator's `resume`. Out: `changed` with
 * the provider's name, whenever the level or the reason is another.
 *
 *         failure              the pause is over              nothing failed, or a turn completed
 *   free ─────────► paused ─────────────────────► probing ─────────────────────────────────────► free
 *                     ▲      interactive work goes first │
 *                     └──────────── failure ─────────────┘  (a longer pause)
 *
 *  providers/1 What fails during a pause was sent before it: it makes the pause last as long as its hint asks, and not the
 *              next longer.
 *  providers/2 The provider's hint is never undercut.
 *  providers/3 A retry that the agent makes by itself holds back background work only: its turn goes on.
 */
import type { FailureClass, ProviderFailure } from '../../agents/failures.ts';
import type { Throttle } from '../../core/model/session.ts';
import type { Clock } from '../clock.ts';
import { FORGET_MS, type Level, THROTTLE_RULES, pauseMs } from './rules.ts';

/** Times are wall clock, ms. */
export interface ProviderView {
  readonly name: string;
  /** `free`: nothing holds back. `paused`: `level` says how far. `probing`: background work waits for a sign of life. */
  readonly state: 'free' | 'paused' | 'probing';
  readonly level: Level | null;
  readonly reason: FailureClass | null;
  readonly since: number | null;
  /** When the pause, or the probing, is over by itself. */
  readonly until: number | null;
  /** Pauses in a row: a completed turn begins anew. */
  readonly pauses: number;
  /** Failures since the start of the daemon. */
  readonly failures: number;
  /** The provider's own words with its last failure. */
  readonly message: string | null;
  readonly status: number | null;
}

/** Probing lasts as long as the pause did, within these. */
const probeMinMs = 5_000;
const probeMaxMs = 60_000;

interface Pause {
  readonly state: 'paused' | 'probing';
  readonly level: Level;
  readonly reason: FailureClass;
  /** Its length from when it was last made longer. */
  readonly ms: number;
  /** Monotonic: what was sent before cannot have known of it. */
  readonly began: number;
  readonly until: number;
  /** Wall clock; `since`: when this reason first came. */
  readonly since: number;
  readonly untilWall: number;
}

interface Provider {
  readonly name: string;
  pause: Pause | null;
  pauses: number;
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

  /** A turn has completed: whoever answers again needs no further probing. */
  succeeded(name: string): void {
    const provider = this.#providers.get(name);
    if (provider === undefined || provider.pauses === 0 || provider.pause?.state === 'paused') {
      return;
    }
    provider.pauses = 0;
    this.#set(provider, null);
  }

  /** The operator's: whatever was wrong is mended. False: nothing was held back. */
  resume(name: string): boolean {
    const provider = this.#providers.get(name);
    if (provider === undefined || provider.pause === null) {
      return false;
    }
    provider.pauses = 0;
    this.#set(provider, null);
    return true;
  }

  throttleOf(name: string): Throttle | null {
    const pause = this.#providers.get(name)?.pause ?? null;
    return pause === null ? null : { level: pause.level, reason: pause.reason, until: pause.untilWall };
  }

  /** Also of one where nothing has ever failed. */
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
    const rule = THROTTLE_RULES[failure.class];
    if (rule === undefined) {
      return;
    }
    const { clock, random } = this.#parts;
    const provider = this.#of(name);
    const now = clock.now();
    if (provider.pause === null && now - provider.failedAt > FORGET_MS) {
      provider.pauses = 0;
    }
    provider.failedAt = now;
    provider.failures += 1;
    provider.last = failure;
    const standing = provider.pause?.state === 'paused' ? provider.pause : null;
    const counts = standing === null || sentAt >= standing.began;
    if (counts) {
      provider.pauses += 1;
    }
    const level: Level = !goesOn && provider.pauses >= rule.allAfter ? 'all' : goesOn ? 'background' : rule.others;
    const rises = level === 'all' && standing?.level === 'background';
    const hint = failure.retryAfterMs;
    const lasts = counts || rises || hint !== null;
    if (!lasts || (level === 'background' && standing?.level === 'all')) {
      return;
    }
    const until = Math.max(now + pauseMs(rule, provider.pauses, random, hint), standing?.until ?? 0);
    if (standing !== null && !counts && !rises && until === standing.until) {
      return;
    }
    const began = counts || rises ? now : standing.began;
    this.#begin(provider, { state: 'paused', level, reason: failure.class, began, ms: until - now });
  }

  #begin(provider: Provider, next: Omit<Pause, 'since' | 'until' | 'untilWall'>): void {
    const { clock } = this.#parts;
    const before = provider.pause;
    const [now, wall] = [clock.now(), clock.wall()];
    this.#set(provider, {
      ...next,
      since: before?.reason === next.reason ? before.since : wall,
      until: now + next.ms,
      untilWall: wall + next.ms,
    });
    provider.cancel = clock.timer(next.ms, () => this.#over(provider));
  }

  /** A pause of everything ends with background work still waiting: what somebody waits for finds out how things are. */
  #over(provider: Provider): void {
    const { pause } = provider;
    if (pause === null || pause.state === 'probing' || pause.level === 'background') {
      this.#set(provider, null);
      return;
    }
    const ms = Math.min(probeMaxMs, Math.max(probeMinMs, pause.ms));
    this.#begin(provider, {
      state: 'probing',
      level: 'background',
      reason: pause.reason,
      began: this.#parts.clock.now(),
      ms,
    });
  }

  #set(provider: Provider, pause: Pause | null): void {
    const before = provider.pause;
    provider.cancel();
    provider.cancel = () => {};
    provider.pause = pause;
    if (before?.level !== pause?.level || before?.reason !== pause?.reason) {
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
  pause: null,
  pauses: 0,
  failures: 0,
  failedAt: Number.NEGATIVE_INFINITY,
  last: null,
  cancel: () => {},
});

function viewOf({ name, pause, pauses, failures, last }: Provider): ProviderView {
  return {
    name,
    state: pause?.state ?? 'free',
    level: pause?.level ?? null,
    reason: pause?.reason ?? null,
    since: pause?.since ?? null,
    until: pause?.untilWall ?? null,
    pauses,
    failures,
    message: last?.message ?? null,
    status: last?.status ?? null,
  };
}
