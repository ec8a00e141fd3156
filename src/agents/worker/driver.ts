/**
 * Driver for vetted JavaScript in a thread of its own: a module with a function of the same signature as `functionDriver` takes. It
 * cannot block the daemon's loop, and it can be ended in the middle of a loop; it shares the daemon's memory and rights all
 * the same, so code that nobody has read belongs into a process.
 */
import { pathToFileURL } from 'node:url';
import type { AgentDriver } from '../port.ts';
import { WorkerAgent } from './agent.ts';
import type { AbandonedThread, WorkerDriverOptions } from './options.ts';

export type { AbandonedThread, WorkerDriverOptions };

export interface WorkerDriver extends AgentDriver {
  /** Threads that were given up and have not ended since. */
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
