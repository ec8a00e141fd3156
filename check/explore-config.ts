/** Explores one configuration with one core, in the thread that calls it. */
import type { Stats } from './engine/index.ts';
import { explore, lengthOf, tell } from './engine/index.ts';
import { configNamed } from './model/configs.ts';
import type { Core } from './model/core.ts';
import { teller } from './model/describe.ts';
import { modelOf } from './model/model.ts';

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

/** `maxStates`: the most states to look at; null: all there are. */
export function exploreConfig(
  name: string,
  core: Core,
  maxStates: number | null,
  onProgress: (stats: Stats) => void,
): Answer {
  const config = configNamed(name);
  if (config === undefined) {
    throw new Error(`there is no configuration ${name}`);
  }
  const outcome = explore(modelOf(config, core), {
    now: () => performance.now(),
    onProgress,
    ...(maxStates === null ? {} : { maxStates }),
  });
  const { verdict, stats } = outcome;
  const property = verdict.kind === 'unsafe' ? verdict.broken.property : verdict.kind === 'unlive' ? verdict.goal : '';
  const story = tell(verdict, teller);
  return { config: name, verdict: verdict.kind, property, length: lengthOf(outcome), story, stats };
}
