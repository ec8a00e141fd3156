/** The indexes of the open tasks: functions of them, kept by `reindex` (queue.ts), so that no step looks at every task. */
import type { TaskId } from './ids.ts';
import type { Tree } from '../tree.ts';

/** Key of the waiting queue: rank 0 interactive, 1 preempted background, 2 background; then priority (high first), then position. */
export interface QueueKey {
  readonly rank: 0 | 1 | 2;
  readonly priority: number;
  readonly position: number;
  readonly id: TaskId;
}

/** `id` keeps two tasks apart while a step gives many of them new positions. */
export interface OrderKey {
  readonly position: number;
  readonly id: TaskId;
}

/**
 * Key of the parts of an entry: the tasks whose text goes with the prompt of another task, and those that were steered into its
 * turn. An entry is named by the task that opened it. Rank 0: merged, the entry was not granted yet; 1: merged; 2: steered; 3: the
 * task that leads the entry, where that is another than the one that opened it.
 */
export interface PartKey {
  readonly entry: TaskId;
  readonly rank: 0 | 1 | 2 | 3;
  readonly admission: number;
}

/**
 * Key of the tasks of a merge group that another message of the group may end, or be merged into, while they wait. Rank 0: an
 * interactive task that was granted before; 1: an interactive task that is to interrupt, and was not granted yet; 2: any other that was
 * not granted yet.
 */
export interface MergeGroupKey {
  readonly mergeGroup: string;
  readonly rank: 0 | 1 | 2;
  readonly admission: number;
}

export interface Indexes {
  /** All open tasks by position. */
  readonly order: Tree<OrderKey, TaskId>;
  /** The tasks that wait. */
  readonly queue: Tree<QueueKey, TaskId>;
  /** Waiting interactive tasks that want the running background turn interrupted: the demand, a set of ids. */
  readonly demand: Tree<QueueKey, TaskId>;
  /** Background tasks that wait for a turn, by admission. */
  readonly backgroundByAge: Tree<number, TaskId>;
  /** For `collect`, `replace`, `interrupt` and `rollback`. */
  readonly mergeGroups: Tree<MergeGroupKey, TaskId>;
  readonly parts: Tree<PartKey, TaskId>;
  /** How many tasks are `released` or `unclaimed`: they are few, and looked for only where there is one. */
  readonly apart: number;
}
