/** What a session does when a daemon loads it from the store, when a defect stops it, and when another daemon takes it. */
import { type Draft, endTask, getTask, mustTask, putTask, sessionEvent, setHold, taskEvent } from '../draft.ts';
import { invariant } from '../errors.ts';
import type { InputOf } from '../model/inputs.ts';
import type { LossReason } from '../model/reasons.ts';
import type { Hold } from '../model/session.ts';
import type { Task } from '../model/task.ts';
import type { Reply } from '../model/replies.ts';
import { treeEntries } from '../tree.ts';
import { burnsAttempt, endTurn } from './turn-end.ts';
import { outranks } from './commands.ts';
import { killAgent } from './agent-end.ts';
import { onWire } from './turn.ts';

const okReply: Reply = { kind: 'ok' };

/** First input after a rebuild: the old node's agent, runners and timers are gone with it. */
export function recovered(d: Draft): Reply {
  invariant(d.s.agent.kind === 'none', 'a rebuilt session has no agent');
  sessionEvent(d, 'recovered', { owner: d.s.hold?.task ?? null });
  giveUp(d, 'node_restarted');
  return okReply;
}

/**
 * `step` has thrown: what the lost input was about is unknown, so nothing outside is relied on, and nothing more is granted
 * or sent until `unpark`.
 */
export function fault(d: Draft, input: InputOf<'fault'>): Reply {
  if (outranks('fault', d.s.parked)) {
    d.s.parked = { kind: 'fault', reason: input.reason, by: null };
  }
  sessionEvent(d, 'fault', { reason: input.reason });
  killAgent(d, 'fault');
  giveUp(d, 'fault');
  return okReply;
}

/**
 * The owner goes back to the queue or ends, by its policy; code tasks that had a runner start another; open windows for
 * further parts are closed.
 */
function giveUp(d: Draft, reason: 'node_restarted' | 'fault'): void {
  const hold = d.s.hold;
  for (const [id] of treeEntries(d.s.tasks)) {
    const task = getTask(d, id);
    if (task === null || id === hold?.task) {
      continue;
    }
    if (task.stage === 'collecting') {
      putTask(d, { ...task, stage: 'waiting' });
    } else if (
      task.mode === 'code' &&
      task.status === 'running' &&
      (reason === 'node_restarted' || task.run !== null)
    ) {
      // A fault takes only runners that live; what a dead node had is not known any more, and all count as lost.
      loseRunner(d, task, reason);
    }
  }
  if (hold !== null) {
    giveUpOwner(d, hold, reason);
  }
}

/** Ends by its policy, or takes its place in the order again; the next grant is under a new epoch. */
function giveUpOwner(d: Draft, hold: Hold, reason: LossReason): void {
  const lost = onWire(hold.turn);
  if (lost) {
    endTurn(d, { kind: 'lost', reason });
  }
  setHold(d, null);
  if (getTask(d, hold.task) === null) {
    return;
  }
  const task = putTask(d, { ...mustTask(d, hold.task), stage: 'waiting' });
  if (task.mode === 'code' && lost) {
    // Its loss was told with the turn.
    forgetRunner(d, task);
  } else if (task.mode === 'code') {
    loseRunner(d, task, reason);
  }
}

function loseRunner(d: Draft, task: Task, reason: LossReason): void {
  const burns = burnsAttempt(d, task, reason);
  taskEvent(d, task.id, 'attempt-lost', { reason, attempt: task.attempts });
  if (task.onLost === 'fail' || (burns && task.attempts >= task.maxAttempts)) {
    endTask(d, task.id, { status: 'failed', reason, by: null, result: null }, null);
    return;
  }
  const attempt = burns ? task.attempts + 1 : task.attempts;
  taskEvent(d, task.id, 'attempt-retried', { attempt, reason });
  forgetRunner(d, { ...mustTask(d, task.id), attempts: attempt });
}

/** The next grant starts another runner, and counts it: a task that waits without one is not charged for a second crash. */
function forgetRunner(d: Draft, task: Task): void {
  if (task.run !== null) {
    d.effects.push({ type: 'abort', task: task.id, run: task.run, reason: 'lost' });
  }
  const attempts = task.attempts - 1;
  putTask(d, { ...task, stage: 'waiting', attempts, started: false, interruptedMidTurn: true, run: null, call: null });
}

/** The lease is lost: this node ends what it runs and decides nothing more. Nothing is recorded, the store would refuse it. */
export function fenced(d: Draft): Reply {
  const agent = d.s.agent;
  if (agent.kind === 'starting' || agent.kind === 'up') {
    d.effects.push({ type: 'kill', incarnation: agent.incarnation });
  }
  for (const [id, task] of treeEntries(d.s.tasks)) {
    if (task.run !== null) {
      d.effects.push({ type: 'abort', task: id, run: task.run, reason: 'fenced' });
    }
  }
  d.s.fenced = true;
  return okReply;
}
