/** How long the deadlines of a session are, where that is more than a limit: of a drain, of a silence, of a task, and after a standstill. */
import { describe, expect, it } from 'vitest';
import { taskId, turnId } from '../../src/core/model/ids.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { defaultLimits } from '../../src/runtime/options.ts';
import { Deadlines } from '../../src/runtime/session/deadlines.ts';
import { ManualClock } from '../support/manual-clock.ts';

describe('the deadlines of a drain', () => {
  const made = (drainMs = 5_000) => {
    const clock = new ManualClock();
    const fired: number[] = [];
    const deadlines = new Deadlines(clock, { ...defaultLimits, drainMs }, () => fired.push(clock.now()));
    return { clock, fired, deadlines, ends: () => deadlines.list().map(({ inMs }) => clock.now() + inMs) };
  };

  it('end together within the limit, with the second of the kill, and name that end from the first on', () => {
    const { clock, fired, deadlines, ends } = made();
    deadlines.arm('drain', turnId(1), true);
    expect(ends()).toEqual([5_000]);
    clock.advance(2_000);
    deadlines.arm('drain', turnId(1), false);
    expect(ends()).toEqual([5_000]);
    clock.advance(2_000);
    expect(fired).toEqual([2_000, 4_000]);
  });

  it('count from a latched interrupt, which has one of them until its turn is confirmed', () => {
    const { clock, fired, deadlines, ends } = made();
    deadlines.arm('drain', turnId(1), false);
    clock.advance(3_000);
    expect(fired).toEqual([]);
    deadlines.arm('drain', turnId(1), true);
    clock.advance(500);
    expect(fired).toEqual([3_500]);
    deadlines.arm('drain', turnId(1), false);
    expect(ends()).toEqual([5_000]);
    clock.advance(500);
    expect(fired).toEqual([3_500, 4_000]);
  });

  it('begin again with another turn, and leave a kill a fifth of a short limit', () => {
    const { clock, fired, deadlines } = made(500);
    deadlines.arm('drain', turnId(1), true);
    clock.advance(300);
    deadlines.arm('drain', turnId(2), true);
    clock.advance(200);
    expect(fired).toEqual([200, 500]);
  });
});

/** A clock that stands still: its timers fire when it is told to, however late. */
class StoppedClock implements Clock {
  at = 0;
  #due: { readonly at: number; readonly fire: () => void }[] = [];

  wall(): number {
    return this.at;
  }
  now(): number {
    return this.at;
  }
  timer(ms: number, fire: () => void): () => void {
    const timer = { at: this.at + ms, fire };
    this.#due.push(timer);
    return () => {
      this.#due = this.#due.filter((other) => other !== timer);
    };
  }
  soon(run: () => void): void {
    run();
  }

  /** Nothing was done until now; what is due fires in one pass. */
  wakes(at: number): void {
    this.at = at;
    const due = this.#due.filter((timer) => timer.at <= at);
    this.#due = this.#due.filter((timer) => timer.at > at);
    for (const { fire } of due) {
      fire();
    }
  }
}

describe('a deadline', () => {
  const made = () => {
    const clock = new StoppedClock();
    const fired: string[] = [];
    const limits = { ...defaultLimits, silenceMs: 10_000, toolSilenceMs: 100_000, drainMs: 5_000 };
    return { clock, fired, deadlines: new Deadlines(clock, limits, (name) => fired.push(`${name} at ${clock.at}`)) };
  };

  it('that a stopped daemon finds long past begins again, since what others said is unread', () => {
    const { clock, fired, deadlines } = made();
    deadlines.arm('silence', turnId(1));
    deadlines.arm('drain', turnId(2), true);
    clock.wakes(60_000);
    expect(fired).toEqual([]);
    expect(deadlines.list().map(({ inMs }) => inMs)).toEqual(
      [10_000, 5_000].map((ms, at) => (at === 0 ? ms : expect.any(Number))),
    );
    clock.wakes(62_000);
    clock.wakes(70_000);
    expect(fired).toEqual(['drain at 62000', 'silence at 70000']);
  });

  it('that fires a little late has passed', () => {
    const { clock, fired, deadlines } = made();
    deadlines.arm('silence', turnId(1));
    clock.wakes(10_900);
    expect(fired).toEqual(['silence at 10900']);
  });

  it('of a silence is that of a tool while one runs, and counts from the last word', () => {
    const { clock, fired, deadlines } = made();
    deadlines.arm('silence', turnId(1));
    deadlines.inTool(turnId(1), true);
    clock.wakes(10_000);
    clock.wakes(50_000);
    expect(fired).toEqual([]);
    deadlines.alive();
    deadlines.inTool(turnId(1), false);
    expect(deadlines.list()).toMatchObject([{ name: 'silence', inMs: 10_000 }]);
    clock.wakes(60_000);
    expect(fired).toEqual(['silence at 60000']);
  });

  it('of a silence does not count a tool that an earlier turn left open', () => {
    const { clock, fired, deadlines } = made();
    deadlines.arm('silence', turnId(1));
    deadlines.inTool(turnId(1), true);
    deadlines.disarm('silence', turnId(1));
    deadlines.arm('silence', turnId(2));
    clock.wakes(10_000);
    expect(fired).toEqual(['silence at 10000']);
  });

  it('of the time of a task may be longer than any timer, and is past at once where it was up before', () => {
    const { clock, fired, deadlines } = made();
    const month = 2_592_000_000;
    deadlines.armExpiry(taskId('a'), month);
    deadlines.armExpiry(taskId('b'), -5);
    clock.wakes(0);
    expect(fired).toEqual(['expiry at 0']);
    clock.wakes(2_000_000_000);
    expect(fired).toHaveLength(1);
    clock.wakes(month);
    expect(fired).toEqual(['expiry at 0', `expiry at ${month}`]);
  });
});
