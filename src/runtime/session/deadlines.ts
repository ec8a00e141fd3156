/**
 * The armed deadlines of one session. Owned by its actor.
 *
 *  deadlines/1 At most one timer per name (and per task for `collect`, `expiry` and `lease`); arming again replaces it.
 *  deadlines/2 The silence deadline moves with every sign of life of the agent, without touching a timer. While a tool runs whose start the
 *              agent has announced, it is that of the tool (`toolSilenceMs`).
 *  deadlines/3 The `drain` deadlines of a turn end together within `drainMs` of the first, and so does the kill that follows the
 *              last one. An interrupt that is to be repeated is repeated half way.
 *  deadlines/4 The idle deadline waits for the end of an agent's work in the background (`keepIdle`), and counts from there.
 *  deadlines/5 A deadline that fires late is harmless: the core compares what it guards.
 *  deadlines/6 While the daemon stood still, it heard nobody. A deadline that it finds long past begins again.
 *  deadlines/7 A lease moves with everything that its holder says, without touching a timer.
 */
import type { TaskId, TurnId } from '../../core/model/ids.ts';
import type { TimerName } from '../../core/model/timers.ts';
import { type Clock, stillMs } from '../clock.ts';
import type { RuntimeLimits } from '../options.ts';

interface Armed {
  readonly name: TimerName;
  readonly of: number | TaskId;
  /** Monotonic ms. */
  at: number;
  /** When the holder last spoke, of a lease; monotonic ms. */
  heardAt: number;
  /** How long it was armed for. */
  readonly ms: number;
  cancel: () => void;
}

interface DeadlineView {
  readonly name: TimerName;
  readonly of: number | TaskId;
  /** Milliseconds from now. */
  readonly inMs: number;
}

/** Deadlines whose time is a configured limit. That of a task's own time is its own, and so is a holder's lease. */
type LimitName = Exclude<TimerName, 'expiry' | 'lease'>;

const limitOf: { readonly [N in LimitName]: keyof RuntimeLimits } = {
  start: 'startMs',
  switch: 'switchMs',
  permission: 'permissionMs',
  drain: 'drainMs',
  silence: 'silenceMs',
  hold: 'holdLimitMs',
  protected: 'protectedTurnMs',
  wait: 'maxWaitMs',
  unsolicited: 'unsolicitedMs',
  idle: 'agentIdleMs',
  collect: 'collectMs',
};

/** SIGTERM has a second (`termGraceMs`) before SIGKILL, which nobody survives. */
const killMaxMs = 1_000;
const killShare = 1 / 5;

interface Drain {
  readonly of: number | TaskId;
  /** Monotonic ms at which the agent is gone. */
  readonly endsAt: number;
}

/** The subject keeps these apart; of each other name there is one at a time. */
const keyOf = (name: TimerName, of: number | TaskId): string =>
  name === 'collect' || name === 'expiry' || name === 'lease' ? `${name} ${of}` : name;

/** Longest delay of a timer of the clock: a task's own time may be longer. */
const maxTimerMs = 2_000_000_000;

/** Those that judge somebody by what was not heard in time. */
const judging: ReadonlySet<TimerName> = new Set<TimerName>([
  'start',
  'switch',
  'permission',
  'drain',
  'silence',
  'hold',
  'unsolicited',
  'lease',
]);

/** Those whose timer may fire before they are due. */
const moving: ReadonlySet<TimerName> = new Set<TimerName>(['silence', 'idle', 'expiry', 'lease']);

export class Deadlines {
  readonly #clock: Clock;
  readonly #limits: RuntimeLimits;
  readonly #fire: (name: TimerName, of: number | TaskId) => void;
  readonly #armed = new Map<string, Armed>();
  #lifeAt = 0;
  /** The turn whose tools run. */
  #inTools: TurnId | null = null;
  #drain: Drain | null = null;
  #keepsIdle = false;
  /** Its agent is stopped from outside. */
  #isFrozen = false;
  /** When the idle agent was last kept; monotonic ms. */
  #keptAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, limits: RuntimeLimits, fire: (name: TimerName, of: number | TaskId) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#fire = fire;
  }

  /** `repeats`: at the end of this `drain` deadline the interrupt is written once more. */
  arm(name: LimitName, of: number | TaskId, repeats = false): void {
    this.#arm(name, of, name === 'drain' ? this.#drainMs(of, repeats) : this.#limits[limitOf[name]]);
  }

  /** `expiresAt`: wall clock, ms. It may be past. */
  armExpiry(of: TaskId, expiresAt: number): void {
    this.#arm('expiry', of, Math.max(0, expiresAt - this.#clock.wall()));
  }

  /** A holder has `ms` from now on, and from all that it says. */
  armLease(of: TaskId, ms: number): void {
    this.#arm('lease', of, ms);
  }

  /** The holder of the task has said something. */
  renewLease(of: TaskId): void {
    const armed = this.#armed.get(keyOf('lease', of));
    if (armed !== undefined) {
      armed.heardAt = this.#clock.now();
    }
  }

  #arm(name: TimerName, of: number | TaskId, ms: number): void {
    const key = keyOf(name, of);
    this.#armed.get(key)?.cancel();
    const now = this.#clock.now();
    const armed: Armed = { name, of, at: now + ms, heardAt: now, ms, cancel: () => {} };
    this.#armed.set(key, armed);
    this.#wait(key, armed, ms);
  }

  #wait(key: string, armed: Armed, ms: number): void {
    armed.cancel = this.#clock.timer(Math.min(ms, maxTimerMs), () => this.#due(key, armed));
  }

  #drainMs(of: number | TaskId, repeats: boolean): number {
    const now = this.#clock.now();
    const { drainMs } = this.#limits;
    if (this.#drain?.of !== of) {
      this.#drain = { of, endsAt: now + drainMs };
    }
    const killIn = Math.max(0, this.#drain.endsAt - Math.min(killMaxMs, drainMs * killShare) - now);
    return Math.ceil(repeats ? killIn / 2 : killIn);
  }

  disarm(name: TimerName, of: number | TaskId): void {
    const key = keyOf(name, of);
    const armed = this.#armed.get(key);
    if (armed !== undefined && armed.of === of) {
      armed.cancel();
      this.#armed.delete(key);
    }
  }

  /** The agent has given a sign of life. */
  alive(): void {
    this.#lifeAt = this.#clock.now();
  }

  /** The agent is stopped, and not to be judged by what it does not say. */
  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
    this.alive();
  }

  /** The agent works beside its turns, and is not closed meanwhile. */
  keepIdle(keeps: boolean): void {
    if (this.#keepsIdle) {
      this.#keptAt = this.#clock.now();
    }
    this.#keepsIdle = keeps;
  }

  /** Whether the turn runs a tool now: the core knows which. */
  inTool(turn: TurnId, runs: boolean): void {
    const ran = this.#inTools === turn;
    if (runs) {
      this.#inTools = turn;
    } else if (ran) {
      this.#inTools = null;
      if (this.#armed.get('silence')?.of === turn) {
        // The long wait for a tool is over: the agent has as long as ever from now on.
        this.arm('silence', turn);
      }
    }
  }

  #silenceMs(turn: number | TaskId): number {
    return this.#inTools === turn ? this.#limits.toolSilenceMs : this.#limits.silenceMs;
  }

  /** Each with the instant at which it really ends the wait: of a drain, that is the end of the agent. */
  list(): DeadlineView[] {
    const now = this.#clock.now();
    return [...this.#armed.values()].map((armed) => ({
      name: armed.name,
      of: armed.of,
      inMs: this.#endOf(armed) - now,
    }));
  }

  #endOf({ name, of, at, heardAt, ms }: Armed): number {
    if (name === 'lease') {
      return Math.max(at, heardAt + ms);
    }
    if (name === 'silence') {
      return Math.max(at, this.#lifeAt + this.#silenceMs(of));
    }
    return name === 'drain' && this.#drain?.of === of ? this.#drain.endsAt : at;
  }

  clear(): void {
    for (const armed of this.#armed.values()) {
      armed.cancel();
    }
    this.#armed.clear();
  }

  #due(key: string, armed: Armed): void {
    const { name, of } = armed;
    const now = this.#clock.now();
    const left = this.#left(armed, now);
    if (left > 0) {
      armed.at = now + left;
      this.#wait(key, armed, left);
      return;
    }
    this.#armed.delete(key);
    this.#fire(name, of);
  }

  /** Milliseconds that are left of a deadline whose timer has fired: it moved, was longer than a timer, or the daemon stood still. */
  #left(armed: Armed, now: number): number {
    if (this.#isFrozen && judging.has(armed.name)) {
      return armed.ms;
    }
    const at = Math.max(armed.at, this.#heldUntil(armed, now));
    if (judging.has(armed.name) && now - at > stillMs) {
      if (armed.name === 'drain' && this.#drain !== null) {
        this.#drain = { ...this.#drain, endsAt: this.#drain.endsAt + (now - at) + armed.ms };
      }
      return armed.ms;
    }
    return moving.has(armed.name) ? at - now : 0;
  }

  /** A deadline that moves with what the agent or the holder does is not due before. */
  #heldUntil({ name, of, heardAt, ms }: Armed, now: number): number {
    if (name === 'lease') {
      return heardAt + ms;
    }
    if (name === 'silence') {
      return this.#lifeAt + this.#silenceMs(of);
    }
    return name === 'idle' ? (this.#keepsIdle ? now : this.#keptAt) + this.#limits.agentIdleMs : 0;
  }
}
