/** The table of daylight saving: each time in it was looked at by hand. */
import { expect, test } from 'vitest';
import { loadCron, timesAfter } from '../../src/runtime/schedules/cron.ts';

const read = await loadCron();
const at = (text: string): number => Date.parse(text);

/** Its first times after a moment, as the zone's own clock shows them, with the offset. */
function times(cron: string, zone: string, after: string, count: number): readonly string[] {
  const found = read(cron, zone, at(after));
  if (!found.ok) {
    throw new Error(found.problem);
  }
  const clock = new Intl.DateTimeFormat('sv', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'short',
  });
  const offset = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
  return timesAfter(found.next, at(after), count).map((time) => {
    const name = offset.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    return `${clock.format(time)} ${name.replace('GMT', '')}`;
  });
}

const cases: readonly {
  readonly what: string;
  readonly cron: string;
  readonly zone: string;
  readonly after: string;
  readonly times: readonly string[];
}[] = [
  {
    what: 'a time in the gap of Berlin moves to the end of the gap, once',
    cron: '30 2 * * *',
    zone: 'Europe/Berlin',
    after: '2027-03-27T12:00Z',
    times: ['2027-03-28 03:00 +02:00', '2027-03-29 02:30 +02:00'],
  },
  {
    what: 'a time that comes twice in Berlin runs at the first',
    cron: '30 2 * * *',
    zone: 'Europe/Berlin',
    after: '2026-10-24T12:00Z',
    times: ['2026-10-25 02:30 +02:00', '2026-10-26 02:30 +01:00'],
  },
  {
    what: 'an hourly time runs in both hours of the overlap',
    cron: '30 * * * *',
    zone: 'Europe/Berlin',
    after: '2026-10-24T23:00Z',
    times: ['2026-10-25 01:30 +02:00', '2026-10-25 02:30 +02:00', '2026-10-25 02:30 +01:00', '2026-10-25 03:30 +01:00'],
  },
  {
    what: 'a step within the hour that comes twice runs in both',
    cron: '*/15 2 * * *',
    zone: 'Europe/Berlin',
    after: '2026-10-24T12:00Z',
    times: [
      ...['00', '15', '30', '45'].map((minute) => `2026-10-25 02:${minute} +02:00`),
      ...['00', '15', '30', '45'].map((minute) => `2026-10-25 02:${minute} +01:00`),
      '2026-10-26 02:00 +01:00',
    ],
  },
  {
    what: 'a time in the half-hour gap of Lord Howe moves to its end, and no day is lost',
    cron: '15 2 * * *',
    zone: 'Australia/Lord_Howe',
    after: '2026-10-03T00:00Z',
    times: ['2026-10-04 02:30 +11:00', '2026-10-05 02:15 +11:00'],
  },
  {
    what: 'a midnight that Santiago skips moves to one o’clock',
    cron: '0 0 * * *',
    zone: 'America/Santiago',
    after: '2026-09-05T12:00Z',
    times: ['2026-09-06 01:00 -03:00', '2026-09-07 00:00 -03:00'],
  },
  {
    what: 'a day of the month and a weekday are alternatives',
    cron: '0 12 13 * 5',
    zone: 'UTC',
    after: '2026-12-05T00:00Z',
    times: ['2026-12-11 12:00 +00:00', '2026-12-13 12:00 +00:00', '2026-12-18 12:00 +00:00'],
  },
  {
    what: 'a leap day waits for its year',
    cron: '0 0 29 2 *',
    zone: 'UTC',
    after: '2026-03-01T00:00Z',
    times: ['2028-02-29 00:00 +00:00', '2032-02-29 00:00 +00:00'],
  },
];

for (const { what, cron, zone, after, times: expected } of cases) {
  test(`${what} (${cron}) (cron/2)`, () => {
    expect(times(cron, zone, after, expected.length)).toEqual(expected);
  });
}

test('the time itself is not after itself', () => {
  expect(times('* * * * *', 'UTC', '2026-11-01T00:00:00.000Z', 1)).toEqual(['2026-11-01 00:01 +00:00']);
  expect(times('* * * * *', 'UTC', '2026-11-01T00:00:59.999Z', 1)).toEqual(['2026-11-01 00:01 +00:00']);
});

test('a time does not depend on where the count began (cron/1)', () => {
  const found = read('*/20 2 * * *', 'Europe/Berlin', 0);
  if (!found.ok) {
    throw new Error(found.problem);
  }
  const all = timesAfter(found.next, at('2026-10-23T00:00Z'), 30);
  for (const [index, time] of all.slice(0, -1).entries()) {
    expect(found.next(time)).toBe(all[index + 1]);
    expect(found.next((all[index + 1] ?? 0) - 1)).toBe(all[index + 1]);
  }
});

test('a nickname is an expression', () => {
  expect(times('@daily', 'UTC', '2026-11-01T10:00Z', 1)).toEqual(['2026-11-02 00:00 +00:00']);
});

test.each([
  ['', 'cron', 'it needs five fields'],
  ['* * * *', 'cron', 'it needs five fields'],
  ['0 * * * * *', 'cron', 'it needs five fields'],
  ['2026-12-01T00:00:00', 'cron', 'it needs five fields'],
  ['@reboot', 'cron', 'it needs five fields'],
  ['60 * * * *', 'cron', 'invalid value for minute: 60'],
  ['* * * * funday', 'cron', 'is not a cron expression'],
  ['0 0 31 2 *', 'cron', 'never has a time'],
] as const)('%j is refused with the reason (cron/3)', (cron, part, problem) => {
  expect(read(cron, 'UTC', at('2026-11-01T00:00Z'))).toMatchObject({
    ok: false,
    part,
    problem: expect.stringContaining(problem),
  });
});

test('an unknown zone is refused by its name (cron/3)', () => {
  const found = read('@daily', 'Europe/Atlantis', 0);
  expect(found).toEqual({ ok: false, part: 'zone', problem: '"Europe/Atlantis" is not a time zone of the IANA list' });
});
