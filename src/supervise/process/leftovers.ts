/** Ends what a dead daemon left behind, and never a stranger that was given the same pid since. */
import type { KillTreeOptions, KillTreeReport } from './kill-tree.ts';
import { killTree, killTreeNow } from './kill-tree.ts';
import { hasCookie, processInfo } from '../platform/processes.ts';

/** As recorded before the process's first prompt; a row of the store fits. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
  readonly cookie: string;
}

interface LeftoverReport extends KillTreeReport {
  /** What was found under the recorded pid. `stranger`: somebody else's process, which was left alone. */
  readonly leader: 'ended' | 'gone' | 'stranger' | 'left';
}

type EndLeftoverOptions = KillTreeOptions;

/**
 * Kills a recorded agent with its process group, every process that carries its cookie, and their descendants, and waits
 * until they are gone. The daemon that owned them is dead, so nothing is asked politely: the lifeline has told them already.
 * However many rows are ended at the same time, they share one look at the system's processes.
 *
 * The pid is trusted only with its start time; the group is signalled only while its leader is the recorded one, because
 * the number of a group is not given away while a member lives, but may be once all are gone. Members that outlive
 * their leader are found by the cookie.
 */
export async function endLeftover(row: ProcessIdentity, options: EndLeftoverOptions = {}): Promise<LeftoverReport> {
  const found = recognise(row);
  const group = found === 'ours' ? { group: { id: row.pid, leaderSince: row.startTime } } : {};
  const exclude = found === 'stranger' ? { exclude: [row.pid] } : {};
  const { ended, left } = await killTree({ cookie: row.cookie, ...group, ...exclude }, options);
  return { leader: leaderNow(found, row.pid, ended, left), ended, left };
}

interface EndDaemonOptions extends KillTreeOptions {
  /** Pids that are left alone. */
  readonly exclude?: readonly number[];
}

/**
 * Kills everything that carries a daemon's id, and its descendants, and waits until they are gone: also the daemon, if
 * it lives and is not excluded. For the launcher, once the daemon has ended, however it did. Never the caller or an ancestor.
 */
export function endDaemonProcesses(
  daemonId: string,
  { exclude = [], ...options }: EndDaemonOptions = {},
): Promise<KillTreeReport> {
  return killTree({ daemonId, exclude }, options);
}

/** The same in one synchronous pass that waits for nothing: for an exit in a hurry. Answers whom it signalled. */
export function killDaemonProcessesNow(daemonId: string): readonly number[] {
  return killTreeNow({ daemonId });
}

function recognise(row: ProcessIdentity): 'ours' | 'gone' | 'stranger' {
  const info = processInfo(row.pid);
  if (info === null) {
    return 'gone';
  }
  if (info.startTime !== row.startTime) {
    return 'stranger';
  }
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
  if (found === 'stranger') {
    return 'stranger';
  }
  if (left.includes(pid)) {
    return 'left';
  }
  return ended.includes(pid) ? 'ended' : 'gone';
}
