/**
 * Control groups of Linux (cgroups(7), both versions): what bounds processes and memory of an agent with all that it starts, where this
 * process may make groups.
 *
 *  control-groups/1 A group is removed when its agent has ended. One that a dead daemon left is removed by the next one; a group with a
 *                   process in it cannot be removed.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Of an agent with all that it starts. Null: as many as the system has. */
export interface Limits {
  /** Threads count, as everywhere in the kernel. */
  readonly processes: number | null;
  readonly memoryBytes: number | null;
}

type Controller = 'pids' | 'memory';

interface Place {
  readonly controllers: readonly Controller[];
  /** Groups are made in it. */
  readonly folder: string;
  readonly version: 1 | 2;
}

const controllers: readonly Controller[] = ['pids', 'memory'];
const namePrefix = 'signalbox-';
const files: { readonly [version in 1 | 2]: { readonly [C in Controller]: string } } = {
  1: { pids: 'pids.max', memory: 'memory.limit_in_bytes' },
  2: { pids: 'pids.max', memory: 'memory.max' },
};

const readOr = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Where groups can be made. `proc`: for tests. */
export function placesOf(proc = '/proc'): readonly Place[] {
  const mounts = readOr(`${proc}/mounts`)
    .split('\n')
    .map((line) => line.split(' '));
  const own = new Map(
    readOr(`${proc}/self/cgroup`)
      .split('\n')
      .flatMap((line) => {
        const [, names, path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
        return names?.split(',').map((name) => [name, path] as const) ?? [];
      }),
  );
  const first = controllers.flatMap((controller): readonly Place[] => {
    const mount = mounts.find(([, , type, how = '']) => type === 'cgroup' && how.split(',').includes(controller));
    const folder = join(mount?.[1] ?? '/nonexistent', own.get(controller) ?? '');
    return isFolder(folder) ? [{ controllers: [controller], folder, version: 1 }] : [];
  });
  const unified = mounts.find(([, , type]) => type === 'cgroup2')?.[1];
  if (first.length > 0 || unified === undefined) {
    return first;
  }
  const group = join(unified, own.get('') ?? '');
  // Below its own group, or beside it: a group with processes has no groups with limits below it, but for the first of all.
  const found = [group, dirname(group)].find((folder) => folder.startsWith(unified) && gives(folder));
  return found === undefined ? [] : [{ controllers, folder: found, version: 2 }];
}

/** Whether groups in it have limits; it is told to give them where it does not yet. */
function gives(folder: string): boolean {
  const has = (): boolean => {
    const given = readOr(join(folder, 'cgroup.subtree_control')).trim().split(' ');
    return controllers.every((controller) => given.includes(controller));
  };
  try {
    if (!has()) {
      writeFileSync(join(folder, 'cgroup.subtree_control'), '+pids +memory');
    }
  } catch {
    return false;
  }
  return has();
}

export interface MadeGroups {
  /** A process whose number is written there, and all that it starts from then on, are in the group. */
  readonly files: readonly string[];
  /** Once none of its processes is left. */
  remove(): void;
}

const wanted = (limits: Limits): { readonly [C in Controller]: number | null } => ({
  pids: limits.processes,
  memory: limits.memoryBytes,
});

/** Makes those that the limits need. Without rights, or where the kernel has no groups, there are none. */
export function makeGroups(name: string, limits: Limits, places = placesOf()): MadeGroups {
  const made: string[] = [];
  const remove = (): void => {
    for (const folder of made) {
      removeGroup(folder);
    }
  };
  for (const { controllers: inIt, folder, version } of places) {
    const set = inIt.filter((controller) => wanted(limits)[controller] !== null);
    if (set.length === 0) {
      continue;
    }
    const group = join(folder, `${namePrefix}${name}`);
    try {
      mkdirSync(group);
      made.push(group);
      for (const controller of set) {
        writeFileSync(join(group, files[version][controller]), String(wanted(limits)[controller]));
      }
    } catch {
      removeGroup(group);
    }
  }
  const kept = made.filter(isFolder);
  return { files: kept.map((group) => join(group, 'cgroup.procs')), remove };
}

function removeGroup(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It was never made, or a process is in it: the next daemon removes it.
  }
}

/** What limits are given here. */
export function limitsHere(places = placesOf()): { readonly processes: boolean; readonly memory: boolean } {
  const probe = makeGroups(`try-${process.pid}`, { processes: 1_000, memoryBytes: 2 ** 30 }, places);
  const given = probe.files.length;
  probe.remove();
  // A user namespace counts processes by itself, but never those of root.
  const isRoot = process.getuid?.() === 0;
  return { processes: given > 0 || !isRoot, memory: given === places.length && given > 0 };
}

/** What daemons left that are gone. */
export function removeLeftGroups(places = placesOf()): void {
  for (const { folder } of places) {
    for (const name of readdirSync(folder).filter((one) => one.startsWith(namePrefix))) {
      removeGroup(join(folder, name));
    }
  }
}
