/** Finds processes by what they were started with. */
import { readFileSync, readdirSync } from 'node:fs';

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

/** Pids of living processes whose command line is exactly that; a zombie has none. */
export function running(line: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && commandLine(name) === line)
    .map(Number);
}
