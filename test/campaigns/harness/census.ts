/** What a daemon's own process holds, asked for by a campaign over IPC (`census`). */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectGarbage } from '../../../bench/support/garbage.ts';
import { entries } from './processes.ts';

export interface DaemonCensus {
  readonly descriptors: number;
  readonly threads: number;
  readonly timers: number;
  /** After a collection. */
  readonly heapBytes: number;
  /** The daemon's main loop was late by so much since its start: the 99th percentile, and the most. Milliseconds. */
  readonly loopP99: number;
  readonly loopMax: number;
}

/** Inside the daemon's process: answers each `census` that its parent asks for. */
export function answerCensus(): void {
  const loop = monitorEventLoopDelay({ resolution: 10 });
  loop.enable();
  process.on('message', (question) => {
    if (question === 'census') {
      process.send?.(census(loop.percentile(99), loop.max));
    }
  });
}

function census(p99: number, max: number): DaemonCensus {
  collectGarbage();
  collectGarbage();
  return {
    descriptors: entries('/proc/self/fd').length,
    threads: entries('/proc/self/task').length,
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
    heapBytes: process.memoryUsage().heapUsed,
    loopP99: Math.round(p99 / 1e6),
    loopMax: Math.round(max / 1e6),
  };
}
