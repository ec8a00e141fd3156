/**
 * Strongly connected components by Tarjan's algorithm, without recursion, over the states that a filter lets through.
 * Memory: five words per state of the graph, whatever the shape of it.
 */
import type { Graph } from './graph.ts';

const unseen = 0xffffffff;

export interface Component {
  /** Members in the order they were popped; valid during the call only. */
  readonly members: Uint32Array;
  /** Whether a state belongs to this component. */
  readonly has: (state: number) => boolean;
}

/** Calls `visit` for each component; members' numbers are those of the graph. */
export function eachComponent(
  graph: Graph,
  inside: (state: number) => boolean,
  visit: (component: Component) => void,
): void {
  const size = graph.states;
  const order = new Uint32Array(size).fill(unseen);
  const low = new Uint32Array(size);
  const component = new Uint32Array(size).fill(unseen);
  const stack = new Uint32Array(size);
  const path = new Uint32Array(size);
  const cursor = new Uint32Array(size);
  let stacked = 0;
  let counted = 0;
  let components = 0;

  const enter = (state: number, depth: number): void => {
    order[state] = counted;
    low[state] = counted;
    counted += 1;
    stack[stacked++] = state;
    path[depth] = state;
    cursor[state] = graph.start(state);
  };

  const close = (state: number): void => {
    const end = stacked;
    let member: number;
    do {
      stacked -= 1;
      member = stack[stacked] ?? 0;
      component[member] = components;
    } while (member !== state);
    const current = components;
    components += 1;
    visit({ members: stack.subarray(stacked, end), has: (other) => component[other] === current });
  };

  const walk = (root: number): void => {
    let depth = 0;
    enter(root, depth);
    while (depth >= 0) {
      const state = path[depth] ?? 0;
      const edge = cursor[state] ?? 0;
      if (edge < graph.start(state + 1)) {
        cursor[state] = edge + 1;
        const target = graph.target(edge);
        if (order[target] === unseen) {
          if (inside(target)) {
            enter(target, ++depth);
          }
        } else if (component[target] === unseen) {
          low[state] = Math.min(low[state] ?? 0, order[target] ?? 0);
        }
        continue;
      }
      if (low[state] === order[state]) {
        close(state);
      }
      depth -= 1;
      if (depth >= 0) {
        const parent = path[depth] ?? 0;
        low[parent] = Math.min(low[parent] ?? 0, low[state] ?? 0);
      }
    }
  };

  for (let state = 0; state < size; state += 1) {
    if (order[state] === unseen && inside(state)) {
      walk(state);
    }
  }
}
