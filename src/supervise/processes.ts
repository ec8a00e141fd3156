/**
 * What the system knows of its processes: who is alive, in which group, since when, with which cookie.
 * Linux reads /proc; elsewhere `ps` is asked, which costs a process of its own and cannot show an environment.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cookieName } from './environment.ts';

export interface ProcessInfo {
  readonly pid: number;
  readonly group: number;
  /** Field 22 of /proc/PID/stat (clock ticks since boot) on Linux; `lstart` of ps elsewhere. */
  readonly startTime: string;
  /** Dead and not yet reaped: it runs nothing and holds nothing, so it counts as gone. */
  readonly zombie: boolean;
}

const onLinux = process.platform === 'linux';

/** The process, or null where there is none. */
export function processInfo(pid: number): ProcessInfo | null {
  if (!onLinux) return parsePs(ps(['-p', String(pid)]))[0] ?? null;
  const stat = readOrNull(`/proc/${pid}/stat`);
  return stat === null ? null : parseStat(pid, stat.toString('latin1'));
}

/** Living members of a process group. */
export function groupMembers(group: number): readonly ProcessInfo[] {
  return allProcesses().filter((info) => info.group === group && !info.zombie);
}

/**
 * Living processes that carry this cookie, the asking one left out.
 * Empty where environments cannot be read (other than Linux, or another user's process).
 */
export function processesWithCookie(cookie: string): readonly ProcessInfo[] {
  if (!onLinux) return [];
  return allProcesses().filter(
    (info) => !info.zombie && info.pid !== process.pid && hasCookie(info.pid, cookie) === true,
  );
}

/** Null: its environment cannot be read. */
export function hasCookie(pid: number, cookie: string): boolean | null {
  if (!onLinux) return null;
  const environment = readOrNull(`/proc/${pid}/environ`);
  if (environment === null || environment.length === 0) return null;
  return environment.toString('latin1').split('\0').includes(`${cookieName}=${cookie}`);
}

/** Signals a process (positive) or a group (negative). False: there is none, or it is not ours to signal. */
export function signal(target: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, name);
  } catch {
    return false;
  }
}

/** Whether a group has a living member. The cheap question first: the system's own answer counts zombies too. */
export function groupAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
  }
  return groupMembers(group).length > 0;
}

function allProcesses(): readonly ProcessInfo[] {
  if (!onLinux) return parsePs(ps(['-ax']));
  const found: ProcessInfo[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const info = processInfo(pid);
    if (info !== null) found.push(info);
  }
  return found;
}

/** The command name stands in parentheses and may itself hold spaces and parentheses: count from the last one. */
function parseStat(pid: number, stat: string): ProcessInfo | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, , group] = fields;
  const startTime = fields[19];
  if (state === undefined || group === undefined || startTime === undefined) return null;
  return { pid, group: Number(group), startTime, zombie: state === 'Z' || state === 'X' };
}

function ps(which: readonly string[]): string {
  try {
    return execFileSync('ps', [...which, '-o', 'pid=,pgid=,stat=,lstart='], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}

export function parsePs(output: string): readonly ProcessInfo[] {
  return output.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line);
    const [, pid, group, state, startTime] = match ?? [];
    if (pid === undefined || group === undefined || state === undefined || startTime === undefined) return [];
    return [{ pid: Number(pid), group: Number(group), startTime, zombie: state.startsWith('Z') }];
  });
}

function readOrNull(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}
