/**
 * The times of a cron expression in a time zone. `croner` computes them, and is loaded with the first schedule; its timers are not used.
 *
 *  cron/1 Equal arguments give equal times: no clock is read.
 *  cron/2 A time that the clocks skip (daylight saving) is moved to the first moment after the gap, and runs once. Of a time that comes twice the
 *         first counts; an expression with a wildcard or a step in its hours or minutes has both.
 *  cron/3 An expression that has no time, now or ever, is refused when it is read.
 */

/** The next time after `after`, both wall-clock ms; null: there is none. */
export type NextTime = (after: number) => number | null;

export type CronRead =
  | { readonly ok: true; readonly next: NextTime }
  /** `part`: which of the two is wrong. `problem`: one clause, for a person. */
  | { readonly ok: false; readonly part: 'cron' | 'zone'; readonly problem: string };

/** `after`: it must have a time after this, wall-clock ms. */
export type ReadCron = (cron: string, zone: string, after: number) => CronRead;

const nicknames = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

export async function loadCron(): Promise<ReadCron> {
  const { Cron } = await import('croner');
  return (cron, zone, after) => {
    // The library also takes dates, seconds and years.
    if (!nicknames.includes(cron) && cron.trim().split(/\s+/).length !== 5) {
      const forms = `five fields (minute, hour, day, month, weekday) or ${nicknames.join(', ')}`;
      return {
        ok: false,
        part: 'cron',
        problem: `${JSON.stringify(cron)} is not a cron expression: it needs ${forms}`,
      };
    }
    if (!isZone(zone)) {
      return { ok: false, part: 'zone', problem: `${JSON.stringify(zone)} is not a time zone of the IANA list` };
    }
    try {
      const times = new Cron(cron, { paused: true, mode: '5-part', timezone: zone });
      const next: NextTime = (moment) => times.nextRun(new Date(moment))?.getTime() ?? null;
      return next(after) === null
        ? { ok: false, part: 'cron', problem: `${JSON.stringify(cron)} never has a time` }
        : { ok: true, next };
    } catch (error) {
      return {
        ok: false,
        part: 'cron',
        problem: `${JSON.stringify(cron)} is not a cron expression: ${reasonOf(error)}`,
      };
    }
  };
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

const reasonOf = (error: unknown): string => {
  const text = error instanceof Error ? error.message.replace(/^\w+: /, '') : String(error);
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
};

/** The first times after a moment, at most `count`. */
export function timesAfter(next: NextTime, after: number, count: number): readonly number[] {
  const times: number[] = [];
  for (let time = next(after); time !== null && times.length < count; time = next(time)) {
    times.push(time);
  }
  return times;
}
