/** How long the deadlines of a session are, where that is more than a limit: those of a drain. */
import { describe, expect, it } from 'vitest';
import { turnId } from '../../src/core/model/ids.ts';
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
