/**
 * Places in production code where the simulator and the kill tests strike. A hook may throw (an error of the store at
 * that point), kill the process, or do nothing, which is what it does in production.
 */
export interface Faults {
  /** Called when the named point is passed; what it throws goes to the caller, and an open transaction is rolled back. */
  at(point: string): void;
}

/** The points of a store, in the order a commit passes them. Only after the last but one is the commit durable. */
export const storeFaultPoints = ['store.before-commit', 'store.after-write', 'store.after-commit'] as const;

export const noFaults: Faults = { at() {} };
