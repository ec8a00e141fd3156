/**
 * The checker is itself checked: one-edit mutants of the core and of the protocol of the nodes, each of a kind that such systems really had. Every one of them
 * must be found in the configuration named beside it; `check/mutants.json` pins by which property and in how many steps.
 */
import { endings } from './endings.ts';
import { holdLimit } from './hold-limit.ts';
import { holder } from './holder.ts';
import { names } from './names.ts';
import { nodes } from './nodes.ts';
import { ownership } from './ownership.ts';
import { slots } from './slots.ts';
import { supervised } from './supervised.ts';
import { turns } from './turns.ts';
import { words } from './words.ts';
import type { Mutant } from './mutant.ts';

export type { Mutant } from './mutant.ts';

export const mutants: readonly Mutant[] = [
  ...ownership,
  ...turns,
  ...endings,
  ...holdLimit,
  ...holder,
  ...names,
  ...supervised,
  ...slots,
  ...words,
  ...nodes,
];
