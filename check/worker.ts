/** Explores configurations in a thread, one after another: the story of each, or its numbers. */
import { parentPort } from 'node:worker_threads';
import type { Stats } from './engine/index.ts';
import { explore, lengthOf, tell } from './engine/index.ts';
import { configNamed } from './model/configs.ts';
import type { Core } from './model/core.ts';
import { realCore } from './model/core.ts';
import { teller } from './model/describe.ts';
import { modelOf } from './model/model.ts';

export interface Job {
  readonly config: string;
  /** URL of another copy of the core's index, or null for the one that ships. */
  readonly core: string | null;
  /** The most states to look at; null: all there are. */
  readonly maxStates: number | null;
}

export interface Answer {
  readonly config: string;
  readonly verdict: 'holds' | 'bounded' | 'unsafe' | 'unlive';
  /** What is broken, or the empty string. */
  readonly property: string;
  /** Steps of the counterexample. */
  readonly length: number;
  readonly story: string;
  readonly stats: Stats;
}

export type Message = { readonly progress: Stats } | { readonly answer: Answer };

async function run(job: Job): Promise<void> {
  const config = configNamed(job.config);
  if (config === undefined) {
    throw new Error(`there is no configuration ${job.config}`);
  }
  const core = job.core === null ? realCore : ((await import(job.core)) as Core);
  const post = (message: Message): void => parentPort?.postMessage(message);
  const outcome = explore(modelOf(config, core), {
    now: () => performance.now(),
    onProgress: (progress) => post({ progress }),
    ...(job.maxStates === null ? {} : { maxStates: job.maxStates }),
  });
  const { verdict, stats } = outcome;
  const property = verdict.kind === 'unsafe' ? verdict.broken.property : verdict.kind === 'unlive' ? verdict.goal : '';
  const answer: Answer = {
    config: job.config,
    verdict: verdict.kind,
    property,
    length: lengthOf(outcome),
    story: tell(verdict, teller),
    stats,
  };
  post({ answer });
}

parentPort?.on('message', (job: Job) => void run(job));
