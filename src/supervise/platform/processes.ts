/**
 * What the system knows of its processes: who is alive, in which group, whose child, since when, with which cookie.
 * `index.ts` chooses the operating system.
 */
import { system } from './index.ts';
import type { ProcessEntry, ProcessInfo } from './types.ts';

/** The process, or null where there is none. */
export function processInfo(pid: number): ProcessInfo | null {
  return system.info(pid);
}

/** Whether this very process lives: a zombie does not, and another one under its pid is another one. */
export function isAlive(process: Pick<ProcessInfo, 'pid' | 'startTime'>): boolean {
  const now = system.info(process.pid);
  return now !== null && !now.zombie && now.startTime === process.startTime;
}

/** Living members of a process group. */
export function groupMembers(group: number): readonly ProcessInfo[] {
  return system.all().filter((info) => info.group === group && !info.zombie);
}

/** Children, grandchildren and so on that live, by parent links as they are now. */
export function descendants(pid: number): readonly ProcessInfo[] {
  return system.descendants(pid).filter((info) => !info.zombie);
}

/** Every process with its marks, in one look that is not divided. */
export function processEntries(): readonly ProcessEntry[] {
  return system.entriesNow();
}

/**
 * Living processes that carry this cookie, the asking one left out.
 * Empty where environments cannot be read (`platformLacks`, or another user's process).
 */
export function processesWithCookie(cookie: string): readonly ProcessInfo[] {
  return system.entriesNow().filter((one) => !one.zombie && one.pid !== process.pid && one.cookie === cookie);
}

/** Null: its environment cannot be read. */
export function hasCookie(pid: number, cookie: string): boolean | null {
  const marks = system.marks(pid);
  return marks === null ? null : marks.cookie === cookie;
}

/** So many steps of niceness below ours, with all that it starts. False: try again, the system takes no more just now. */
export function lower(pid: number, steps: number): boolean {
  return system.lower(pid, steps);
}

/** Signals one process. False: there is none, or it is not ours to signal. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

export function signalGroup(group: number, name: NodeJS.Signals): boolean {
  return system.signalGroup(group, name);
}
