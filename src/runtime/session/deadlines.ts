/**
 * The armed deadlines of one session. Owned by its actor.
 *
 *  deadlines/1 At most one timer per name (and per task for `collect`); arming again replaces it.
 *  deadlines/2 The silence deadline moves with every sign of life of the agent, without touching a timer.
 *  deadlines/3 A deadline that fires late is harmless: the core compares what it guards.
 */
import type { TaskId } from '../../core/model/ids.ts';
import type { TimerName } from '../../core/model/timers.ts';
import type { Clock } from '../clock.ts';
import type { RuntimeLimits } from '../options.ts';

interface Armed {
  readonly name: TimerName;
  readonly of: number | TaskId;
  /** Monotonic ms. */
  at: number;
  cancel: () => void;
}

interface DeadlineView {
  readonly name: TimerName;
  readonly of: number | TaskId;
  /** Milliseconds from now. */
  readonly inMs: number;
}

const limitOf: { readonly [N in TimerName]: keyof RuntimeLimits } = {
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

export class Deadlines {
  readonly #clock: Clock;
  readonly #limits: RuntimeLimits;
  readonly #fire: (name: TimerName, of: number | TaskId) => void;
  readonly #armed = new Map<string, Armed>();
  #lifeAt = 0;

  constructor(clock: Clock, limits: RuntimeLimits, fire: (name: TimerName, of: number | TaskId) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#fire = fire;
  }

  arm(name: TimerName, of: number | TaskId): void {
    const key = name === 'collect' ? `collect ${of}` : name;
    this.#armed.get(key)?.cancel();
    const ms = this.#limits[limitOf[name]];
    const armed: Armed = { name, of, at: this.#clock.now() + ms, cancel: () => {} };
    armed.cancel = this.#clock.timer(ms, () => this.#due(key, armed));
    this.#armed.set(key, armed);
  }

  disarm(name: TimerName, of: number | TaskId): void {
    const key = name === 'collect' ? `collect ${of}` : name;
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

  list(): DeadlineView[] {
    const now = this.#clock.now();
    return [...this.#armed.values()].map(({ name, of, at }) => ({
      name,
      of,
      inMs: (name === 'silence' ? Math.max(at, this.#lifeAt + this.#limits.silenceMs) : at) - now,
    }));
  }

  clear(): void {
    for (const armed of this.#armed.values()) {
      armed.cancel();
    }
    this.#armed.clear();
  }

  #due(key: string, armed: Armed): void {
    const quietUntil = this.#lifeAt + this.#limits.silenceMs;
    const now = this.#clock.now();
    if (armed.name === 'silence' && quietUntil > now) {
      armed.at = quietUntil;
      armed.cancel = this.#clock.timer(quietUntil - now, () => this.#due(key, armed));
      return;
    }
    this.#armed.delete(key);
    this.#fire(armed.name, armed.of);
  }
}
