/** What the system says of the threads of a process. Linux tells it in /proc; elsewhere there is nothing to read, and it is so said. */
import { readdirSync, readFileSync } from 'node:fs';
import type { ThreadFacts } from './report.ts';

const threadsMax = 64;
/** Clock ticks per second as Linux reports them to programs (USER_HZ): 100 on every architecture Node runs on. */
const msPerTick = 10;

/** The first one is the main thread. Empty where the system does not tell. */
export function threadsOf(pid: number): readonly ThreadFacts[] {
  const folder = `/proc/${pid}/task`;
  try {
    return readdirSync(folder)
      .map(Number)
      .sort((one, other) => (one === pid ? -1 : other === pid ? 1 : one - other))
      .slice(0, threadsMax)
      .flatMap((tid) => threadOf(`${folder}/${tid}`, tid));
  } catch {
    return [];
  }
}

function threadOf(folder: string, tid: number): readonly ThreadFacts[] {
  const stat = readOr(`${folder}/stat`);
  if (stat === '') {
    return [];
  }
  // The name stands in parentheses and may itself hold some.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const cpuTicks = Number(fields[11]) + Number(fields[12]);
  const waits = readOr(`${folder}/wchan`);
  const call = /^\d+/.exec(readOr(`${folder}/syscall`))?.[0];
  return [
    {
      tid,
      name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')),
      state: fields[0] ?? '?',
      waits: waits === '' || waits === '0' ? null : waits,
      call: call === undefined ? null : Number(call),
      cpuMs: cpuTicks * msPerTick,
    },
  ];
}

/** The thread of this process whose name begins so; null: there is none, or the system does not tell. */
export function threadNamed(beginning: string): number | null {
  const folder = `/proc/${process.pid}/task`;
  try {
    const tid = readdirSync(folder).find((one) => readOr(`${folder}/${one}/comm`).startsWith(beginning));
    return tid === undefined ? null : Number(tid);
  } catch {
    return null;
  }
}

/** Bubblewrap, and the first process of its pid namespace. */
const sandboxProcesses = 2;

/** The process that does the work: of an agent in a sandbox the program, not the processes that wait around it. */
export function workerOf(pid: number): number {
  let worker = pid;
  for (let depth = 0; depth < sandboxProcesses && readOr(`/proc/${worker}/comm`) === 'bwrap'; depth += 1) {
    const [child] = readOr(`/proc/${worker}/task/${worker}/children`).split(' ');
    if (child === undefined || child === '') {
      return worker;
    }
    worker = Number(child);
  }
  return worker;
}

/**
 * CPU that the threads of a process, or one of them, have used, and would have used had they got it, in milliseconds: on a machine that is
 * busy with others a thread that never rests gets a part of a core only, and waits for the rest. Null: there is no such
 * process, or the system does not tell.
 */
export function demandMsOf(pid: number, thread: number | null = null): number | null {
  let sum = 0;
  try {
    for (const tid of thread === null ? readdirSync(`/proc/${pid}/task`) : [thread]) {
      // Nanoseconds on a processor, and nanoseconds in the queue for one.
      const [ran, waited] = readOr(`/proc/${pid}/task/${tid}/schedstat`).split(' ').map(Number);
      if (ran === undefined || waited === undefined) {
        return thread === null ? cpuMsOf(pid) : null;
      }
      sum += (ran + waited) / 1e6;
    }
  } catch {
    return null;
  }
  return sum;
}

/** What the main thread has got of a processor, in milliseconds; null: not told. */
export function mainRanMsOf(pid: number): number | null {
  const ran = readOr(`/proc/${pid}/task/${pid}/schedstat`).split(' ')[0] ?? '';
  return ran === '' ? null : Number(ran) / 1e6;
}

/** Of kernels that keep no such figures. */
function cpuMsOf(pid: number): number | null {
  const stat = readOr(`/proc/${pid}/stat`);
  if (stat === '') {
    return null;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * msPerTick;
}

/** The main thread waits in the kernel, and not for a lock: it is in native code for certain, and not short of CPU. */
export function isInKernel([main]: readonly ThreadFacts[]): boolean {
  return main !== undefined && main.waits !== null && !main.waits.includes('futex');
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
}
