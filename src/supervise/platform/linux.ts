/** Linux: /proc. Reading a file there is a call into the kernel, never a wait, so it is read synchronously. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { cookieName, daemonIdName } from '../process/environment.ts';
import { descendantsOf, nicenessBelow, setNiceness, signalGroup } from './common.ts';
import type { Marks, ProcessEntry, ProcessInfo, ProcessSystem } from './types.ts';

/** The loop gets a turn after so much of a look at all processes. */
const sliceMs = 2;

export const linux: ProcessSystem = {
  info(pid) {
    const stat = readOrNull(`/proc/${pid}/stat`);
    return stat === null ? null : parseStat(pid, stat.toString('latin1'));
  },
  all: () => pids().flatMap((pid) => linux.info(pid) ?? []),
  entriesNow: () => pids().flatMap((pid) => entry(pid) ?? []),
  async entries() {
    const found: ProcessEntry[] = [];
    let sliceEnd = performance.now() + sliceMs;
    for (const pid of pids()) {
      const one = entry(pid);
      if (one !== null) {
        found.push(one);
      }
      if (performance.now() < sliceEnd) {
        continue;
      }
      await setImmediate();
      sliceEnd = performance.now() + sliceMs;
    }
    return found;
  },
  marks(pid) {
    const environment = readOrNull(`/proc/${pid}/environ`);
    return environment === null || environment.length === 0 ? null : parseEnvironment(environment);
  },
  descendants(pid) {
    const found: ProcessInfo[] = [];
    const queue = children(pid);
    if (queue === null) {
      return descendantsOf(pid, linux.all());
    }
    for (let child = queue.shift(); child !== undefined; child = queue.shift()) {
      const info = linux.info(child);
      if (info === null || found.some((one) => one.pid === child)) {
        continue;
      }
      found.push(info);
      queue.push(...(children(child) ?? []));
    }
    return found;
  },
  lower(pid, steps) {
    const niceness = nicenessBelow(steps);
    // A number names a thread here: the first one before the others, for a thread that is made later has that of its maker.
    setNiceness(pid, niceness);
    for (const thread of list(`/proc/${pid}/task`)) {
      setNiceness(Number(thread), niceness);
    }
    return lowerGroup(pid, niceness);
  },
  signalGroup,
};

/**
 * Where the kernel shares the processor out by sessions of processes first (sched_autogroup_enabled, sched(7)), the niceness of
 * a process counts within its session only, and each agent begins one. Without rights the kernel takes ten such wishes a second.
 */
function lowerGroup(pid: number, niceness: number): boolean {
  if (readOrNull('/proc/sys/kernel/sched_autogroup_enabled')?.toString('latin1').trim() !== '1') {
    return true;
  }
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EAGAIN';
  }
}

/**
 * Children by the kernel's own list, which costs only as much as the family is large. Null: this kernel was built without
 * the list (CONFIG_PROC_CHILDREN). A process that has ended has none.
 */
function children(pid: number): number[] | null {
  const found: number[] = [];
  let shown = false;
  for (const thread of list(`/proc/${pid}/task`)) {
    const text = readOrNull(`/proc/${pid}/task/${thread}/children`);
    if (text === null) {
      continue;
    }
    shown = true;
    found.push(...text.toString('latin1').split(' ').filter(Boolean).map(Number));
  }
  return shown || linux.info(pid) === null ? found : null;
}

const unmarked = { cookie: null, daemonId: null };
/** Threads of the kernel are its children, and have no environment. */
const kernel = 2;

function entry(pid: number): ProcessEntry | null {
  const info = linux.info(pid);
  if (info === null) {
    return null;
  }
  // The dead have no environment any more.
  const environment = info.zombie ? null : readOrNull(`/proc/${pid}/environ`);
  if (environment === null || pid === kernel || info.parent === kernel) {
    return { ...info, ...unmarked, bare: false };
  }
  return { ...info, ...parseEnvironment(environment), bare: environment.length === 0 };
}

/** Youngest first: who forks and leaves again and again is the youngest, and is read before he is gone. */
function pids(): readonly number[] {
  return list('/proc').map(Number).filter(Number.isInteger).reverse();
}

/** The command name stands in parentheses and may itself hold spaces and parentheses: count from the last one. */
export function parseStat(pid: number, stat: string): ProcessInfo | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group] = fields;
  const startTime = fields[19];
  if (state === undefined || parent === undefined || group === undefined || startTime === undefined) {
    return null;
  }
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    startTime,
    zombie: state === 'Z' || state === 'X',
    stopped: state === 'T' || state === 't',
  };
}

function parseEnvironment(environment: Buffer): Marks {
  return { cookie: variable(environment, cookieName), daemonId: variable(environment, daemonIdName) };
}

function variable(environment: Buffer, name: string): string | null {
  const needle = `${name}=`;
  let at = environment.indexOf(needle);
  while (at > 0 && environment[at - 1] !== 0) {
    at = environment.indexOf(needle, at + 1);
  }
  if (at === -1) {
    return null;
  }
  const end = environment.indexOf(0, at);
  return environment.toString('utf8', at + needle.length, end === -1 ? environment.length : end);
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readOrNull(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}
