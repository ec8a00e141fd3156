/** What a session does when a daemon loads it from the store, when a defect stops it, and when another daemon takes it. */
import { type Draft, getTask, mustTask, putTask, sessionEvent, setHold } from '../draft.ts';
import { invariant } from '../errors.ts';
import type { InputOf } from '../model/inputs.ts';
import type { Hold } from '../model/session.ts';
import type { Task } from '../model/task.ts';
import type { Reply } from '../model/replies.ts';
import { treeEntries } from '../tree.ts';
import { abortRunner, forgetRunner, loseRunner } from './runner-end.ts';
import { endTurn, restingStage } from './turn-end.ts';
import { outranks } from './commands.ts';
import { killAgent } from './agent-end.ts';
import { onWire } from './turn.ts';

const okReply: Reply = { kind: 'ok' };

/** First input after a rebuild: the old node's agent, code runners and timers are gone with it. */
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
    } else if (losesRunner(task, reason)) {
      loseRunner(d, task, reason);
    } else if (task.stage === 'waiting' && restingStage(task) === 'unclaimed') {
      // Who had claimed it was known to the old node alone; a holder asks again.
      putTask(d, { ...task, stage: 'unclaimed' });
    }
  }
  if (hold !== null) {
    giveUpOwner(d, hold, reason);
  }
}

/** Ends by its policy, or takes its place in the order again; the next grant is under a new epoch. */
function giveUpOwner(d: Draft, hold: Hold, reason: 'node_restarted' | 'fault'): void {
  const lost = onWire(hold.turn);
  if (lost) {
    endTurn(d, { kind: 'lost', reason });
  }
  setHold(d, null);
  if (getTask(d, hold.task) === null) {
    return;
  }
  const left = mustTask(d, hold.task);
  const task = putTask(d, { ...left, stage: restingStage(left) });
  if (!losesRunner(task, reason)) {
    return;
  }
  if (lost) {
    // Its loss was told with the turn.
    forgetRunner(d, task, 'lost');
  } else {
    loseRunner(d, task, reason);
  }
}

/**
 * A fault takes only runners that live; what a dead node had is not known any more, and all its code runners count as lost. A holder is
 * another program: it lives on when the node dies, and its lease begins again.
 */
const losesRunner = ({ mode, status, run }: Task, reason: 'node_restarted' | 'fault'): boolean =>
  status === 'running' && mode !== 'prompt' && (reason === 'fault' ? run !== null : mode === 'code');

/**
 * The lease is lost: this node ends what it runs and decides nothing more. Nothing is recorded, the store would refuse it. A holder goes
 * on with the next node.
 */
export function fenced(d: Draft): Reply {
  const agent = d.s.agent;
  if (agent.kind === 'starting' || agent.kind === 'up') {
    d.effects.push({ type: 'kill', incarnation: agent.incarnation });
  }
  for (const [, task] of treeEntries(d.s.tasks)) {
    if (task.mode === 'code') {
      abortRunner(d, task, 'fenced');
    }
  }
  d.s.fenced = true;
  return okReply;
}
