/** How late the feed of all sessions is, by transaction numbers alone. */
import { describe, expect, test } from 'vitest';
import { FeedLag } from '../../../src/store/postgres/health.ts';

describe('the lag of the feed', () => {
  test('is zero while no transaction is open', () => {
    const lag = new FeedLag();
    expect([lag.look(0, 10n, 10n), lag.look(250, 12n, 12n)]).toEqual([0, 0]);
  });

  test('grows with the age of an open transaction, and counts from the next one when that ends', () => {
    const lag = new FeedLag();
    lag.look(0, 10n, 10n);
    expect(lag.look(250, 10n, 11n)).toBe(250);
    expect(lag.look(500, 10n, 20n)).toBe(500);
    // Number 10 has ended; number 15, which began between the two looks before, is open.
    expect(lag.look(750, 15n, 21n)).toBe(500);
    expect(lag.look(1_000, 22n, 22n)).toBe(0);
  });

  test('is never too small after hours, with a bounded memory', () => {
    const lag = new FeedLag();
    let late = 0;
    for (let n = 0; n < 10_000; n += 1) {
      late = lag.look(n * 250, 10n, BigInt(10 + n));
    }
    expect(late).toBe(9_999 * 250);
    // What began in the last quarter of the time is open now.
    expect(lag.look(10_000 * 250, BigInt(10 + 7_500), BigInt(20_000))).toBeGreaterThanOrEqual(2_500 * 250);
  });

  test('begins again on a server that was set back', () => {
    const lag = new FeedLag();
    lag.look(0, 100n, 100n);
    expect(lag.look(250, 5n, 6n)).toBe(0);
  });
});
