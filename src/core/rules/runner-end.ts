/** How a task loses its runner, of code or outside the daemon, and what that means for the task. */
import { type Draft, endTask, mustTask, putTask, taskEvent } from '../draft.ts';
import type { LossReason } from '../model/reasons.ts';
import type { Task } from '../model/task.ts';
import { burnsAttempt, isLastAttempt, restingStage } from './turn-end.ts';

/** A runner that waited without its turn is lost. The hold is the caller's. */
export function loseRunner(d: Draft, task: Task, reason: LossReason): void {
  const burns = burnsAttempt(d, task, reason);
  taskEvent(d, task.id, 'attempt-lost', { reason, attempt: task.attempts });
  if (isLastAttempt(d, task, reason)) {
    endTask(d, task.id, { status: 'failed', reason, by: null, result: null }, null);
    return;
  }
  const attempt = burns ? task.attempts + 1 : task.attempts;
  taskEvent(d, task.id, 'attempt-retried', { attempt, reason });
  forgetRunner(d, { ...mustTask(d, task.id), attempts: attempt }, 'lost');
}

/** The next grant starts another runner, and counts it: a task that waits without one is not charged for a second crash. */
export function forgetRunner(d: Draft, task: Task, reason: string): void {
  abortRunner(d, task, reason);
  const left = { ...task, run: null, holder: null, call: null };
  // The turn of a lost holder may still be on the wire.
  const stage = d.s.hold?.task === task.id ? task.stage : restingStage(left);
  putTask(d, { ...left, stage, attempts: task.attempts - 1, started: false, interruptedMidTurn: true });
}

export function abortRunner(d: Draft, { id, run }: Task, reason: string): void {
  if (run !== null) {
    d.effects.push({ type: 'abort', task: id, run, reason });
  }
}
