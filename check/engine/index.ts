/** The explicit-state checker. It knows nothing of sessions: `check/model` tells it what to explore. */
export { explore } from './explore.ts';
export type { Broken, Emit, Goal, Invariant, Model, Options, Outcome, Stats } from './model.ts';
export type { Teller } from './story.ts';
export { describeStats, lengthOf, tell } from './story.ts';
export { Writer } from './writer.ts';
