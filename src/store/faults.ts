/**
 * Places in production code where the simulator and the kill tests strike. A hook may throw, kill the process, or do nothing,
 * which is what it does in production.
 */
export interface Faults {
  /**
   * Called when the named point is passed. What it throws goes to the caller, and an open transaction is rolled back; at
   * `store.after-commit` it simulates a lost answer, and the store answers that it has committed (`store/7`).
   */
  at(point: string): void;
}

/** The points of a store, in the order a commit passes them. Only after the last but one is the commit durable. */
export const storeFaultPoints = ['store.before-commit', 'store.after-write', 'store.after-commit'] as const;

/** Passes the last point of a commit: nothing that happens there undoes what is written. */
export function passAfterCommit(faults: Faults): void {
  try {
    faults.at('store.after-commit');
  } catch {
    // The caller has the outcomes in its hands: the lost answer is found out.
  }
}

export const noFaults: Faults = { at() {} };
