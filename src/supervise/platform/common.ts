/** What systems have in common. */
import { getPriority, setPriority } from 'node:os';
import type { ProcessInfo } from './types.ts';

/** By parent links within one list. */
export function descendantsOf(pid: number, all: readonly ProcessInfo[]): readonly ProcessInfo[] {
  const byParent = Map.groupBy(all, (info) => info.parent);
  const found = new Map<number, ProcessInfo>();
  const queue = [pid];
  for (let parent = queue.shift(); parent !== undefined; parent = queue.shift()) {
    for (const child of byParent.get(parent) ?? []) {
      if (child.pid === pid || found.has(child.pid)) {
        continue;
      }
      found.set(child.pid, child);
      queue.push(child.pid);
    }
  }
  return [...found.values()];
}

/** By the system call: atomic towards members that fork meanwhile. */
export function signalGroup(group: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(-group, name);
  } catch {
    return false;
  }
}

/** The lowest claim that a process can have. */
const nicest = 19;

export const nicenessBelow = (steps: number): number => Math.min(nicest, getPriority() + steps);

/** Where a process is asked to be nicer than it is no rights are needed; it may have ended. */
export function setNiceness(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness);
  } catch {
    // It has ended, or belongs to somebody else by now.
  }
}
