/** Explores configurations in a thread, one after another: the story of each, or its numbers. */
import { parentPort } from 'node:worker_threads';
import type { Stats } from './engine/index.ts';
import type { Answer } from './explore-config.ts';
import { exploreConfig } from './explore-config.ts';
import { mutatedCore, realCore } from './model/core.ts';

export type { Answer } from './explore-config.ts';

export interface Job {
  readonly config: string;
  /** URL of a mutated copy of the core's index, or of a file of the nodes; null: what ships. */
  readonly core: string | null;
  /** The most states to look at; null: all there are. */
  readonly maxStates: number | null;
}

export type Message = { readonly progress: Stats } | { readonly answer: Answer };

async function run({ config, core, maxStates }: Job): Promise<void> {
  const driven = core === null ? realCore : await mutatedCore(core);
  const post = (message: Message): void => parentPort?.postMessage(message);
  post({ answer: exploreConfig(config, driven, maxStates, (progress) => post({ progress })) });
}

parentPort?.on('message', (job: Job) => void run(job));
