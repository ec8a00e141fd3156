/** S11: what is tried again waits first, longer each time, and not together with all others. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffMs } from '../../src/supervise/index.ts';

const plan = { firstMs: 100, maxMs: 5_000 };

describe('S11: backoff', () => {
  test('doubles from the first wait to the longest, and stays there', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 2_000].map((failures) => backoffMs(plan, failures, 0));
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  });

  test('accepts another factor', () => {
    expect(backoffMs({ ...plan, factor: 3 }, 3, 0)).toBe(900);
  });

  test('varies at random by the stated share, and by no more', () => {
    expect(backoffMs(plan, 3, 0.999_999)).toBe(200);
    expect(backoffMs({ ...plan, jitter: 0 }, 3, 0.9)).toBe(400);
    expect(backoffMs({ ...plan, jitter: 1 }, 3, 0.75)).toBe(100);
  });

  test('spreads the retries of callers that failed together', () => {
    const waits = new Set(Array.from({ length: 100 }, (_, index) => backoffMs(plan, 7, index / 100)));
    expect(waits.size).toBe(100);
  });

  test('never comes before the hint of the provider, also where the hint is longer than the longest wait', () => {
    const any = fc.record({
      failures: fc.integer({ min: 0, max: 5_000 }),
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      hintMs: fc.option(fc.integer({ min: 0, max: 1_000_000 })),
    });
    fc.assert(
      fc.property(any, ({ failures, random, hintMs }) => {
        const wait = backoffMs(plan, failures, random, hintMs);
        expect(Number.isInteger(wait)).toBe(true);
        expect(wait).toBeGreaterThanOrEqual(Math.max(50, hintMs ?? 0));
        expect(wait).toBeLessThanOrEqual(Math.max(5_000, (hintMs ?? 0) + 100));
      }),
    );
  });
});
