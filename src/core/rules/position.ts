/**
 * Positions: the order of the open tasks, kept by integers that have room between them. Where a gap has none left, the tasks around
 * it are spread anew over the smallest range of positions that is not too full for its size (Bender, Cole, Demaine, Farach-Colton
 * and Zito, "Two simplified algorithms for maintaining order in a list", 2002): O(log n) new positions for each move, amortised.
 * All open tasks are in the order, also those that do not wait, so that a new position never changes the order of two of them.
 */
import { type Draft, mustTask, putTask } from '../draft.ts';
import type { TaskId } from '../model/ids.ts';
import type { Indexes } from '../model/indexes.ts';
import type { Task, Where } from '../model/task.ts';
import { orderKey } from '../queue.ts';
import { treeEntries, treeFirst, treeLast, treeNeighbours, treeRemove } from '../tree.ts';

type Order = Indexes['order'];

/** The distance of two neighbours at admission, and what `first` and `last` keep from the others. */
const spacing = 2 ** 16;

/** Each range of twice the size may hold this many times as many tasks: less than 2, so that larger ranges are emptier. */
const growth = 4 / 3;

const anyId = '' as TaskId;

/** After all open tasks. */
export function lastPosition(order: Order): number {
  const last = treeLast(order);
  return last === null ? 0 : last.key.position + spacing;
}

/** The position of a place in the order. For a place in a full gap, the tasks around it get new positions. */
export function positionAt(d: Draft, task: Task, where: Where): number {
  const others = treeRemove(d.s.indexes.order, orderKey(task));
  if (where === 'last') {
    return lastPosition(others);
  }
  if (where === 'first') {
    return (treeFirst(others)?.key.position ?? 0) - spacing;
  }
  const upper = mustTask(d, where.before);
  const below = treeNeighbours(others, orderKey(upper)).below;
  const lower = below === null ? upper.position - 2 * spacing : below.key.position;
  const middle = lower + Math.floor((upper.position - lower) / 2);
  return middle > lower ? middle : spreadAround(d, others, upper);
}

/** Gives the tasks around `upper` new positions, and the one that is left free just before it. */
function spreadAround(d: Draft, others: Order, upper: Task): number {
  for (let size = 2, room = growth; ; size *= 2, room *= growth) {
    const from = Math.floor(upper.position / size) * size;
    const ids = idsBetween(others, from, from + size);
    if (ids.length + 1 <= room) {
      const step = size / (ids.length + 1);
      return spread(d, ids, upper.id, (place) => from + Math.floor((place + 0.5) * step));
    }
  }
}

function idsBetween(order: Order, from: number, to: number): readonly TaskId[] {
  const ids: TaskId[] = [];
  for (const [{ position }, id] of treeEntries(order, { position: from, id: anyId })) {
    if (position >= to) {
      break;
    }
    ids.push(id);
  }
  return ids;
}

function spread(d: Draft, ids: readonly TaskId[], upper: TaskId, positionOf: (place: number) => number): number {
  const free = ids.indexOf(upper);
  for (const [index, id] of ids.entries()) {
    const position = positionOf(index < free ? index : index + 1);
    const task = mustTask(d, id);
    if (task.position !== position) {
      putTask(d, { ...task, position });
    }
  }
  return positionOf(free);
}
