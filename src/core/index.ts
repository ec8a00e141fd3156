export * from './errors.ts';
export * from './ids.ts';
export type * from './inputs.ts';
export type * from './model.ts';
export type * from './outputs.ts';
export { newSession, queueKey } from './queue.ts';
export { type Durable, durableOf, foldRecords, rebuild } from './rebuild.ts';
export { step } from './step.ts';
export { treeEntries, treeFirst, treeGet, treeSize } from './tree.ts';
