/** Explores configurations with one mutant, in a worker thread, until one finds it or its time is over. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Answer } from '../explore-config.ts';
import { exploreConfig } from '../explore-config.ts';
import { type Core, mutatedCore } from '../model/core.ts';
import type { Look } from './plan.ts';

export interface Hunt {
  /** URL of the index of the mutated core. */
  readonly core: string;
  readonly looks: readonly Look[];
  /** Seconds that this thread may compute. */
  readonly budget: number;
}

export type HuntMessage =
  | { readonly type: 'unloadable'; readonly error: string }
  | { readonly type: 'looks-at'; readonly config: string }
  | { readonly type: 'alive' }
  | { readonly type: 'answer'; readonly answer: Answer }
  /** The checker itself cannot continue with what the mutant does. */
  | { readonly type: 'failed'; readonly config: string; readonly error: string }
  | { readonly type: 'over' };

class OutOfTime extends Error {}

const post = (message: HuntMessage): void => parentPort?.postMessage(message);
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function load(url: string): Promise<Core | null> {
  try {
    return await mutatedCore(url);
  } catch (error) {
    post({ type: 'unloadable', error: messageOf(error) });
    return null;
  }
}

async function hunt({ core, looks, budget }: Hunt): Promise<void> {
  const driven = await load(core);
  if (driven === null) {
    return;
  }
  const goOn = (): void => {
    const { user, system } = process.threadCpuUsage();
    if ((user + system) / 1e6 > budget) {
      throw new OutOfTime();
    }
    post({ type: 'alive' });
  };
  for (const { config, maxStates } of looks) {
    try {
      goOn();
      post({ type: 'looks-at', config });
      const answer = exploreConfig(config, driven, maxStates, goOn);
      post({ type: 'answer', answer });
      if (answer.verdict === 'unsafe' || answer.verdict === 'unlive') {
        return;
      }
    } catch (error) {
      post(error instanceof OutOfTime ? { type: 'over' } : { type: 'failed', config, error: messageOf(error) });
      return;
    }
  }
  post({ type: 'over' });
}

await hunt(workerData as Hunt);
