/**
 * The order of the queue (rule 2), and the indexes that keep it. The indexes are functions of the tasks; `reindex` is the
 * only place that changes them.
 */
import { byText, treeOf, treePut, treeRemove, treeFirst, type Tree } from './tree.ts';
import type { Indexes, MergeGroupKey, OrderKey, PartKey, QueueKey } from './model/indexes.ts';
import type { Limits, Session } from './model/session.ts';
import type { Task } from './model/task.ts';
import { busyPolicies } from './rules/when-busy.ts';
import { epoch, incarnation, turnId, type SessionKey, type TaskId } from './model/ids.ts';

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
    conversation: { id: null, reset: null, firstTurn: null, rewind: null, ending: null },
    assigned: null,
    assigning: null,
    answered: false,
    hold: null,
    agent: { kind: 'none' },
    passedOver: null,
    settling: [],
    fenced: false,
    tasks: treeOf<TaskId, Task>(byText),
    indexes: {
      order: treeOf<OrderKey, TaskId>(compareOrder),
      queue: treeOf<QueueKey, TaskId>(compareQueue),
      demand: treeOf<QueueKey, TaskId>(compareQueue),
      backgroundByAge: treeOf<number, TaskId>(byNumber),
      mergeGroups: treeOf<MergeGroupKey, TaskId>(compareMergeGroup),
      parts: treeOf<PartKey, TaskId>(compareParts),
      apart: 0,
    },
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

/** It is open, and has a place neither in the queue nor in an entry. */
export const standsApart = (task: Task | null): boolean => task?.stage === 'released' || task?.stage === 'unclaimed';

const waitingKey = (task: Task | null): QueueKey | null => (isWaiting(task) ? queueKey(task) : null);

const demands = (task: Task | null): boolean => isWaiting(task) && preempts(task);

/** Where another message of the group may end a task, though it has not the session. */
const groupStages: ReadonlySet<Task['stage']> = new Set(['waiting', 'collecting', 'released', 'unclaimed']);

function mergeGroupKey(task: Task | null): MergeGroupKey | null {
  if (task === null || task.mergeGroup === null || !groupStages.has(task.stage)) {
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

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Moves a task's entries in the indexes from what it was to what it is; null stands for not open. */
export function reindex(indexes: Mutable<Indexes>, was: Task | null, is: Task | null): void {
  const id = is?.id ?? was?.id;
  if (id === undefined) {
    return;
  }
  if (was?.stage !== is?.stage) {
    indexes.apart += (standsApart(is) ? 1 : 0) - (standsApart(was) ? 1 : 0);
  }
  if (was?.position !== is?.position) {
    indexes.order = rekey(indexes.order, was && orderKey(was), is && orderKey(is), id);
  }
  const wasKey = waitingKey(was);
  const isKey = waitingKey(is);
  if (wasKey !== null || isKey !== null) {
    indexes.queue = rekey(indexes.queue, wasKey, isKey, id);
    indexes.demand = rekey(indexes.demand, demands(was) ? wasKey : null, demands(is) ? isKey : null, id);
    indexes.backgroundByAge = rekey(indexes.backgroundByAge, ageOf(was), ageOf(is), id);
  }
  indexes.mergeGroups = rekey(indexes.mergeGroups, mergeGroupKey(was), mergeGroupKey(is), id);
  indexes.parts = rekey(indexes.parts, partKey(was), partKey(is), id);
}

/** The fields that the keys are made of, but those that never change. */
export const hasSameKeys = (was: Task, is: Task): boolean =>
  was.stage === is.stage &&
  was.status === is.status &&
  was.position === is.position &&
  was.lane === is.lane &&
  was.priority === is.priority &&
  was.whenBusy === is.whenBusy &&
  was.mergedInto === is.mergedInto &&
  was.leads === is.leads &&
  was.run === is.run &&
  was.call === is.call;

function rekey<K>(tree: Tree<K, TaskId>, was: K | null, is: K | null, id: TaskId): Tree<K, TaskId> {
  if (was === null) {
    return is === null ? tree : treePut(tree, is, id);
  }
  if (is === null) {
    return treeRemove(tree, was);
  }
  return tree.compare(was, is) === 0 ? tree : treePut(treeRemove(tree, was), is, id);
}

export const interactiveWaits = ({ indexes }: Pick<Session, 'indexes'>): boolean =>
  treeFirst(indexes.queue)?.key.rank === 0;
