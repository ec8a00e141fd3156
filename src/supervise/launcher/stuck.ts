/** What is said of a process that has closed everything and does not go: which of its threads keep it. */
import { threadsOf } from '../watch/threads.ts';

export function stuckReport(pid: number): string {
  const busy = threadsOf(pid).filter(({ waits, state }) => state !== 'Z' && !isIdle(waits));
  const threads = busy.map(({ tid, name, state, waits }) => `${name} ${tid} (${state}, ${waits ?? 'running'})`);
  const who = threads.length === 0 ? 'a thread in native code' : threads.join(', ');
  return `signalbox: everything is closed, but process ${pid} does not go: ${who}. It is ended by force.`;
}

/** Waits that say nothing: a lock or a queue of work. */
const isIdle = (waits: string | null): boolean => waits !== null && /futex/.test(waits);
