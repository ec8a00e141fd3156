/**
 * Driver for vetted JavaScript in a worker thread: a module with a function of the same signature as `functionDriver` takes. It
 * cannot block the daemon's loop, and it can be ended in the middle of a loop. But it shares the daemon's memory and rights: code
 * without a review belongs in a process.
 */
import { pathToFileURL } from 'node:url';
import type { AgentDriver } from '../port.ts';
import { WorkerAgent } from './agent.ts';
import type { AbandonedThread, WorkerDriverOptions } from './options.ts';

export type { AbandonedThread, WorkerDriverOptions };

export interface WorkerDriver extends AgentDriver {
  /** Threads that were abandoned and have not ended since. */
  readonly abandoned: readonly AbandonedThread[];
}

export function workerDriver(options: WorkerDriverOptions): WorkerDriver {
  const abandoned = new Set<AbandonedThread>();
  const name = options.name ?? 'worker';
  const module = /^(?:file|data|node):/.test(options.module) ? options.module : pathToFileURL(options.module).href;
  return {
    name,
    provider: options.provider ?? name,
    needsFolder: false,
    start: (start) => new WorkerAgent({ ...options, module, name }, abandoned, start),
    get abandoned() {
      return [...abandoned];
    },
  };
}
