/**
 * Holders: the runners of external tasks, programs outside the daemon that claim a task and are granted the session for it. What they say
 * then is fenced like what a code runner says (`runner.ts`). A holder that is silent for longer than its lease is lost, and its epoch is stale.
 */
import { actorDeadline } from '../model/actor.ts';
import { type Draft, getTask, putTask, taskEvent } from '../draft.ts';
import { invariant } from '../errors.ts';
import type { InputOf } from '../model/inputs.ts';
import type { Claimed, Refusal, RuleReply } from '../model/replies.ts';
import type { Task, Verdict } from '../model/task.ts';
import { abortRunner, forgetRunner } from './runner-end.ts';
import { interruptTurn, onWire } from './turn.ts';
import { endOrInterrupt, isLastAttempt, restingStage, yieldHold } from './turn-end.ts';

/** Somebody has claimed it, and has to give signs of life. */
export const isLeased = (task: Task | null): boolean => task !== null && task.holder !== null;

const refused = (code: Refusal): RuleReply => ({ kind: 'refused', code });

/** A program is there for a task. The one that is there already may ask again, and learns what has become of its claim. */
export function claim(d: Draft, { task: id, holder: name, leaseMs }: InputOf<'claim'>): RuleReply {
  const task = getTask(d, id);
  if (task === null) {
    return refused('unknown_task');
  }
  if (task.mode !== 'external') {
    return refused('not_external');
  }
  const { holder, stage } = task;
  if (holder !== null) {
    return holder.name === name ? claimed(task) : refused('task_claimed');
  }
  // The turn of a lost holder may still be drained: then the task waits after that.
  const next = stage === 'unclaimed' ? 'waiting' : stage;
  putTask(d, { ...task, stage: next, holder: { name, leaseMs, told: false, answered: null } });
  taskEvent(d, id, 'claimed', { holder: name, leaseMs });
  return claimed(task);
}

export const claimed = ({ run, attempts, interruptedMidTurn, holder }: Task): Claimed => ({
  kind: 'claimed',
  run,
  attempt: attempts,
  interruptedMidTurn,
  call: holder?.answered?.call ?? null,
});

/** It knows of its grant: by the answer to its claim, or it would not speak under its epoch. */
export const knowsOfGrant = (d: Draft, task: Task): Task =>
  task.holder === null || task.holder.told || task.run === null
    ? task
    : putTask(d, { ...task, holder: { ...task.holder, told: true } });

/**
 * The holder has said nothing for its whole lease. A claim alone is dropped, also where the grant came when nobody listened any more; a holder
 * that knew of its grant is lost.
 */
export function lapse(d: Draft, task: Task): void {
  const { holder, run, id } = task;
  invariant(holder !== null, 'a lease is that of a holder');
  taskEvent(d, id, 'lease-lapsed', { holder: holder.name, epoch: run });
  if (run === null) {
    putTask(d, { ...task, holder: null, stage: task.stage === 'waiting' ? 'unclaimed' : task.stage });
  } else if (task.verdict !== null) {
    // It ends with its turn, which is being interrupted.
    abortRunner(d, task, 'holder_lost');
    putTask(d, { ...task, run: null, holder: null, call: null });
  } else if (!holder.told) {
    dropGrant(d, task);
  } else {
    loseHolder(d, task);
  }
}

/** Nothing was begun under its grant: the attempt is not counted, and the next holder hears of no other. */
function dropGrant(d: Draft, task: Task): void {
  abortRunner(d, task, 'holder_lost');
  const left = { ...task, run: null, holder: null, attempts: task.attempts - 1 };
  if (d.s.hold?.task === task.id) {
    putTask(d, left);
    yieldHold(d, actorDeadline('lease'));
  } else {
    putTask(d, { ...left, stage: restingStage(left) });
  }
}

/**
 * The holder's death is its own doing, as that of a code runner that took its daemon along: it costs an attempt. Its turn is interrupted
 * and drained, and the answer of that goes to nobody.
 */
function loseHolder(d: Draft, task: Task): void {
  const { id, attempts } = task;
  const reason = 'holder_lost';
  const by = actorDeadline('lease');
  taskEvent(d, id, 'attempt-lost', { reason, attempt: attempts });
  if (isLastAttempt(d, task, reason)) {
    const verdict: Verdict = { status: 'failed', reason, by, result: null, scope: 'task' };
    abortRunner(d, task, reason);
    endOrInterrupt(d, putTask(d, { ...task, run: null, holder: null, call: null }), verdict);
    return;
  }
  taskEvent(d, id, 'attempt-retried', { attempt: attempts + 1, reason });
  forgetRunner(d, { ...task, attempts: attempts + 1 }, reason);
  const hold = d.s.hold;
  if (hold === null || hold.task !== id) {
    return;
  }
  if (onWire(hold.turn)) {
    interruptTurn(d, hold.turn, 'release', by);
  } else {
    yieldHold(d, by);
  }
}
