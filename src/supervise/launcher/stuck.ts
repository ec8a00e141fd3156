/** What is said of a process that does not go, or does not answer: which of its threads do what. */
import { threadsOf } from '../watchdog/thread-facts.ts';

export const stuckReport = (pid: number): string =>
  `signalbox: everything is closed, but process ${pid} does not go: ${busy(pid)}. It is ended by force.`;

/** The watchdog itself does not answer. */
export function silentReport(pid: number): string {
  const [main] = threadsOf(pid);
  const stopped = main?.state === 'T' ? `it is stopped (kill -CONT ${pid} resumes it)` : busy(pid);
  return `the watchdog of process ${pid} does not answer: ${stopped}`;
}

function busy(pid: number): string {
  const threads = threadsOf(pid).filter(({ waits, state }) => state !== 'Z' && !isIdle(waits));
  const named = threads.map(({ tid, name, state, waits }) => `${name} ${tid} (${state}, ${waits ?? 'running'})`);
  return named.length === 0 ? 'a thread in native code' : named.join(', ');
}

/** Waits that say nothing: a lock or a queue of work. */
const isIdle = (waits: string | null): boolean => waits !== null && /futex/.test(waits);
