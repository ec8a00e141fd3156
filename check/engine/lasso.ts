/**
 * Liveness: finds a fair way to leave a goal unmet for ever, as a state to reach and a real cycle of edges from it.
 *
 * A set of states in which a run can stay for ever is a strongly connected component of the states where the goal is
 * pending. The run through all of it is weakly fair exactly if every fair class is either taken on an edge inside, or
 * not enabled in some state of it; and if any fair run exists inside, the run through all of it is one. A component of
 * one state without edges is a run that rests there, which is fair if no fair class is enabled.
 */
import { invariant } from '../../src/core/errors.ts';
import type { Component } from './components.ts';
import { eachComponent } from './components.ts';
import type { Graph } from './graph.ts';

export interface Lasso {
  readonly entry: number;
  /** Edges of the graph, from `entry` back to `entry`; empty: the run rests. */
  readonly cycle: readonly number[];
}

/** The fair lasso whose entry is met first, or null. `fair` is a bit set of classes. */
export function findLasso(graph: Graph, goal: number, fair: number): Lasso | null {
  let best: { readonly entry: number; readonly members: Set<number> } | null = null;
  eachComponent(
    graph,
    (state) => graph.isPending(state, goal),
    (component) => {
      if (!isFair(graph, component, fair)) {
        return;
      }
      const entry = component.members.reduce((least, state) => Math.min(least, state), 0xffffffff);
      if (best === null || entry < best.entry) {
        best = { entry, members: new Set(component.members) };
      }
    },
  );
  const found = best as { readonly entry: number; readonly members: Set<number> } | null;
  return found === null ? null : { entry: found.entry, cycle: cycleThrough(graph, found.entry, found.members, fair) };
}

function isFair(graph: Graph, component: Component, fair: number): boolean {
  let owed = fair;
  for (const state of component.members) {
    owed &= graph.enabled(state);
  }
  if (owed === 0) {
    return true;
  }
  for (const state of component.members) {
    for (let edge = graph.start(state); edge < graph.start(state + 1); edge += 1) {
      if (component.has(graph.target(edge))) {
        owed &= ~(1 << graph.kind(edge));
      }
    }
    if (owed === 0) {
      return true;
    }
  }
  return false;
}

/** A cycle that pays what it owes: each fair class is taken on it, or not enabled somewhere on it. */
function cycleThrough(graph: Graph, entry: number, members: ReadonlySet<number>, fair: number): readonly number[] {
  const cycle: number[] = [];
  let owed = fair & graph.enabled(entry);
  let at = entry;
  while (owed !== 0) {
    const debt = owed;
    const way = shortestWay(graph, at, members, (edge) => {
      const after = graph.target(edge);
      return (debt & (1 << graph.kind(edge))) !== 0 || (debt & ~graph.enabled(after)) !== 0;
    });
    invariant(way.length > 0, 'what is owed in a fair component can be paid inside it');
    for (const edge of way) {
      cycle.push(edge);
      at = graph.target(edge);
      owed &= graph.enabled(at) & ~(1 << graph.kind(edge));
    }
  }
  if (cycle.length === 0 || at !== entry) {
    cycle.push(...shortestWay(graph, at, members, (edge) => graph.target(edge) === entry));
  }
  return cycle;
}

/** Edges of a shortest way inside the component whose last edge is wanted; empty if there is none. */
function shortestWay(
  graph: Graph,
  from: number,
  members: ReadonlySet<number>,
  wanted: (edge: number) => boolean,
): readonly number[] {
  const cameBy = new Map<number, number>();
  const cameFrom = new Map<number, number>();
  const queue = [from];
  for (const state of queue) {
    for (let edge = graph.start(state); edge < graph.start(state + 1); edge += 1) {
      const target = graph.target(edge);
      if (!members.has(target)) {
        continue;
      }
      if (wanted(edge)) {
        const way = [edge];
        for (let back = state; back !== from; back = cameFrom.get(back) ?? from) {
          way.push(cameBy.get(back) ?? 0);
        }
        return way.reverse();
      }
      if (target !== from && !cameFrom.has(target)) {
        cameFrom.set(target, state);
        cameBy.set(target, edge);
        queue.push(target);
      }
    }
  }
  return [];
}
