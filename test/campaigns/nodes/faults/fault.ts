/** What a fault of the campaign is. */
import type { Arena, Draw } from '../arena.ts';
import type { Findings, Promised } from '../findings.ts';
import type { Load } from '../load.ts';

export interface Scene {
  readonly arena: Arena;
  readonly load: Load;
  readonly findings: Findings;
  /** Of this fault alone: a seed replays it. */
  readonly draw: Draw;
}

export interface Fault {
  readonly name: string;
  /** One line for a person. */
  readonly what: string;
  /** Why it is not among those of a whole run: what is promised there is less. */
  readonly apart?: string;
  /** Promises that do not hold here. */
  readonly without?: readonly Promised[];
  /** Why it cannot be tried here; null: it can. */
  readonly lacks?: () => string | null;
  /**
   * Does it, and takes it back. Gives the milliseconds until work continued: of the sessions that it hit where it hit one node, counted
   * from its beginning; counted from its end, where it hit all. Null: it did not come to pass.
   */
  readonly strike: (scene: Scene) => Promise<number | null>;
}
