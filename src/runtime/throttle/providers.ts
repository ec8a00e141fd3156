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
 *  providers/4 Of several nodes, one whose work waits makes the trial after a throttle of all work; the work of the others waits for its
 *              outcome. What one node learns changes the state of all (`cluster/throttles.ts`).
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

/** `agents`: the names of those whose requests go to it. */
export interface NamedProvider extends ProviderView {
  readonly agents: readonly string[];
}

/** Probing lasts as long as the throttle did, within these bounds. */
const probeMinMs = 5_000;
const probeMaxMs = 60_000;
const probeMs = (throttleMs: number): number => Math.min(probeMaxMs, Math.max(probeMinMs, throttleMs));
/** The trial of another node is over so long before this node takes it for lost: its outcome is on its way. */
const trialSlackMs = 1_000;

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

/** What nodes tell each other of a provider. Milliseconds, counted from when it was told: no two clocks are compared. */
export interface SharedThrottle {
  readonly throttle:
    | (Pick<ProviderThrottle, 'state' | 'level' | 'reason' | 'ms'> & {
        /** Until its end, since it began to count, and since this reason came. */
        readonly leftMs: number;
        readonly ranMs: number;
        readonly sinceMs: number;
      })
    | null;
  readonly throttlesInRow: number;
  readonly failures: number;
  readonly last: ProviderFailure | null;
  /** The node that makes the trial. */
  readonly trial: number | null;
}

/** The other nodes, for the providers of this one. */
export interface ProviderNodes {
  /** There are none. */
  readonly isAlone: boolean;
  /** The state of the provider has changed here. */
  changed(name: string): void;
  /** A throttle of all work is over: calls `probe`, or `take` with what another node says, later. */
  trial(name: string): void;
}

interface Provider {
  readonly name: string;
  throttle: ProviderThrottle | null;
  throttlesInRow: number;
  failures: number;
  /** Of these, those that other nodes have not learned. */
  untold: number;
  failedAt: number;
  last: ProviderFailure | null;
  /** Whether this node makes the trial: it asks the others, or does. */
  trial: 'no' | 'asks' | 'makes';
  cancel: () => void;
}

export interface ProvidersParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly changed: (name: string) => void;
  /** Null: this daemon has its store for itself. */
  readonly nodes?: ProviderNodes | null;
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
    this.#tell(name);
  }

  /** An operator's command: the cause is mended. False: the provider was not throttled. */
  resume(name: string): boolean {
    const provider = this.#providers.get(name);
    if (provider === undefined || provider.throttle === null) {
      return false;
    }
    provider.throttlesInRow = 0;
    this.#set(provider, null);
    this.#tell(name);
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

  /** For other nodes. */
  shared(name: string): SharedThrottle {
    const { clock } = this.#parts;
    const [now, wall] = [clock.now(), clock.wall()];
    const { throttle, throttlesInRow, failures, last } = this.#of(name);
    const told =
      throttle === null
        ? null
        : {
            state: throttle.state,
            level: throttle.level,
            reason: throttle.reason,
            ms: throttle.ms,
            leftMs: throttle.until - now,
            ranMs: now - throttle.began,
            sinceMs: wall - throttle.since,
          };
    return { throttle: told, throttlesInRow, failures, last, trial: null };
  }

  /** Other nodes have learned what `shared` said. */
  told(name: string, { failures }: SharedThrottle): void {
    const provider = this.#of(name);
    provider.untold = provider.failures - failures;
  }

  /** It waits for `probe` or `take`. */
  asks(name: string): boolean {
    return this.#of(name).trial === 'asks';
  }

  /**
   * What another node says of the provider, `ageMs` ago, is so here. `keeps`: what this node has not told yet holds beside it, so far as it
   * stops more work. Says whether it does.
   */
  take(
    name: string,
    { throttle, throttlesInRow, failures, last, trial }: SharedThrottle,
    ageMs: number,
    keeps: boolean,
  ): boolean {
    const { clock } = this.#parts;
    const [now, wall] = [clock.now(), clock.wall()];
    const provider = this.#of(name);
    provider.failures = failures + provider.untold;
    provider.last = keeps ? (provider.last ?? last) : (last ?? provider.last);
    provider.throttlesInRow = keeps ? Math.max(throttlesInRow, provider.throttlesInRow) : throttlesInRow;
    const left = throttle === null ? 0 : throttle.leftMs - ageMs;
    const own = provider.throttle;
    const until = now + left + (trial === null ? 0 : trialSlackMs);
    const isStricter =
      own !== null && (left <= 0 || (own.level === 'all' && throttle?.level !== 'all') || own.until > until);
    if (keeps && own !== null && isStricter) {
      return true;
    }
    if (throttlesInRow > 0) {
      provider.failedAt = Math.max(provider.failedAt, now - ageMs);
    }
    if (throttle === null || until <= now) {
      this.#set(provider, null);
      return false;
    }
    this.#run(provider, {
      // Another node makes the trial: all work of this one waits for it.
      ...(trial === null ? { state: throttle.state, level: throttle.level } : { state: 'probing', level: 'all' }),
      reason: throttle.reason,
      ms: throttle.ms,
      began: now - ageMs - throttle.ranMs,
      since: wall - ageMs - throttle.sinceMs,
      until,
      untilWall: Math.ceil(wall + until - now),
    });
    return false;
  }

  /** How the trial would be told that this node is to make. */
  trialOf(name: string, node: number): SharedThrottle {
    const shared = this.shared(name);
    const { throttle } = shared;
    const ms = probeMs(throttle?.ms ?? 0);
    const probing =
      throttle === null
        ? null
        : { ...throttle, state: 'probing' as const, level: 'background' as const, ms, leftMs: ms, ranMs: 0 };
    return { ...shared, throttle: probing, trial: node };
  }

  /** The throttle of all work is over here, and no other node makes the trial. `tries`: this one does, and others wait for it. */
  probe(name: string, tries: boolean): void {
    const provider = this.#of(name);
    if (provider.trial === 'asks' && provider.throttle !== null) {
      this.#probe(provider, provider.throttle);
      provider.trial = tries ? 'makes' : 'no';
    }
  }

  #tell(name: string): void {
    this.#parts.nodes?.changed(name);
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
    provider.untold += 1;
    provider.last = failure;
    this.#tell(name);
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
    this.#run(provider, {
      ...next,
      since: before?.reason === next.reason ? before.since : wall,
      until: now + next.ms,
      // Of a monotonic clock, which has fractions; a time on the wall has none.
      untilWall: Math.ceil(wall + next.ms),
    });
  }

  #run(provider: Provider, throttle: ProviderThrottle): void {
    const { clock } = this.#parts;
    this.#set(provider, throttle);
    provider.cancel = clock.timer(throttle.until - clock.now(), () => this.#over(provider));
  }

  /** After a throttle of all work, background work still waits: an interactive turn shows whether the provider answers. */
  #over(provider: Provider): void {
    const { throttle, trial, name } = provider;
    const { nodes = null } = this.#parts;
    if (throttle === null || throttle.level === 'background') {
      this.#set(provider, null);
      if (trial === 'makes') {
        this.#tell(name);
      }
    } else if (nodes === null || nodes.isAlone) {
      this.#probe(provider, throttle);
    } else {
      provider.trial = 'asks';
      nodes.trial(name);
    }
  }

  #probe(provider: Provider, { reason, ms }: ProviderThrottle): void {
    const began = this.#parts.clock.now();
    this.#begin(provider, { state: 'probing', level: 'background', reason, began, ms: probeMs(ms) });
  }

  #set(provider: Provider, throttle: ProviderThrottle | null): void {
    const before = provider.throttle;
    provider.trial = 'no';
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
  untold: 0,
  failedAt: Number.NEGATIVE_INFINITY,
  last: null,
  trial: 'no',
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
