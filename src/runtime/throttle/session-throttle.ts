/**
 * The throttle of one session: the strictest of its causes, which the core gets. A cause is its own failed turn, its agent
 * that keeps ending or cannot be started, its conversation that is too long, its agent that waits for a slot or a folder which others have or for a node, or its provider.
 *
 * Owned by the session's actor. The runtime owns the memory of crashes, since it outlives the actor.
 *  session-throttle/1 The core gets the throttle before it gets the failure that caused it, and again when level or reason
 *                     changes.
 *  session-throttle/2 Every cause of the session itself ends at a known time, or has an owner that lifts it (`slot`, `folder`, `node`).
 */
import type { ProviderFailure } from '../../agents/failures.ts';
import type { Throttle, ThrottleLevel } from '../../core/model/session.ts';
import type { throttleCauses } from '../../protocol/providers.ts';
import type { CrashLoop } from './crashes.ts';
import type { Clock } from '../clock.ts';
import type { Providers } from './providers.ts';
import { contextPlan, startPlan, stricter, throttleMs, throttleRules } from './rules.ts';

export type ThrottleCause = (typeof throttleCauses)[number];

type WaitCause = Extract<ThrottleCause, 'slot' | 'folder' | 'node'>;
const waitReason = { slot: 'slots_taken', folder: 'folder_in_use', node: 'no_node' } as const satisfies {
  readonly [C in WaitCause]: string;
};

const waitCauses = Object.keys(waitReason) as readonly WaitCause[];

/** Of a session that only waits for an agent: it would go on with one. */
export const waitReasons: ReadonlySet<string> = new Set(Object.values(waitReason));

/** For views: the throttle that is in force, and its cause. */
export interface ThrottleView extends Throttle {
  readonly cause: ThrottleCause;
  /** Wall clock, ms. */
  readonly since: number;
  /** What a person should know beside the reason: the provider, or who uses the folder. */
  readonly detail: string | null;
}

interface SessionThrottleParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly providers: Providers;
  /** That of the agent that the session has now. */
  readonly provider: () => string;
  readonly crashes: CrashLoop;
  /** A conversation that is too long is not used any more. */
  readonly freshWhenFull: boolean;
  readonly post: (throttle: Throttle | null) => void;
}

interface Own {
  readonly throttle: Throttle;
  readonly since: number;
  /** As it is when somebody looks. */
  readonly detail: () => string | null;
  readonly cancel: () => void;
}

export class SessionThrottle {
  readonly #parts: SessionThrottleParts;
  readonly #own = new Map<Exclude<ThrottleCause, 'provider'>, Own>();
  #told: Throttle | null = null;
  /** Failed turns in a row. */
  #failures = 0;
  #contexts = 0;
  /** Failed starts in a row. */
  #starts = 0;

  constructor(parts: SessionThrottleParts) {
    this.#parts = parts;
  }

  /** The session is loaded. It gets the throttle that is in force before anything else. */
  open(): void {
    const { crashes, clock } = this.#parts;
    const until = crashes.openUntil(clock.now());
    if (until !== null) {
      this.#hold('crash', 'agent_crash_loop', 'all', until - clock.now());
    }
    this.tell();
  }

  failed(failure: ProviderFailure, sentAt: number): void {
    const { providers, provider, random } = this.#parts;
    providers.failed(provider(), failure, sentAt);
    const rule = throttleRules[failure.class];
    if (rule !== undefined) {
      this.#failures += 1;
      this.#hold('retry', failure.class, 'all', throttleMs(rule, this.#failures, random, failure.retryAfterMs));
    } else if (failure.class === 'context' && !this.#parts.freshWhenFull) {
      this.#contexts += 1;
      this.#hold('context', 'context', 'background', throttleMs(contextPlan, this.#contexts, random, null));
    }
    this.tell();
  }

  retrying(failure: ProviderFailure, sentAt: number): void {
    this.#parts.providers.retrying(this.#parts.provider(), failure, sentAt);
  }

  /** A turn has completed. */
  completed(): void {
    const { providers, provider } = this.#parts;
    this.#failures = 0;
    this.#contexts = 0;
    providers.succeeded(provider());
    this.lift('retry');
    this.lift('context');
  }

  /** The agent has ended a turn, with any outcome: it works. */
  alive(): void {
    this.#parts.crashes.worked();
  }

  /** Its agent could not be started at all. `detail`: why, for a person. */
  startFailed(detail: string): void {
    this.#starts += 1;
    this.#hold(
      'start',
      'agent_start_failed',
      'all',
      throttleMs(startPlan, this.#starts, this.#parts.random, null),
      () => detail,
    );
    this.tell();
  }

  /** Its program runs. */
  started(): void {
    this.#starts = 0;
    this.lift('start');
  }

  crashed(): void {
    const { crashes, clock, random } = this.#parts;
    const wait = crashes.crashed(clock.now(), random);
    if (wait.ms > 0) {
      this.#hold('crash', wait.reason, 'all', wait.ms);
    }
    this.tell();
  }

  /** The agent waits for what other sessions have; the caller lifts this. */
  waits(cause: WaitCause, detail: () => string): void {
    waitCauses.filter((other) => other !== cause).forEach((other) => this.#own.delete(other));
    this.#hold(cause, waitReason[cause], 'all', null, detail);
    this.tell();
  }

  /** The agent waits no more. */
  liftWaits(): void {
    waitCauses.forEach((cause) => this.#end(cause));
    this.tell();
  }

  lift(cause: Exclude<ThrottleCause, 'provider'>): void {
    if (this.#end(cause)) {
      this.tell();
    }
  }

  #end(cause: Exclude<ThrottleCause, 'provider'>): boolean {
    this.#own.get(cause)?.cancel();
    return this.#own.delete(cause);
  }

  /** An operator's command: ends every cause of the session itself. False: there was none. */
  resume(): boolean {
    const held = this.#own.size > 0;
    this.#parts.crashes.worked();
    this.#failures = 0;
    this.#starts = 0;
    for (const cause of this.#own.keys()) {
      if (!(cause in waitReason)) {
        this.lift(cause);
      }
    }
    return held;
  }

  /** Tells the core when the throttle has changed. The registry calls it when that of the provider has. */
  tell(): void {
    const now = this.#strictest();
    const before = this.#told;
    if (before?.level === now?.level && before?.reason === now?.reason) {
      return;
    }
    this.#told = now;
    this.#parts.post(now);
  }

  view(): ThrottleView | null {
    const strictest = this.#strictest();
    if (strictest === null) {
      return null;
    }
    for (const [cause, { throttle, since, detail }] of this.#own) {
      if (throttle === strictest) {
        return { ...throttle, cause, since, detail: detail() };
      }
    }
    const { provider, providers, clock } = this.#parts;
    const name = provider();
    const since = providers.view(name).since ?? clock.wall();
    return { ...strictest, cause: 'provider', since, detail: name };
  }

  clear(): void {
    for (const { cancel } of this.#own.values()) {
      cancel();
    }
    this.#own.clear();
  }

  #hold(
    cause: Exclude<ThrottleCause, 'provider'>,
    reason: string,
    level: ThrottleLevel,
    ms: number | null,
    detail: () => string | null = () => null,
  ) {
    const { clock } = this.#parts;
    this.#own.get(cause)?.cancel();
    const wall = clock.wall();
    const cancel = ms === null ? () => {} : clock.timer(ms, () => this.lift(cause));
    const throttle: Throttle = { level, reason, until: ms === null ? null : Math.ceil(wall + ms) };
    this.#own.set(cause, { throttle, since: wall, detail, cancel });
  }

  #strictest(): Throttle | null {
    const { providers, provider } = this.#parts;
    let strictest = providers.throttleOf(provider());
    for (const { throttle } of this.#own.values()) {
      strictest = stricter(throttle, strictest);
    }
    return strictest;
  }
}
