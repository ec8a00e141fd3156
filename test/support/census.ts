/**
 * What this process holds: descriptors, threads, children, handles, listeners and memory; and what of it was not there before.
 *
 * Taken before and after something that must leave nothing. What is counted is what the system says, not what we believe.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { collectGarbage } from '../../bench/support/garbage.ts';
import { descendants, pendingWaits, pause, processEntries, realTimers } from '../../src/supervise/index.ts';

/** How many of each kind. */
export type Tally = Readonly<{ [kind: string]: number }>;

export interface Census {
  /** Of /proc/self/fd, by what they are: `socket`, `pipe`, `anon_inode:[eventpoll]`, a path. Empty without /proc. */
  readonly descriptors: Tally;
  readonly threads: number;
  /** Living descendants of this process, wherever they went; and whoever carries the daemon's cookie. */
  readonly processes: readonly number[];
  /** Timers, pipes, servers and whatever else keeps a loop alive. */
  readonly handles: Tally;
  /** Listeners of `process`, by event. */
  readonly listeners: Tally;
  /** Waits that stand in the list of parked work. */
  readonly parked: number;
  /** After a collection. */
  readonly heapBytes: number;
  readonly rssBytes: number;
}

interface Slack {
  readonly heapBytes: number;
  readonly rssBytes: number;
}

/** Looks at what has ended, until it is let go of: finalisers and the allocator take their time. */
const settleLooks = 40;
const settleMs = 25;

/** `node`: the cookie that everything counted carries, next to the descendants. */
export async function takeCensus(node: string | null = null): Promise<Census> {
  // What has ended is let go of in the turns after: closed handles, reaped children, finalised objects.
  for (let turn = 0; turn < 5; turn += 1) {
    await setImmediate();
  }
  collectGarbage();
  await setImmediate();
  collectGarbage();
  const carriers = processEntries().filter((entry) => node !== null && entry.daemonId === node && !entry.zombie);
  const processes = new Set([...descendants(process.pid), ...carriers].map(({ pid }) => pid));
  processes.delete(process.pid);
  return {
    descriptors: tally(list('/proc/self/fd').map((fd) => kindOf(fd))),
    threads: list('/proc/self/task').length,
    processes: [...processes],
    handles: tally(process.getActiveResourcesInfo()),
    listeners: Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)])),
    parked: pendingWaits.size,
    heapBytes: process.memoryUsage().heapUsed,
    rssBytes: process.memoryUsage.rss(),
  };
}

/** A census to compare with: taken when the heap shrinks no more. */
export async function quietCensus(node: string | null): Promise<Census> {
  let census = await takeCensus(node);
  for (let looks = 1; looks < settleLooks; looks += 1) {
    await pause(realTimers, settleMs);
    const next = await takeCensus(node);
    const shrunk = census.heapBytes - next.heapBytes;
    census = next;
    if (shrunk < 16 * 1024) {
      break;
    }
  }
  return census;
}

/** A census as soon as it shows nothing that was not there before; at the latest after a second. */
export async function settledCensus(before: Census, node: string | null, slack: Slack): Promise<Census> {
  let census = await takeCensus(node);
  for (let looks = 1; looks < settleLooks && leftBehind(before, census, slack).length > 0; looks += 1) {
    await pause(realTimers, settleMs);
    census = await takeCensus(node);
  }
  return census;
}

/** What is there that was not there before, in words; empty: nothing was left behind. */
export function leftBehind(before: Census, after: Census, slack: Slack): readonly string[] {
  const found = [
    ...grown('descriptor', before.descriptors, after.descriptors),
    ...grown('handle', before.handles, after.handles),
    ...grown('listener', before.listeners, after.listeners),
  ];
  if (after.threads > before.threads) {
    found.push(`threads: ${before.threads} before, ${after.threads} after`);
  }
  if (after.parked > before.parked) {
    found.push(`parked work: ${before.parked} before, ${after.parked} after`);
  }
  const processes = after.processes.filter((pid) => !before.processes.includes(pid));
  if (processes.length > 0) {
    found.push(`processes: ${processes.join(', ')}`);
  }
  for (const what of ['heapBytes', 'rssBytes'] as const) {
    const more = after[what] - before[what];
    if (more > slack[what]) {
      found.push(`${what}: ${kib(more)} KiB more; ${kib(slack[what])} are allowed`);
    }
  }
  return found;
}

const kib = (bytes: number): number => Math.round(bytes / 1024);

function grown(what: string, before: Tally, after: Tally): string[] {
  return Object.entries(after).flatMap(([kind, count]) => {
    const more = count - (before[kind] ?? 0);
    return more > 0 ? [`${what} ${kind}: ${more} more`] : [];
  });
}

function tally(kinds: readonly (string | null)[]): Tally {
  const counts: { [kind: string]: number } = {};
  for (const kind of kinds) {
    if (kind !== null) {
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
  }
  return counts;
}

/** Null: it was open only while the folder was read. */
function kindOf(fd: string): string | null {
  try {
    const target = readlinkSync(`/proc/self/fd/${fd}`);
    if (/^\/proc\/\d+\/fd$/.test(target)) {
      return null;
    }
    return /^(?:socket|pipe):/.exec(target)?.[0].slice(0, -1) ?? target;
  } catch {
    return null;
  }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
