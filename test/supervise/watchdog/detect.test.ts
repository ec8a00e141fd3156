/** When a main loop counts as blocked. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Detected, DetectState } from '../../../src/supervise/watchdog/detect.ts';
import { detect, detectStart } from '../../../src/supervise/watchdog/detect.ts';

const plan = { hangMs: 2_000, tickMs: 250 };

/** Ticks of a watchdog at these times, with the main loop's last sign of life at each; all that changed. */
function run(ticks: readonly (readonly [now: number, beatAt: number])[]): readonly Detected[] {
  let state: DetectState = detectStart(0);
  return ticks.map(([now, beatAt]) => {
    const found = detect(plan, state, now, now - beatAt);
    ({ state } = found);
    return found;
  });
}

const changes = (ticks: readonly (readonly [number, number])[]): readonly (readonly [number, string])[] =>
  run(ticks).flatMap(({ change }, index) => (change === null ? [] : [[ticks[index]?.[0] ?? 0, change] as const]));

/** A tick every 250 ms from `from`, with beats as `beatAt` says. */
const every = (from: number, to: number, beatAt: (now: number) => number): (readonly [number, number])[] => {
  const ticks: (readonly [number, number])[] = [];
  for (let now = from; now <= to; now += 250) {
    ticks.push([now, beatAt(now)]);
  }
  return ticks;
};

test('a main loop with heartbeats is never blocked', () => {
  expect(changes(every(250, 60_000, (now) => now - 240))).toEqual([]);
});

test('a block is detected once, at the first tick at which its silence is long enough, and so is its end', () => {
  const ticks = [
    ...every(250, 1_000, (now) => now),
    ...every(1_250, 9_000, () => 1_100),
    ...every(9_250, 10_000, (now) => now),
  ];
  expect(changes(ticks)).toEqual([
    [3_250, 'blocked'],
    [9_250, 'resumed'],
  ]);
});

test('a second block raises a second alarm', () => {
  const ticks = [
    ...every(250, 3_000, () => 0),
    ...every(3_250, 4_000, (now) => now),
    ...every(4_250, 8_000, () => 4_000),
  ];
  expect(changes(ticks).map(([, change]) => change)).toEqual(['blocked', 'resumed', 'blocked']);
});

test('a stop of both threads is not a block, and the main loop gets its full time again', () => {
  // Asleep from 1,000 to 60,000; then the main loop needs a second for its first beat.
  const ticks = [
    ...every(250, 1_000, (now) => now),
    ...every(60_000, 61_000, () => 1_000),
    ...every(61_250, 62_000, (now) => now),
  ];
  expect(changes(ticks)).toEqual([[60_000, 'stood-still']]);
});

test('a main loop that does not come back after a stop is blocked from then on', () => {
  const ticks = [...every(250, 1_000, (now) => now), ...every(60_000, 63_000, () => 1_000)];
  expect(changes(ticks)).toEqual([
    [60_000, 'stood-still'],
    [62_000, 'blocked'],
  ]);
});

test('an alarm always needs two seconds of silence while awake, and alarms and ends alternate', () => {
  const moment = fc.record({ late: fc.constantFrom(0, 0, 0, 10, 200, 5_000), beats: fc.boolean() });
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 200 }), (moments) => {
      let now = 0;
      let beatAt = 0;
      let awakeAt = 0;
      let state = detectStart(0);
      let blocked = false;
      for (const { late, beats } of moments) {
        now += 250 + late;
        if (late > 1_000) {
          awakeAt = now;
        }
        if (beats) {
          beatAt = now;
        }
        const found = detect(plan, state, now, now - beatAt);
        ({ state } = found);
        if (found.change === 'blocked') {
          expect([blocked, now - Math.max(beatAt, awakeAt) >= 2_000]).toEqual([false, true]);
          blocked = true;
        }
        if (found.change === 'resumed') {
          expect([blocked, now - beatAt < 2_000]).toEqual([true, true]);
          blocked = false;
        }
        // Nothing is missed for longer than a tick.
        if (!blocked && late <= 1_000) {
          expect(now - Math.max(beatAt, awakeAt)).toBeLessThan(2_000);
        }
      }
    }),
  );
});
