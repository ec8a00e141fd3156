/**
 * The lifeline of a process of ours: a thread that ends it, with its group, when its parent is gone, also while its main loop
 * is blocked and reads no end of any pipe.
 *
 * It looks at the parent's pid, which the system changes when the parent dies: that needs no descriptor, which a child could
 * inherit and hold open. A thread costs some 30 ms and 15 MiB, so a process asks for it before it does what may block.
 */
import { Worker } from 'node:worker_threads';

const threadFile = new URL(
  import.meta.url.endsWith('.ts') ? './lifeline-thread.ts' : './lifeline-thread.js',
  import.meta.url,
);

let held: Promise<void> | null = null;

/** Resolves when the thread watches; a second call is the first one's. */
export function holdLifeline(parent: number = process.ppid): Promise<void> {
  held ??= new Promise((resolve, reject) => {
    const thread = new Worker(threadFile, { workerData: { parent }, name: 'signalbox-lifeline', execArgv: [] });
    thread.unref();
    thread.once('message', () => resolve());
    thread.once('error', reject);
  });
  return held;
}
