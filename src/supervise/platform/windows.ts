/**
 * Windows: no process groups and no signals. A tree is ended by `taskkill`; processes are listed by PowerShell, which takes
 * about a second, so nothing on a path that somebody waits for asks it. Environments of others are not shown.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { descendantsOf, nicenessBelow, setNiceness } from './common.ts';
import type { ProcessEntry, ProcessInfo, ProcessSystem } from './types.ts';

const query =
  'Get-CimInstance Win32_Process | ForEach-Object { "$($_.ProcessId) $($_.ParentProcessId) $($_.CreationDate.ToFileTimeUtc())" }';
const powershell = ['-NoProfile', '-NonInteractive', '-Command', query] as const;
const options = { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, windowsHide: true } as const;

export const windows: ProcessSystem = {
  info: (pid) => windows.all().find((info) => info.pid === pid) ?? null,
  all: () => parseProcesses(now()),
  entriesNow: () => unmarked(windows.all()),
  entries: async () => unmarked(parseProcesses(await later())),
  marks: () => null,
  descendants: (pid) => descendantsOf(pid, windows.all()),
  lower(pid, steps) {
    // Node makes a priority class of it: below normal from 1 on, idle at 19.
    setNiceness(pid, nicenessBelow(steps));
    return true;
  },
  signalGroup(group, name) {
    const force = name === 'SIGKILL' ? ['/F'] : [];
    spawn('taskkill', ['/PID', String(group), '/T', ...force], { stdio: 'ignore', windowsHide: true })
      .on('error', () => {})
      .unref();
    return true;
  },
};

function unmarked(infos: readonly ProcessInfo[]): readonly ProcessEntry[] {
  return infos.map((info) => ({ ...info, cookie: null, node: null, bare: false }));
}

/** A parent link may name a pid that was given away since: it counts only if the parent is the older one. */
export function parseProcesses(output: string): readonly ProcessInfo[] {
  const rows = output.split('\n').flatMap((line) => {
    const [, pid, parent, startTime] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s*$/.exec(line) ?? [];
    if (pid === undefined || parent === undefined || startTime === undefined) {
      return [];
    }
    return [{ pid: Number(pid), parent: Number(parent), group: Number(pid), startTime, zombie: false }];
  });
  const since = new Map(rows.map((row) => [row.pid, BigInt(row.startTime)]));
  return rows.map((row) => {
    const parentSince = since.get(row.parent);
    return parentSince === undefined || parentSince > BigInt(row.startTime) ? { ...row, parent: 0 } : row;
  });
}

function now(): string {
  try {
    return execFileSync('powershell.exe', powershell, { ...options, stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}

async function later(): Promise<string> {
  try {
    return (await promisify(execFile)('powershell.exe', powershell, options)).stdout;
  } catch {
    return '';
  }
}
