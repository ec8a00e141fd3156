/**
 * Which time of a schedule makes a task now, and which times are missed: pure, with the clock and the times from outside.
 *
 *  schedule-rules/1 At most one time makes a task, the last one that is due; every earlier one is missed, and counted.
 *  schedule-rules/2 The next time follows from the last one that was due, never from the clock: a late look loses none and doubles none.
 *  schedule-rules/3 A look costs at most the logarithm of the time for which nobody looked, and the times of one pattern of the expression.
 */
import type { NextTime } from './cron.ts';

export const missedPolicies = ['skip', 'once'] as const;
export type MissedPolicy = (typeof missedPolicies)[number];
export const overlapPolicies = ['skip', 'queue', 'replace'] as const;
export type OverlapPolicy = (typeof overlapPolicies)[number];

/** Later than this a time is missed: a daemon that was started again is not that late. */
export const onTimeMs = 60_000;
/** More missed times are not counted. */
export const missedCountMax = 100;

export interface ScheduleRules {
  /** What becomes of times that were missed: none is made up, or the last one. */
  readonly missed: MissedPolicy;
  /** How late it may be made up. */
  readonly graceMs: number;
  readonly overlap: OverlapPolicy;
  /** How long after each of its times the schedule is due. */
  readonly offsetMs: number;
}

export interface ScheduleMoment {
  /** Wall-clock ms. */
  readonly now: number;
  /** The first time that has made no task yet. */
  readonly nextAt: number;
  /** A task that an earlier time made has not ended. */
  readonly open: boolean;
}

export interface Missed {
  /** Times without a task; `missedCountMax`: so many or more. */
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

export interface Decision {
  /** The time that makes a task; null: none does. */
  readonly run: number | null;
  /** The time that makes none because an earlier task is open; null: it is not so. */
  readonly overlapped: number | null;
  readonly missed: Missed | null;
  /** Null: there is no further time. */
  readonly nextAt: number | null;
}

/** Null: none of its times is due. */
export function decide({ now, nextAt, open }: ScheduleMoment, rules: ScheduleRules, next: NextTime): Decision | null {
  const until = now - rules.offsetMs;
  if (nextAt > until) {
    return null;
  }
  const latest = lastTime(next, nextAt, until);
  const lateMs = until - latest;
  const counts = lateMs <= onTimeMs || (rules.missed === 'once' && lateMs <= rules.graceMs);
  const overlapped = counts && rules.overlap === 'skip' && open;
  return {
    run: counts && !overlapped ? latest : null,
    overlapped: overlapped ? latest : null,
    missed: missedOf(next, nextAt, latest, counts),
    nextAt: next(latest),
  };
}

/** The last time until then, of which `first` is one. */
function lastTime(next: NextTime, first: number, until: number): number {
  let [latest, spanMs] = [first, onTimeMs];
  while (until - spanMs > first) {
    const found = next(until - spanMs);
    if (found !== null && found <= until) {
      latest = found;
      break;
    }
    spanMs *= 2;
  }
  for (let time = next(latest); time !== null && time <= until; time = next(time)) {
    latest = time;
  }
  return latest;
}

/** From `first` to `latest`; that one only if it does not count. */
function missedOf(next: NextTime, first: number, latest: number, latestCounts: boolean): Missed | null {
  let [count, last] = [0, first];
  for (let time: number | null = first; time !== null && count < missedCountMax; time = next(time)) {
    if (time > latest || (time === latest && latestCounts)) {
      break;
    }
    count += 1;
    last = time;
  }
  return count === 0 ? null : { count, first, last: count === missedCountMax ? latest : last };
}

/** Spreads schedules of one time, each always by the same. From 0 to below `jitterMs`, by the id alone (FNV-1a, 32 bits). */
export function offsetOf(id: string, jitterMs: number): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(id)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return jitterMs === 0 ? 0 : hash % jitterMs;
}

/** One task of a schedule for each of its times, however often it is asked for. */
export const taskKeyOf = (id: string, time: number): string => `schedule:${id}:${new Date(time).toISOString()}`;
