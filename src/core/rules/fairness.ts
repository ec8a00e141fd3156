/**
 * Fairness (rule 17): interactive work and higher priorities go first, but nobody waits for ever. The session counts how often
 * others were granted before a background task that waits: the oldest when the count began. After `maxPassedOver` of them, or at the end of its wait
 * deadline, that task is due: it is granted next, and its turn is protected. The count ends with a turn of it that nobody cut short.
 */
import type { Draft } from '../draft.ts';
import type { TaskId } from '../model/ids.ts';
import type { PassedOver, Session } from '../model/session.ts';
import type { Task } from '../model/task.ts';
import { getTask } from '../draft.ts';
import { interactiveWaits } from '../queue.ts';
import { treeFirst, treeGet } from '../tree.ts';

type Fair = Pick<Session, 'passedOver' | 'indexes' | 'limits'>;

export const timesPassedOver = ({ passedOver }: Pick<Session, 'passedOver'>, id: TaskId): number =>
  passedOver?.task === id ? passedOver.times : 0;

/** Its next turn is protected. */
export const isDue = (session: Fair, task: Task): boolean =>
  task.lane === 'background' && timesPassedOver(session, task.id) >= session.limits.maxPassedOver;

/**
 * The task that was passed over, while it waits. An older one may have joined the line since (its window for further parts was
 * open); it is counted when this one has had its turn.
 */
const inLine = ({ passedOver, indexes }: Fair): PassedOver | null =>
  passedOver !== null && treeGet(indexes.backgroundByAge, passedOver.admission) !== undefined ? passedOver : null;

/** The one in line, or else the oldest that waits. */
function firstInLine(session: Fair): PassedOver | null {
  const oldest = treeFirst(session.indexes.backgroundByAge);
  return inLine(session) ?? (oldest === null ? null : { task: oldest.value, admission: oldest.key, times: 0 });
}

/** The task that comes before all others, or null. */
export function dueWaiter(session: Fair): TaskId | null {
  const waiter = inLine(session);
  return waiter !== null && waiter.times >= session.limits.maxPassedOver ? waiter.task : null;
}

/** The task whose wait the deadline limits, or null: it was passed over, and is not due yet. */
export function fairWaiter(session: Fair): TaskId | null {
  const waiter = inLine(session);
  return waiter !== null && waiter.times < session.limits.maxPassedOver ? waiter.task : null;
}

/** The task in line has waited long enough, however few were granted before it. */
export function becomeDue(d: Draft): void {
  const waiter = inLine(d.s);
  if (waiter !== null) {
    d.s.passedOver = { ...waiter, times: d.s.limits.maxPassedOver };
  }
}

/**
 * The owner gives way at the hold limit. The first in line is due, unless an interactive task comes next. The owner itself
 * is counted again when that one has had its turn.
 */
export function lineUp(d: Draft): void {
  const waiter = firstInLine(d.s);
  if (waiter !== null) {
    d.s.passedOver = interactiveWaits(d.s) ? waiter : { ...waiter, times: d.s.limits.maxPassedOver };
  }
}

/** Before the grant of a task: the one in line, or else the oldest that waits, was passed over, unless it is the one. */
export function countPassedOver(d: Draft, granted: TaskId): void {
  const waiter = firstInLine(d.s);
  if (waiter !== null && waiter.task !== granted) {
    d.s.passedOver = { ...waiter, times: Math.min(waiter.times + 1, d.s.limits.maxPassedOver) };
  }
}

/** A turn of it has ended by itself, its protection is over, or it was given another place: it is counted anew. */
export function hadItsTurn(d: Draft, id: TaskId): void {
  if (d.s.passedOver?.task === id) {
    d.s.passedOver = null;
  }
}

/** The count is for background tasks that are open. */
export function forgetPassedOver(d: Draft): void {
  const { passedOver } = d.s;
  if (passedOver !== null && getTask(d, passedOver.task)?.lane !== 'background') {
    d.s.passedOver = null;
  }
}
