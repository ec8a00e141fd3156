/** What the checker explores, what it looks for, and what it answers. */
import type { Writer } from './writer.ts';

/**
 * Takes one move of a state: what was done, the class it belongs to for fairness (0 to 31), the state after it, and the
 * property that it breaks, if any.
 */
export type Emit<S, A> = (action: A, kind: number, next: S, broken?: Broken | null) => void;

export interface Broken {
  readonly property: string;
  readonly detail: string;
}

/** A property of single states. `check` says what is wrong, or null. */
export interface Invariant<S> {
  readonly name: string;
  readonly check: (state: S) => string | null;
}

/** A property of single transitions. */
interface Guard<S, A> {
  readonly name: string;
  readonly check: (before: S, action: A, after: S) => string | null;
}

/**
 * What must come about: whenever `pending` holds it ceases to hold at some later time, on every path that is weakly fair
 * to the classes in `fair`. A class is treated unfairly by a path that leaves it enabled for ever and takes it never.
 */
export interface Goal<S> {
  readonly name: string;
  readonly pending: (state: S) => boolean;
}

export interface Model<S, A> {
  readonly initial: S;
  /** Emits every move of a state, in an order that depends on what `encode` writes alone. */
  readonly expand: (state: S, emit: Emit<S, A>) => void;
  readonly encode: (state: S, out: Writer) => void;
  readonly invariants?: readonly Invariant<S>[];
  readonly guards?: readonly Guard<S, A>[];
  /** At most 32. Edges are kept only if there are any. */
  readonly goals?: readonly Goal<S>[];
  /** Names of the classes that are treated fairly, by their number; a class without a name here may be left out for ever. */
  readonly fair?: ReadonlyMap<number, string>;
}

export interface Options {
  /** Milliseconds from any origin; only differences are shown. */
  readonly now: () => number;
  /** A run that meets more states than this ends unproved. Default: no bound. */
  readonly maxStates?: number;
  /** Called about once a second of `now`. */
  readonly onProgress?: (stats: Stats) => void;
}

export interface Stats {
  readonly states: number;
  readonly transitions: number;
  /** Length of the longest shortest path from the initial state. */
  readonly depth: number;
  readonly ms: number;
  /** Bytes of the state set and the edges; the live objects of the frontier come on top. */
  readonly bytes: number;
}

export interface Trace<S, A> {
  readonly initial: S;
  readonly steps: readonly TraceStep<S, A>[];
}

export interface TraceStep<S, A> {
  readonly before: S;
  readonly action: A;
  readonly kind: number;
  readonly after: S;
}

export type Verdict<S, A> =
  /** Every reachable state was seen and nothing is broken. */
  | { readonly kind: 'holds' }
  /** `maxStates` was reached: nothing is proved. */
  | { readonly kind: 'bounded' }
  | { readonly kind: 'unsafe'; readonly broken: Broken; readonly trace: Trace<S, A> }
  /** After `stem` the system can go round `cycle` for ever (or rest for ever, if the cycle is empty) with the goal unmet. */
  | { readonly kind: 'unlive'; readonly goal: string; readonly stem: Trace<S, A>; readonly cycle: Trace<S, A> };

export interface Outcome<S, A> {
  readonly verdict: Verdict<S, A>;
  readonly stats: Stats;
}
