/** Processes of a setup, found by the home in their environment: Linux only. */
import { readFileSync, readdirSync } from 'node:fs';

interface Found {
  readonly pid: number;
  readonly parent: number;
  /** Its own group's number; its pid where it leads one. */
  readonly group: number;
  /** What it was started as. */
  readonly command: string;
  /** Whether Signalbox started it, or one that Signalbox started. */
  readonly ofAgent: boolean;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Gone, or not ours to read.
    return '';
  }
}

/** Those that live; a zombie's environment is empty. */
export function processesOf(home: string): readonly Found[] {
  if (process.platform !== 'linux') {
    return [];
  }
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) {
      return [];
    }
    const environment = textOf(`/proc/${name}/environ`).split('\0');
    if (!environment.includes(`HOME=${home}`)) {
      return [];
    }
    const stat = textOf(`/proc/${name}/stat`);
    // Behind the name in brackets, which may hold anything: state, parent, group.
    const [, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = textOf(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim();
    const ofAgent = environment.some((one) => one.startsWith('SIGNALBOX_COOKIE='));
    return [{ pid: Number(name), parent: Number(parent), group: Number(group), command, ofAgent }];
  });
}
