import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadCron, type NextTime } from '../../src/runtime/schedules/cron.ts';
import {
  decide,
  missedCountMax,
  offsetOf,
  onTimeMs,
  type ScheduleRules,
  taskKeyOf,
} from '../../src/runtime/schedules/decide.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.parse('2026-11-02T06:00Z');
const rules: ScheduleRules = { missed: 'once', graceMs: day, overlap: 'skip', offsetMs: 0 };

/** At each multiple of `every`. */
const each =
  (every: number): NextTime =>
  (after) =>
    (Math.floor(after / every) + 1) * every;

const look = (now: number, changed: Partial<ScheduleRules> = {}, open = false, next: NextTime = each(hour)) =>
  decide({ now, nextAt: start, open }, { ...rules, ...changed }, next);

test('nothing is due before its time', () => {
  expect(look(start - 1)).toBeNull();
});

test('a time that is due makes a task, and the next one follows from it (schedule-rules/2)', () => {
  expect(look(start + 17)).toEqual({ run: start, overlapped: null, missed: null, nextAt: start + hour });
});

test('a schedule with an offset is due that much later, for the same time', () => {
  expect(look(start + 4_999, { offsetMs: 5_000 })).toBeNull();
  expect(look(start + 5_000, { offsetMs: 5_000 })).toMatchObject({ run: start, nextAt: start + hour });
});

test('of the times of a week the last is made up once, and the others are counted (schedule-rules/1)', () => {
  const now = start + 7 * day + 30 * minute;
  expect(look(now)).toEqual({
    run: start + 7 * day,
    overlapped: null,
    missed: { count: missedCountMax, first: start, last: start + 7 * day },
    nextAt: start + 7 * day + hour,
  });
});

test('with `skip` a daemon that was down for a week makes none up', () => {
  const midnight = Date.parse('2026-11-09T00:00Z');
  expect(look(midnight + 6 * hour, { missed: 'skip' }, false, each(day))).toEqual({
    run: null,
    overlapped: null,
    missed: { count: 8, first: start, last: midnight },
    nextAt: midnight + day,
  });
});

test('with `skip` a time that is due now runs, whatever was missed before it', () => {
  const now = start + 3 * hour + 5;
  expect(look(now, { missed: 'skip' })).toMatchObject({
    run: start + 3 * hour,
    missed: { count: 3, first: start, last: start + 2 * hour },
  });
});

test('a time that is late by more than the grace is not made up', () => {
  const weekly = each(7 * day);
  const first = weekly(start);
  expect(decide({ now: (first ?? 0) + day, nextAt: first ?? 0, open: false }, rules, weekly)?.run).toBe(first);
  expect(decide({ now: (first ?? 0) + day + 1, nextAt: first ?? 0, open: false }, rules, weekly)).toMatchObject({
    run: null,
    missed: { count: 1, first, last: first },
  });
});

test('a time is on time for a minute', () => {
  expect(look(start + onTimeMs, { missed: 'skip' })?.run).toBe(start);
  expect(look(start + onTimeMs + 1, { missed: 'skip' })?.run).toBeNull();
});

test('a time that comes while an earlier task is open makes none, with `skip` alone', () => {
  expect(look(start, {}, true)).toMatchObject({ run: null, overlapped: start, missed: null });
  expect(look(start, { overlap: 'queue' }, true)).toMatchObject({ run: start, overlapped: null });
  expect(look(start, { overlap: 'replace' }, true)).toMatchObject({ run: start, overlapped: null });
});

test('a schedule without a further time ends', () => {
  expect(look(start, {}, false, () => null)).toMatchObject({ run: start, nextAt: null });
});

test('however late it is looked at, each time is run, left out or missed once, in order (schedule-rules/1, schedule-rules/2)', async () => {
  const found = (await loadCron())('*/15 2,14 * * 1-5', 'Europe/Berlin', start);
  if (!found.ok) {
    throw new Error(found.problem);
  }
  const { next } = found;
  const gaps = fc.array(fc.integer({ min: 1, max: 40 * hour }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(gaps, fc.constantFrom('skip' as const, 'once' as const), fc.nat(minute), (waits, missed, offsetMs) => {
      const first = Date.parse('2026-10-23T00:00Z');
      let [now, nextAt] = [first, next(first)];
      const told: number[] = [];
      for (const wait of waits) {
        now += wait;
        const found =
          nextAt === null ? null : decide({ now, nextAt, open: false }, { ...rules, missed, offsetMs }, next);
        if (found !== null) {
          for (
            let time = found.missed?.first ?? null;
            time !== null && time <= (found.missed?.last ?? 0);
            time = next(time)
          ) {
            told.push(time);
          }
          told.push(...(found.run === null ? [] : [found.run]));
          nextAt = found.nextAt;
        }
      }
      const all: number[] = [];
      for (let time = next(first); time !== null && time <= now - offsetMs; time = next(time)) {
        all.push(time);
      }
      expect(told).toEqual(all);
    }),
    { numRuns: 30 },
  );
});

test('a look after a year asks for few times (schedule-rules/3)', () => {
  let asked = 0;
  const next: NextTime = (after) => {
    asked += 1;
    return each(minute)(after);
  };
  expect(look(start + 365 * day, {}, false, next)?.run).toBe(start + 365 * day);
  expect(asked).toBeLessThan(missedCountMax + 10);
});

test('the offset of a schedule follows from its id, and spreads', () => {
  const offsets = Array.from({ length: 1_000 }, (_, index) => offsetOf(`report-${index}`, 60_000));
  expect(offsetOf('report-7', 60_000)).toBe(offsets[7]);
  expect(Math.min(...offsets)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...offsets)).toBeLessThan(60_000);
  const quarters = [0, 1, 2, 3].map((quarter) => offsets.filter((one) => Math.floor(one / 15_000) === quarter).length);
  expect(Math.min(...quarters)).toBeGreaterThan(150);
  expect(offsetOf('report-7', 0)).toBe(0);
});

test('one time of one schedule has one key', () => {
  expect(taskKeyOf('nightly', start)).toBe('schedule:nightly:2026-11-02T06:00:00.000Z');
});
