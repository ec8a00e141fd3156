/**
 * The checker: breadth first over every reachable state, exactly, so that a counterexample is as short as there is one.
 *
 * It keeps the encodings of all states, and live objects for the level that is being expanded and the one after it: a
 * state is never decoded. A trace is rebuilt by taking the same moves again from the initial state.
 */
import { invariant } from '../../src/core/errors.ts';
import { Graph } from './graph.ts';
import type { Lasso } from './lasso.ts';
import { findLasso } from './lasso.ts';
import type { Broken, Emit, Model, Options, Outcome, Stats, Trace, TraceStep, Verdict } from './model.ts';
import { States } from './states.ts';
import { Writer } from './writer.ts';

export function explore<S, A>(model: Model<S, A>, options: Options): Outcome<S, A> {
  return new Exploration(model, options).run();
}

/** How many states are expanded between two looks at the clock. */
const clockStride = 1024;
const progressMs = 1000;

class Exploration<S, A> {
  readonly #model: Model<S, A>;
  readonly #options: Options;
  readonly #states = new States();
  readonly #graph: Graph | null;
  readonly #writer = new Writer();
  readonly #begun: number;
  #reported: number;
  #transitions = 0;
  #depth = 0;

  constructor(model: Model<S, A>, options: Options) {
    this.#model = model;
    this.#options = options;
    this.#graph = (model.goals ?? []).length === 0 ? null : new Graph();
    invariant((model.goals ?? []).length <= 32, 'the checker takes at most 32 goals');
    this.#begun = options.now();
    this.#reported = this.#begun;
  }

  run(): Outcome<S, A> {
    const verdict = this.#search() ?? this.#liveness() ?? ({ kind: 'holds' } as const);
    return { verdict, stats: this.#stats() };
  }

  #stats(): Stats {
    return {
      states: this.#states.size,
      transitions: this.#transitions,
      depth: this.#depth,
      ms: this.#options.now() - this.#begun,
      bytes: this.#states.bytes + (this.#graph?.bytes ?? 0),
    };
  }

  #progress(): void {
    const now = this.#options.now();
    if (now - this.#reported < progressMs) {
      return;
    }
    this.#reported = now;
    this.#options.onProgress?.(this.#stats());
  }

  /** Null: all states were seen and none is broken. */
  #search(): Verdict<S, A> | null {
    const { initial } = this.#model;
    const maxStates = this.#options.maxStates ?? Number.POSITIVE_INFINITY;
    this.#add(initial, -1, 0);
    const wrong = this.#brokenState(initial);
    if (wrong !== null) {
      return { kind: 'unsafe', broken: wrong, trace: { initial, steps: [] } };
    }
    let level: S[] = [initial];
    let first = 0;
    while (level.length > 0) {
      const next: S[] = [];
      for (let index = 0; index < level.length; index += 1) {
        const state = level[index];
        invariant(state !== undefined, 'a level has no holes');
        const broken = this.#expand(state, first + index, next);
        if (broken !== null) {
          return broken;
        }
        if (this.#states.size > maxStates) {
          return { kind: 'bounded' };
        }
        if ((first + index) % clockStride === 0) {
          this.#progress();
        }
      }
      first += level.length;
      if (next.length > 0) {
        this.#depth += 1;
      }
      level = next;
    }
    return null;
  }

  #add(state: S, parent: number, move: number): number {
    this.#writer.reset();
    this.#model.encode(state, this.#writer);
    return this.#states.add(this.#writer, parent, move);
  }

  /** Expands one state: numbers its successors, appends the new ones to `next`, writes its row of the graph. */
  #expand(before: S, number: number, next: S[]): Verdict<S, A> | null {
    const graph = this.#graph;
    let move = 0;
    let enabled = 0;
    let found: { readonly move: number; readonly broken: Broken } | null = null;
    graph?.beginRow();
    this.#model.expand(before, (action, kind, after, wrong) => {
      if (found === null) {
        const target = this.#add(after, number, move);
        const fresh = this.#states.fresh;
        const broken = wrong ?? this.#brokenMove(before, action, after) ?? (fresh ? this.#brokenState(after) : null);
        if (broken !== null) {
          found = { move, broken };
        }
        if (fresh) {
          next.push(after);
        }
        graph?.edge(target, kind);
        enabled |= 1 << kind;
      }
      move += 1;
    });
    this.#transitions += move;
    graph?.endRow(this.#pendingIn(before), enabled);
    const broken = found as { readonly move: number; readonly broken: Broken } | null;
    if (broken === null) {
      return null;
    }
    const steps = this.#stepsTo(number);
    const last = this.#moveOf(steps.at(-1)?.after ?? this.#model.initial, (_, index) => index === broken.move);
    return {
      kind: 'unsafe',
      broken: broken.broken,
      trace: { initial: this.#model.initial, steps: [...steps, last] },
    };
  }

  #brokenMove(before: S, action: A, after: S): Broken | null {
    for (const guard of this.#model.guards ?? []) {
      const detail = guard.check(before, action, after);
      if (detail !== null) {
        return { property: guard.name, detail };
      }
    }
    return null;
  }

  #brokenState(state: S): Broken | null {
    for (const rule of this.#model.invariants ?? []) {
      const detail = rule.check(state);
      if (detail !== null) {
        return { property: rule.name, detail };
      }
    }
    return null;
  }

  #pendingIn(state: S): number {
    let pending = 0;
    for (const [index, goal] of (this.#model.goals ?? []).entries()) {
      if (goal.pending(state)) {
        pending |= 1 << index;
      }
    }
    return pending;
  }

  #liveness(): Verdict<S, A> | null {
    if (this.#graph === null) {
      return null;
    }
    let fair = 0;
    for (const kind of this.#model.fair?.keys() ?? []) {
      fair |= 1 << kind;
    }
    for (const [index, goal] of (this.#model.goals ?? []).entries()) {
      const lasso = findLasso(this.#graph, index, fair);
      if (lasso !== null) {
        return this.#story(goal.name, lasso, this.#graph);
      }
      this.#progress();
    }
    return null;
  }

  #story(goal: string, lasso: Lasso, graph: Graph): Verdict<S, A> {
    const steps = this.#stepsTo(lasso.entry);
    const entry = steps.at(-1)?.after ?? this.#model.initial;
    let at = entry;
    const round: TraceStep<S, A>[] = [];
    for (const edge of lasso.cycle) {
      const step = this.#moveOf(
        at,
        (move) => move.kind === graph.kind(edge) && this.#numberOf(move.after) === graph.target(edge),
      );
      round.push(step);
      at = step.after;
    }
    const stem: Trace<S, A> = { initial: this.#model.initial, steps };
    return { kind: 'unlive', goal, stem, cycle: { initial: entry, steps: round } };
  }

  #numberOf(state: S): number {
    this.#writer.reset();
    this.#model.encode(state, this.#writer);
    return this.#states.find(this.#writer);
  }

  #stepsTo(state: number): TraceStep<S, A>[] {
    const moves: number[] = [];
    for (let at = state; this.#states.parent(at) !== at; at = this.#states.parent(at)) {
      moves.push(this.#states.move(at));
    }
    const steps: TraceStep<S, A>[] = [];
    let at = this.#model.initial;
    for (const wanted of moves.reverse()) {
      const step = this.#moveOf(at, (_, index) => index === wanted);
      steps.push(step);
      at = step.after;
    }
    return steps;
  }

  #moveOf(before: S, wanted: (step: TraceStep<S, A>, index: number) => boolean): TraceStep<S, A> {
    let found: TraceStep<S, A> | null = null;
    let index = 0;
    const emit: Emit<S, A> = (action, kind, after) => {
      const step = { before, action, kind, after };
      if (found === null && wanted(step, index)) {
        found = step;
      }
      index += 1;
    };
    this.#model.expand(before, emit);
    const step = found as TraceStep<S, A> | null;
    invariant(step !== null, 'a move of the checker can be taken again: `expand` and `encode` agree');
    return step;
  }
}
