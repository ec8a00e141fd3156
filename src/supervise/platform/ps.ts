/**
 * macOS and the BSDs: `ps`, which is a process of its own for each question. It shows the environment of this user's
 * processes after their command line, of those that the system protects not at all.
 */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { cookieName, daemonIdName } from '../process/environment.ts';
import { descendantsOf, nicenessBelow, setNiceness, signalGroup } from './common.ts';
import type { Marks, ProcessEntry, ProcessInfo, ProcessSystem } from './types.ts';

const columns = ['-o', 'pid=,ppid=,pgid=,stat=,lstart='];
/** Commands with their environments: of all processes, or of one. procps, with which this is tested, knows only the old style. */
function words(pid: number | null): readonly string[] {
  const asked = ['-o', 'pid=,command='];
  if (process.platform === 'linux') {
    return [pid === null ? 'axeww' : 'eww', ...(pid === null ? [] : [`p${pid}`]), ...asked];
  }
  const shown = process.platform === 'darwin' ? '-Eww' : '-eww';
  return [...(pid === null ? ['-ax'] : ['-p', String(pid)]), shown, ...asked];
}
const outputMaxBytes = 64 * 1024 * 1024;

export const posix: ProcessSystem = {
  info: (pid) => parsePs(ps(['-p', String(pid), ...columns]))[0] ?? null,
  all: () => parsePs(ps(['-ax', ...columns])),
  entriesNow: () => join(posix.all(), parseMarks(ps(words(null)))),
  async entries() {
    const [infos, marks] = await Promise.all([psLater(['-ax', ...columns]), psLater(words(null))]);
    return join(parsePs(infos), parseMarks(marks));
  },
  marks: (pid) => parseMarks(ps(words(pid))).get(pid) ?? null,
  descendants: (pid) => descendantsOf(pid, posix.all()),
  lower(pid, steps) {
    setNiceness(pid, nicenessBelow(steps));
    return true;
  },
  signalGroup,
};

function join(infos: readonly ProcessInfo[], marks: ReadonlyMap<number, Marks>): readonly ProcessEntry[] {
  return infos.map((info) => ({ ...info, ...(marks.get(info.pid) ?? { cookie: null, daemonId: null }), bare: false }));
}

export function parsePs(output: string): readonly ProcessInfo[] {
  return output.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line);
    const [, pid, parent, group, state, startTime] = match ?? [];
    if (pid === undefined || parent === undefined || group === undefined) {
      return [];
    }
    if (state === undefined || startTime === undefined) {
      return [];
    }
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        group: Number(group),
        startTime,
        zombie: state.startsWith('Z'),
        stopped: /^[Tt]/.test(state),
      },
    ];
  });
}

/** Only those that carry a mark. Arguments and variables look the same here: whoever was given a mark as an argument counts too. */
export function parseMarks(output: string): ReadonlyMap<number, Marks> {
  const found = new Map<number, Marks>();
  for (const line of output.split('\n')) {
    const [, pid, command = ''] = /^\s*(\d+)\s(.*)$/.exec(line) ?? [];
    const cookie = word(command, cookieName);
    const daemonId = word(command, daemonIdName);
    if (pid !== undefined && (cookie !== null || daemonId !== null)) {
      found.set(Number(pid), { cookie, daemonId });
    }
  }
  return found;
}

function word(command: string, name: string): string | null {
  return new RegExp(`(?:^|\\s)${name}=(\\S+)`).exec(command)?.[1] ?? null;
}

const psOptions = { encoding: 'utf8', maxBuffer: outputMaxBytes } as const;

function ps(args: readonly string[]): string {
  try {
    return execFileSync('ps', args, {
      ...psOptions,
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}

async function psLater(args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)('ps', args, { ...psOptions, env: { ...process.env, LC_ALL: 'C' } })).stdout;
  } catch {
    return '';
  }
}
