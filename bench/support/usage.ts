/** What a process has used so far, from /proc. */
import { readFileSync } from 'node:fs';

interface Usage {
  readonly cpuMs: number;
  /** Resident bytes. */
  readonly rss: number;
}

/** Ticks of 10 ms, as `getconf CLK_TCK` says on every Linux of today. */
export function usage(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * 10, rss: Number(rss) * 1024 };
}
