/** The checker on a mutant: the first counterexample in the configurations of the plan. */
import { Worker } from 'node:worker_threads';
import type { Answer } from '../explore-config.ts';
import type { Hunt, HuntMessage } from './checker-worker.ts';
import type { MutatedCore } from './files.ts';
import type { Look } from './plan.ts';
import type { StageResult } from './stage.ts';
import { killed, passed } from './stage.ts';

/** A thread that says nothing for so long is in a step without end: others say each second that they go on. */
const silenceMs = 60_000;
/** Megabytes; one that needs more grows without end. */
const heapMb = 6000;

interface CheckerOptions {
  readonly looks: readonly Look[];
  /** Seconds of computing. */
  readonly budget: number;
  readonly signal: AbortSignal;
  /** How many states a configuration has, where all of them are looked at. */
  readonly statesOf: (config: string) => number | undefined;
}

const foundBy = ({ config, property, length }: Answer): string => `${config}: ${property} (${length} steps)`;

/** Rejects if `signal` is aborted. */
export function runChecker(core: MutatedCore, options: CheckerOptions): Promise<StageResult> {
  const { looks, budget, signal, statesOf } = options;
  const workerData: Hunt = { core: core.index, looks, budget };
  const worker = new Worker(new URL('checker-worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  return new Promise((resolve, reject) => {
    const notes: string[] = [];
    let at = looks[0]?.config ?? '';
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', interrupted);
      void worker.terminate().then(act);
    };
    const answer = (result: StageResult): void => settle(() => resolve(result));
    const interrupted = (): void => settle(() => reject(new Error('interrupted')));
    const timer = setTimeout(
      () => answer(killed(`${at}: every step ends (none for ${silenceMs / 1000} s)`)),
      silenceMs,
    );
    signal.addEventListener('abort', interrupted, { once: true });
    worker.on('message', (message: HuntMessage) => {
      timer.refresh();
      switch (message.type) {
        case 'unloadable':
          answer({ kind: 'unloadable', how: message.error });
          return;
        case 'failed':
          answer(killed(`${message.config}: the checker cannot go on: ${message.error}`));
          return;
        case 'over':
          answer(passed(...notes));
          return;
        case 'looks-at':
          at = message.config;
          return;
        case 'answer':
          if (message.answer.property !== '') {
            answer(killed(foundBy(message.answer)));
          } else if (isMoved(message.answer, statesOf)) {
            notes.push(message.answer.config);
          }
          return;
        case 'alive':
      }
    });
    worker.on('error', (error) => answer(killed(`${at}: ${error.message}`)));
  });
}

/** It reaches another number of states than the core does, and none of them is wrong. */
const isMoved = ({ verdict, config, stats }: Answer, statesOf: CheckerOptions['statesOf']): boolean =>
  verdict === 'holds' && stats.states !== statesOf(config);
