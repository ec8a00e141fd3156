/**
 * Every task has a time of its own (rules 16, 18): what cannot run by then ends `failed`, `expired`, and its tape says what it waited
 * for. A turn on the wire and a runner at work are left alone; their task ends when it has to wait again.
 */
import { actorDeadline } from '../model/actor.ts';
import { type Draft, taskEvent } from '../draft.ts';
import type { Session } from '../model/session.ts';
import type { Task, Verdict } from '../model/task.ts';
import { endEntry } from './parts.ts';
import { endOwner } from './turn-end.ts';

/** A part waits as long as the task that it goes with. */
export const isExpiring = (task: Task | null): boolean =>
  task !== null && task.expiresAt !== null && task.mergedInto === null && !task.overdue;

/** Nothing of it is with the agent, and no runner of it is at work. `settled`: what a runner asked for could not begin. */
export function waits({ hold }: Pick<Session, 'hold'>, task: Task, settled: boolean): boolean {
  switch (task.stage) {
    case 'collecting':
    case 'waiting':
    case 'unclaimed':
      return true;
    case 'owner': {
      const turn = hold?.turn ?? null;
      return turn === null ? task.mode === 'prompt' || (settled && task.call !== null) : turn.phase === 'pending';
    }
    case 'merged':
    case 'steered':
    case 'released':
      return false;
  }
}

function waitsFor({ s }: Draft, task: Task): string {
  const { parked, throttle } = s;
  if (parked !== null) {
    return 'parked';
  }
  if (throttle !== null && (throttle.level === 'all' || task.lane === 'background')) {
    return throttle.reason;
  }
  if (task.stage === 'unclaimed') {
    return 'holder';
  }
  return task.stage === 'owner' ? 'agent' : 'session';
}

/** Ends what waits and is overdue, of the tasks that this step has changed. Whether there was any. `settled`: the owner is. */
export function endOverdue(d: Draft, settled: boolean): boolean {
  let ended = false;
  if (!d.overdue) {
    return ended;
  }
  for (const { id, task } of d.touched) {
    if (task !== null && task.overdue && waits(d.s, task, settled)) {
      taskEvent(d, id, 'expired', { waitsFor: waitsFor(d, task) });
      expire(d, task);
      ended = true;
    }
  }
  return ended;
}

/** It ends alone: what is merged into it has a time of its own, by which the next of them leads. */
function expire(d: Draft, task: Task): void {
  const by = actorDeadline('expiry');
  const verdict: Verdict = { status: 'failed', reason: 'expired', by, result: null, scope: 'task' };
  if (task.stage === 'owner') {
    endOwner(d, verdict, null);
  } else {
    endEntry(d, task, verdict, null);
  }
}
