/** What systems have in common. */
import type { ProcessInfo } from './types.ts';

/** By parent links within one list. */
export function descendantsOf(pid: number, all: readonly ProcessInfo[]): readonly ProcessInfo[] {
  const byParent = Map.groupBy(all, (info) => info.parent);
  const found = new Map<number, ProcessInfo>();
  const queue = [pid];
  for (let parent = queue.shift(); parent !== undefined; parent = queue.shift()) {
    for (const child of byParent.get(parent) ?? []) {
      if (child.pid === pid || found.has(child.pid)) continue;
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
