/** Explores one configuration with one core, in the thread that calls it. */
import type { Options, Outcome, Stats, Teller } from './engine/index.ts';
import { explore, lengthOf, tell } from './engine/index.ts';
import { configNamed } from './model/configs.ts';
import type { Core } from './model/core.ts';
import { teller } from './model/describe.ts';
import { modelOf } from './model/model.ts';
import { leaseConfigNamed, lettersConfigNamed } from './nodes/configs.ts';
import { lettersModelOf, lettersTeller } from './nodes/letters/model.ts';
import { leaseModelOf, leaseTeller } from './nodes/model.ts';
import { slotsConfigNamed } from './slots/configs.ts';
import { slotsModelOf, slotsTeller } from './slots/model.ts';

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
  const options: Options = {
    now: () => performance.now(),
    onProgress,
    ...(maxStates === null ? {} : { maxStates }),
  };
  const config = configNamed(name);
  if (config !== undefined) {
    return answerOf(name, explore(modelOf(config, core), options), teller);
  }
  const lease = leaseConfigNamed(name);
  if (lease !== undefined) {
    return answerOf(name, explore(leaseModelOf(lease, core), options), leaseTeller);
  }
  const letters = lettersConfigNamed(name);
  if (letters !== undefined) {
    return answerOf(name, explore(lettersModelOf(letters, core), options), lettersTeller);
  }
  const slots = slotsConfigNamed(name);
  if (slots === undefined) {
    throw new Error(`there is no configuration ${name}`);
  }
  return answerOf(name, explore(slotsModelOf(slots, core), options), slotsTeller);
}

function answerOf<S, A>(config: string, outcome: Outcome<S, A>, told: Teller<S, A>): Answer {
  const { verdict, stats } = outcome;
  const property = verdict.kind === 'unsafe' ? verdict.broken.property : verdict.kind === 'unlive' ? verdict.goal : '';
  return { config, verdict: verdict.kind, property, length: lengthOf(outcome), story: tell(verdict, told), stats };
}
