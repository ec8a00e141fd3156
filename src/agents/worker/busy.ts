/**
 * Sees from outside whether a thread ever pauses: its event loop counts the time in which it waits for something. A thread that
 * runs a loop, or is stuck in the system, has none; it need not answer for that to be known.
 *
 * Owned by one handle. Watches during a turn only, and tells once in each.
 */
import type { Worker } from 'node:worker_threads';
import type { TurnId } from '../../core/ids.ts';
import type { Timers } from '../../supervise/index.ts';

/** Below this share of its time a loop has paused. */
const busyShare = 0.99;
const looks = 5;

export class BusyWatch {
  readonly #timers: Timers;
  readonly #noticeMs: number;
  readonly #tell: (turn: TurnId, forMs: number) => void;
  #cancel = (): void => {};

  /** `noticeMs`: how long it must have been busy; it is looked at five times as often. */
  constructor(timers: Timers, noticeMs: number, tell: (turn: TurnId, forMs: number) => void) {
    this.#timers = timers;
    this.#noticeMs = noticeMs;
    this.#tell = tell;
  }

  begin(turn: TurnId, watched: Worker['performance']): void {
    this.#cancel();
    let last = watched.eventLoopUtilization();
    let busyMs = 0;
    const look = (): void => {
      const now = watched.eventLoopUtilization();
      const { utilization, active } = watched.eventLoopUtilization(now, last);
      last = now;
      busyMs = utilization > busyShare ? busyMs + active : 0;
      if (busyMs >= this.#noticeMs) {
        this.#tell(turn, busyMs);
      } else {
        this.#cancel = this.#timers.set(this.#noticeMs / looks, look);
      }
    };
    this.#cancel = this.#timers.set(this.#noticeMs / looks, look);
  }

  end(): void {
    this.#cancel();
    this.#cancel = () => {};
  }
}
