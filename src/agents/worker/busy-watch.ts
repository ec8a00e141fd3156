/**
 * Sees from outside whether a thread ever pauses: its event loop counts the time in which it waits. A thread that runs an
 * endless loop, or is stuck in the system, never waits. The thread need not answer.
 *
 * Owned by one handle. It watches during a turn only, and reports once in each.
 */
import type { Worker } from 'node:worker_threads';
import type { TurnId } from '../../core/model/ids.ts';
import type { Timers } from '../../supervise/index.ts';

/** A loop that is busy for less than this share of the time has paused. */
const busyShare = 0.99;
const samplesPerNotice = 5;

export class BusyWatch {
  readonly #timers: Timers;
  readonly #noticeMs: number;
  readonly #report: (turn: TurnId, forMs: number) => void;
  #cancel = (): void => {};

  /** `noticeMs`: how long the thread must have been busy before it is reported. */
  constructor(timers: Timers, noticeMs: number, report: (turn: TurnId, forMs: number) => void) {
    this.#timers = timers;
    this.#noticeMs = noticeMs;
    this.#report = report;
  }

  begin(turn: TurnId, watched: Worker['performance']): void {
    this.#cancel();
    let last = watched.eventLoopUtilization();
    let busyMs = 0;
    const sample = (): void => {
      const now = watched.eventLoopUtilization();
      const { utilization, active } = watched.eventLoopUtilization(now, last);
      last = now;
      busyMs = utilization > busyShare ? busyMs + active : 0;
      if (busyMs >= this.#noticeMs) {
        this.#report(turn, busyMs);
      } else {
        this.#cancel = this.#timers.set(this.#noticeMs / samplesPerNotice, sample);
      }
    };
    this.#cancel = this.#timers.set(this.#noticeMs / samplesPerNotice, sample);
  }

  end(): void {
    this.#cancel();
    this.#cancel = () => {};
  }
}
