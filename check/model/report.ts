/** Collects the first thing that is wrong with a transition. One is reused for all transitions of a run. */
import type { Broken } from '../engine/index.ts';

export class Report {
  broken: Broken | null = null;

  clear(): void {
    this.broken = null;
  }

  fail(property: string, detail: string): void {
    this.broken ??= { property, detail };
  }
}
