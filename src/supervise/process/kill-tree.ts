/**
 * Finds the processes of an agent or a daemon, wherever they went, and ends them with SIGKILL.
 *
 * Who belongs: whoever carries one of the marks, is a member of the group, or was seen as a descendant before; and all their
 * descendants, since a child may have cleared its environment. Never the asking process, its ancestors, nor a process that the selector excludes.
 * Invariants:
 *  kill-tree/1 Right before each signal pid and start time are compared with the system once more, for a group those of its
 *              leader. What remains is the time between two system calls; a pid is not given away again within that.
 *  kill-tree/2 A group whose living members are all found is signalled as a whole: the system call is atomic, so nobody
 *              slips out of it by forking, even if he who was seen has gone since.
 *  kill-tree/3 It ends: when a look finds nobody, at the deadline, or when all that is left refuses our signals. A look
 *              that saw somebody who was just becoming another program proves nothing, and is repeated.
 */
import type { ProcessScanner } from './scanner.ts';
import { systemScanner } from './scanner.ts';
import { system } from '../platform/index.ts';
import type { ProcessEntry, ProcessInfo } from '../platform/types.ts';
import type { Timers } from '../timers.ts';
import { pause, realTimers } from '../timers.ts';
import { signal, signalGroup } from '../platform/processes.ts';

export interface Selector {
  readonly cookie?: string;
  readonly daemonId?: string;
  /** A group whose leader began at this time; once the leader is gone, whoever is left in it. */
  readonly group?: { readonly id: number; readonly leaderSince: string };
  /** Seen before, as descendants: pid and start time. */
  readonly known?: ReadonlyMap<number, string>;
  /** Pids that are left alone; their descendants are not. */
  readonly exclude?: readonly number[];
}

export interface KillTreeOptions {
  readonly timers?: Timers;
  readonly scanner?: ProcessScanner;
  /** Default 5,000. */
  readonly deadlineMs?: number;
}

export interface KillTreeReport {
  /** Processes that were found alive and are gone. */
  readonly ended: readonly number[];
  /** Processes that outlived the deadline, or are not ours to signal: for the operator. */
  readonly left: readonly number[];
}

/** Waits between looks; the last one is repeated. */
const lookAgainMs: readonly number[] = [1, 2, 5, 10, 20, 50];

/** So often a look is repeated because of somebody who may belong. */
const looksInDoubt = 5;
/** In clock ticks of 10 ms, field 22 of /proc/PID/stat: who is older than this is no new program. */
const youthTicks = 100;

export async function killTree(selector: Selector, options: KillTreeOptions = {}): Promise<KillTreeReport> {
  const { timers = realTimers, scanner = systemScanner, deadlineMs = 5_000 } = options;
  const found = new Set<number>();
  const bare = new Set<string>();
  let expired = false;
  const cancel = timers.set(deadlineMs, () => {
    expired = true;
  });
  try {
    for (let looks = 0; ; looks += 1) {
      const entries = await scanner.look();
      const alive = belonging(selector, entries);
      for (const { pid } of alive) {
        found.add(pid);
      }
      const signalled = signalFound(alive, entries, 'SIGKILL');
      const unsure = alive.length === 0 && newlyBare(entries, bare) && looks < looksInDoubt;
      if (expired || (signalled === 0 && !unsure)) {
        return report(found, alive);
      }
      await pause(timers, lookAgainMs[looks] ?? lookAgainMs.at(-1) ?? 50);
    }
  } finally {
    cancel();
  }
}

/** One look and one signal, without waiting: for an exit that waits for nobody. Answers whom it signalled. */
export function killTreeNow(selector: Selector): readonly number[] {
  const entries = system.entriesNow();
  const alive = belonging(selector, entries);
  signalFound(alive, entries, 'SIGKILL');
  return alive.map(({ pid }) => pid);
}

/** Who of `entries` belongs and lives, by the rule above. */
export function belonging(selector: Selector, entries: readonly ProcessEntry[]): readonly ProcessInfo[] {
  const byPid = new Map(entries.map((entry) => [entry.pid, entry]));
  const above = ancestors(byPid);
  const excluded = new Set([...above, process.pid, ...(selector.exclude ?? [])]);
  const found = new Map<number, ProcessEntry>();
  const queue = entries.filter((entry) => !above.has(entry.pid) && isSeed(selector, entry, byPid));
  const byParent = Map.groupBy(entries, (entry) => entry.parent);
  for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
    if (entry.zombie || found.has(entry.pid)) {
      continue;
    }
    found.set(entry.pid, entry);
    for (const child of byParent.get(entry.pid) ?? []) {
      if (!isOlder(child, entry)) {
        queue.push(child);
      }
    }
  }
  return [...found.values()].filter((entry) => !excluded.has(entry.pid));
}

function isSeed(selector: Selector, entry: ProcessEntry, byPid: ReadonlyMap<number, ProcessEntry>): boolean {
  const { cookie, daemonId, group, known } = selector;
  if (cookie !== undefined && entry.cookie === cookie) {
    return true;
  }
  if (daemonId !== undefined && entry.daemonId === daemonId) {
    return true;
  }
  if (known?.get(entry.pid) === entry.startTime) {
    return true;
  }
  if (group === undefined || entry.group !== group.id) {
    return false;
  }
  // The number of a group is not given away while it has a member; a leader with another start time has made a new one.
  const leader = byPid.get(group.id);
  return leader === undefined || leader.startTime === group.leaderSince;
}

/** Whether somebody young has no environment who had not been seen so before; they are noted. */
export function newlyBare(entries: readonly ProcessEntry[], seen: Set<string>): boolean {
  const youngest = entries.reduce((most, { startTime }) => Math.max(most, Number(startTime)), 0);
  const before = seen.size;
  for (const { bare, pid, startTime } of entries) {
    if (bare && Number(startTime) >= youngest - youthTicks) {
      seen.add(`${pid} ${startTime}`);
    }
  }
  return seen.size > before;
}

/** A link to a pid that was given away while the list was made: nobody is older than his parent. Ticks only. */
function isOlder(child: ProcessInfo, parent: ProcessInfo): boolean {
  return Number(child.startTime) < Number(parent.startTime);
}

function ancestors(byPid: ReadonlyMap<number, ProcessEntry>): ReadonlySet<number> {
  const found = new Set<number>();
  let parent = byPid.get(process.pid)?.parent ?? process.ppid;
  while (parent > 0 && !found.has(parent)) {
    found.add(parent);
    parent = byPid.get(parent)?.parent ?? 0;
  }
  return found;
}

/** Answers how many took the signal, or needed none any more. */
export function signalFound(
  alive: readonly ProcessInfo[],
  entries: readonly ProcessInfo[],
  name: 'SIGKILL' | 'SIGSTOP',
): number {
  const living = entries.filter((entry) => !entry.zombie);
  const byGroup = Map.groupBy(living, (entry) => entry.group);
  const ours = new Set(alive.map(({ pid }) => pid));
  const signalled = new Set<number>();
  for (const group of new Set(alive.map((target) => target.group))) {
    const members = byGroup.get(group) ?? [];
    const whole = members.every(({ pid }) => ours.has(pid)) && isSameGroup(group, entries);
    if (whole && signalGroup(group, name)) {
      for (const { pid } of members) {
        signalled.add(pid);
      }
    }
  }
  // Each one also by himself: he may have left his group since he was seen.
  for (const target of alive) {
    if (signalOne(target, name)) {
      signalled.add(target.pid);
    }
  }
  return signalled.size;
}

/**
 * Whether the number still means the group that was seen. Its leader must be the one that was seen, or be gone: while a
 * member lives the number is given to nobody else, and it takes a whole round of pids until it is given away again.
 */
function isSameGroup(group: number, seen: readonly ProcessInfo[]): boolean {
  const leader = system.info(group);
  return leader === null || seen.some((one) => one.pid === group && one.startTime === leader.startTime);
}

/** Only the very process that was seen. True as well: it is gone. */
export function signalOne(target: ProcessInfo, name: NodeJS.Signals): boolean {
  const now = system.info(target.pid);
  if (now === null || now.zombie || now.startTime !== target.startTime) {
    return true;
  }
  return signal(target.pid, name);
}

function report(found: ReadonlySet<number>, alive: readonly ProcessInfo[]): KillTreeReport {
  const left = alive.map(({ pid }) => pid);
  return { ended: [...found].filter((pid) => !left.includes(pid)), left };
}
