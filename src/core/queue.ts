/**
 * The order of the queue (rule 2), and the indexes that keep it. The indexes are functions of the tasks; `reindex` is the
 * only place that changes them.
 */
import { treeOf, treePut, treeRemove, treeFirst, type Tree } from './tree.ts';
import type { Limits, MergeGroupKey, OrderKey, PartKey, QueueKey, Session } from './model/session.ts';
import type { Task } from './model/task.ts';
import { busyPolicies } from './rules/when-busy.ts';
import { epoch, incarnation, turnId, type SessionKey, type TaskId } from './model/ids.ts';

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function compareQueue(a: QueueKey, b: QueueKey): number {
  return a.rank - b.rank || b.priority - a.priority || a.position - b.position || byText(a.id, b.id);
}

function compareMergeGroup(a: MergeGroupKey, b: MergeGroupKey): number {
  return byText(a.mergeGroup, b.mergeGroup) || a.rank - b.rank || a.admission - b.admission;
}

const compareOrder = (a: OrderKey, b: OrderKey): number => a.position - b.position || byText(a.id, b.id);

const byNumber = (a: number, b: number): number => a - b;

function compareParts(a: PartKey, b: PartKey): number {
  return byText(a.entry, b.entry) || a.rank - b.rank || a.admission - b.admission;
}

export function newSession(key: SessionKey, limits: Limits): Session {
  return {
    key,
    limits,
    epoch: epoch(0),
    admissions: 0,
    turns: turnId(0),
    incarnations: incarnation(0),
    seq: 0,
    parked: null,
    throttle: null,
    conversation: null,
    conversationReset: false,
    rewind: null,
    hold: null,
    agent: { kind: 'none' },
    passedOver: null,
    settling: [],
    fenced: false,
    tasks: treeOf<TaskId, Task>(byText),
    order: treeOf<OrderKey, TaskId>(compareOrder),
    queue: treeOf<QueueKey, TaskId>(compareQueue),
    demand: treeOf<QueueKey, TaskId>(compareQueue),
    backgroundByAge: treeOf<number, TaskId>(byNumber),
    mergeGroups: treeOf<MergeGroupKey, TaskId>(compareMergeGroup),
    parts: treeOf<PartKey, TaskId>(compareParts),
  };
}

/** Interactive tasks first, then background tasks that were running before, then background tasks by priority; then by position. */
export function queueKey(task: Task): QueueKey {
  if (task.lane === 'interactive') {
    return { rank: 0, priority: 0, position: task.position, id: task.id };
  }
  return task.status === 'running'
    ? { rank: 1, priority: 0, position: task.position, id: task.id }
    : { rank: 2, priority: task.priority, position: task.position, id: task.id };
}

export const orderKey = (task: Task): OrderKey => ({ position: task.position, id: task.id });

/** Whether the task wants a running background turn interrupted (rule 4). */
export const preempts = (task: Task): boolean => task.lane === 'interactive' && busyPolicies[task.whenBusy].preempts;

export const isWaiting = (task: Task | null): task is Task => task !== null && task.stage === 'waiting';

const isDemanding = (task: Task | null): task is Task => isWaiting(task) && preempts(task);

function mergeGroupKey(task: Task | null): MergeGroupKey | null {
  if (task === null || task.mergeGroup === null || !(task.stage === 'waiting' || task.stage === 'collecting')) {
    return null;
  }
  const { mergeGroup, admission, status } = task;
  const isInteractive = task.lane === 'interactive';
  if (status === 'running') {
    return isInteractive ? { mergeGroup, rank: 0, admission } : null;
  }
  const interrupts = isInteractive && busyPolicies[task.whenBusy].ends?.whom === 'owner';
  return { mergeGroup, rank: interrupts ? 1 : 2, admission };
}

/** A background task that waits for a turn; a runner that has not asked for one needs none. */
const ageOf = (task: Task | null): number | null =>
  isWaiting(task) && task.lane === 'background' && (task.mode === 'prompt' || task.run === null || task.call !== null)
    ? task.admission
    : null;

/** The entry whose parts a task leads or would lead. */
export const entryOf = (task: Pick<Task, 'id' | 'leads'>): TaskId => task.leads ?? task.id;

function partKey(task: Task | null): PartKey | null {
  if (task === null) {
    return null;
  }
  const { admission, mergedInto, leads } = task;
  if (mergedInto === null) {
    return leads === null ? null : { entry: leads, rank: 3, admission };
  }
  return { entry: mergedInto, rank: task.stage === 'steered' ? 2 : task.status === 'queued' ? 0 : 1, admission };
}

interface Indexes {
  order: Tree<OrderKey, TaskId>;
  queue: Tree<QueueKey, TaskId>;
  demand: Tree<QueueKey, TaskId>;
  backgroundByAge: Tree<number, TaskId>;
  mergeGroups: Tree<MergeGroupKey, TaskId>;
  parts: Tree<PartKey, TaskId>;
}

/** Moves a task's entries in the indexes from what it was to what it is; null stands for not open. */
export function reindex(indexes: Indexes, was: Task | null, is: Task | null): void {
  if (was?.position !== is?.position) {
    reindexOrder(indexes, was, is);
  }
  if (isWaiting(was) || isWaiting(is)) {
    reindexQueue(indexes, was, is);
    reindexAge(indexes, was, is);
  }
  reindexParts(indexes, was, is);
  const wasGroup = mergeGroupKey(was);
  const isGroup = mergeGroupKey(is);
  if (wasGroup !== null && (isGroup === null || compareMergeGroup(wasGroup, isGroup) !== 0)) {
    indexes.mergeGroups = treeRemove(indexes.mergeGroups, wasGroup);
  }
  if (isGroup !== null && is !== null && (wasGroup === null || compareMergeGroup(wasGroup, isGroup) !== 0)) {
    indexes.mergeGroups = treePut(indexes.mergeGroups, isGroup, is.id);
  }
}

function reindexOrder(indexes: Indexes, was: Task | null, is: Task | null): void {
  if (was !== null) {
    indexes.order = treeRemove(indexes.order, orderKey(was));
  }
  if (is !== null) {
    indexes.order = treePut(indexes.order, orderKey(is), is.id);
  }
}

function reindexQueue(indexes: Indexes, was: Task | null, is: Task | null): void {
  const wasKey = isWaiting(was) ? queueKey(was) : null;
  const isKey = isWaiting(is) ? queueKey(is) : null;
  const moved = wasKey === null || isKey === null ? wasKey !== isKey : compareQueue(wasKey, isKey) !== 0;
  if (!moved && isDemanding(was) === isDemanding(is)) {
    return;
  }
  if (wasKey !== null) {
    indexes.queue = treeRemove(indexes.queue, wasKey);
    if (isDemanding(was)) {
      indexes.demand = treeRemove(indexes.demand, wasKey);
    }
  }
  if (isKey !== null && is !== null) {
    indexes.queue = treePut(indexes.queue, isKey, is.id);
    if (isDemanding(is)) {
      indexes.demand = treePut(indexes.demand, isKey, is.id);
    }
  }
}

function reindexAge(indexes: Indexes, was: Task | null, is: Task | null): void {
  const wasAge = ageOf(was);
  const isAge = ageOf(is);
  if (wasAge === isAge) {
    return;
  }
  if (wasAge !== null) {
    indexes.backgroundByAge = treeRemove(indexes.backgroundByAge, wasAge);
  }
  if (isAge !== null && is !== null) {
    indexes.backgroundByAge = treePut(indexes.backgroundByAge, isAge, is.id);
  }
}

function reindexParts(indexes: Indexes, was: Task | null, is: Task | null): void {
  const wasKey = partKey(was);
  const isKey = partKey(is);
  if (wasKey !== null && (isKey === null || compareParts(wasKey, isKey) !== 0)) {
    indexes.parts = treeRemove(indexes.parts, wasKey);
  }
  if (isKey !== null && is !== null && (wasKey === null || compareParts(wasKey, isKey) !== 0)) {
    indexes.parts = treePut(indexes.parts, isKey, is.id);
  }
}

export const interactiveWaits = (session: { readonly queue: Tree<QueueKey, TaskId> }): boolean =>
  treeFirst(session.queue)?.key.rank === 0;
