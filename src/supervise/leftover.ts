/** Ends what a dead daemon left behind, and never a stranger that was given the same pid since. */
import type { ProcessInfo } from './processes.ts';
import { groupAlive, groupMembers, hasCookie, processesWithCookie, processInfo, signal } from './processes.ts';
import type { Timers } from './timers.ts';
import { pause, realTimers } from './timers.ts';

/** As recorded before the process's first prompt; a row of the store fits. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
  readonly cookie: string;
}

export interface LeftoverReport {
  /** What was found under the recorded pid. `stranger`: somebody else's process, which was left alone. */
  readonly leader: 'ended' | 'gone' | 'stranger' | 'left';
  /** Processes that were signalled and are gone. */
  readonly ended: readonly number[];
  /** Processes that outlived the deadline, for the operator. */
  readonly left: readonly number[];
}

export interface EndLeftoverOptions {
  readonly timers?: Timers;
  /** How long to wait for what was killed to go. Default 5,000. */
  readonly deadlineMs?: number;
}

const pollMs = 5;

/**
 * Kills the process group of a recorded agent with SIGKILL and waits until it is gone; then the same for every process
 * that carries the agent's cookie, wherever it went. The daemon that owned them is dead, so nothing is asked politely:
 * the lifeline has told them already.
 *
 * The pid is trusted only with its start time; the group is signalled only while its leader is the recorded one, because
 * the number of a group is not given away while a member lives, but may be once all are gone. Members that outlive
 * their leader are found by the cookie.
 */
export async function endLeftover(row: ProcessIdentity, options: EndLeftoverOptions = {}): Promise<LeftoverReport> {
  const timers = options.timers ?? realTimers;
  const found = recognise(row);
  const hunted = new Map<number, ProcessInfo>();
  let expired = false;
  const cancel = timers.set(options.deadlineMs ?? 5_000, () => {
    expired = true;
  });
  try {
    if (found === 'ours') {
      for (const member of groupMembers(row.pid)) hunted.set(member.pid, member);
      signal(-row.pid, 'SIGKILL');
      while (groupAlive(row.pid) && !expired) {
        signal(-row.pid, 'SIGKILL');
        await pause(timers, pollMs);
      }
    }
    // Again and again, since a process may fork between the look and the signal.
    for (let escaped = processesWithCookie(row.cookie); escaped.length > 0 && !expired;) {
      for (const info of escaped) {
        hunted.set(info.pid, info);
        signal(info.pid, 'SIGKILL');
      }
      await pause(timers, pollMs);
      escaped = processesWithCookie(row.cookie);
    }
  } finally {
    cancel();
  }
  const left = [...hunted.values()].filter(isAlive).map((info) => info.pid);
  const ended = [...hunted.keys()].filter((pid) => !left.includes(pid));
  return { leader: leaderNow(found, row.pid, ended, left), ended, left };
}

function recognise(row: ProcessIdentity): 'ours' | 'gone' | 'stranger' {
  const info = processInfo(row.pid);
  if (info === null) return 'gone';
  if (info.startTime !== row.startTime) return 'stranger';
  // Ticks count from boot: after a reboot a stranger may have pid and ticks in common, but not the cookie.
  return hasCookie(row.pid, row.cookie) === false ? 'stranger' : 'ours';
}

/** A zombie is ours too, and pins its group's number, but was not there to be ended. */
function leaderNow(
  found: 'ours' | 'gone' | 'stranger',
  pid: number,
  ended: readonly number[],
  left: readonly number[],
): LeftoverReport['leader'] {
  if (found === 'stranger') return 'stranger';
  if (left.includes(pid)) return 'left';
  return ended.includes(pid) ? 'ended' : 'gone';
}

function isAlive(info: ProcessInfo): boolean {
  const now = processInfo(info.pid);
  return now !== null && !now.zombie && now.startTime === info.startTime;
}
