/** The ends of a session on a node: taken up again from the store, or lost to another node (design, sections 4 and 8). */
import { type Draft, endTask, getTask, mustTask, putTask, sessionEvent, setHold, taskEvent } from './draft.ts';
import { invariant } from './errors.ts';
import type { Hold, Task } from './model.ts';
import type { Reply } from './outputs.ts';
import { treeEntries } from './tree.ts';
import { endTurn, onWire } from './turn.ts';

const OK: Reply = { kind: 'ok' };

/**
 * The old node's agent and runners are gone. The owner goes back to the queue or ends, by its policy; code tasks that had a
 * runner start it again as a new attempt; open windows for further parts are closed.
 */
export function recovered(d: Draft): Reply {
  invariant(d.s.agent.kind === 'none', 'a rebuilt session has no agent');
  sessionEvent(d, 'recovered', { hold: d.s.hold?.task ?? null });
  const owner = d.s.hold?.task ?? null;
  for (const [id] of treeEntries(d.s.tasks)) {
    const task = getTask(d, id);
    if (id !== owner && task !== null) {
      recoverWaiting(d, task);
    }
  }
  if (d.s.hold !== null) {
    recoverOwner(d, d.s.hold);
  }
  return OK;
}

/** Its runner died with the old node; the next grant starts another. */
const forgetRunner = (task: Task): Task => ({ ...task, begun: false, run: null, call: null });

function recoverWaiting(d: Draft, was: Task): void {
  const task = was.place === 'collecting' ? putTask(d, { ...was, place: 'waiting' }) : was;
  if (task.mode === 'code' && task.status === 'running') {
    loseRunner(d, task);
  }
}

/** Its runner was in the memory of a dead process. */
function loseRunner(d: Draft, task: Task): void {
  taskEvent(d, task.id, 'lost', { reason: 'node_restarted', attempt: task.attempts });
  if (task.onLost === 'fail' || task.attempts >= task.maxAttempts) {
    endTask(d, task.id, { status: 'failed', reason: 'node_restarted', by: null, data: { attempts: task.attempts } });
    return;
  }
  const attempts = task.attempts + 1;
  putTask(d, { ...forgetRunner(mustTask(d, task.id)), attempts, cut: true });
  taskEvent(d, task.id, 'retried', { attempt: attempts, reason: 'node_restarted' });
}

/** Ends by its policy, or takes its place in the order again, under a new epoch. */
function recoverOwner(d: Draft, hold: Hold): void {
  const lost = onWire(hold.turn);
  if (lost) {
    endTurn(d, { kind: 'lost', reason: 'node_restarted', burns: true });
  }
  const task = getTask(d, hold.task);
  setHold(d, null);
  if (task === null) {
    return;
  }
  putTask(d, { ...task, place: 'waiting' });
  if (task.mode === 'code' && !lost) {
    loseRunner(d, mustTask(d, task.id));
  } else if (task.mode === 'code') {
    putTask(d, { ...forgetRunner(mustTask(d, task.id)), cut: true });
  }
}

/** The lease is lost: this node ends what it runs and decides nothing more. Nothing is recorded, the store would refuse it. */
export function fenced(d: Draft): Reply {
  const agent = d.s.agent;
  if (agent.kind === 'starting' || agent.kind === 'up') {
    d.effects.push({ type: 'kill', inc: agent.inc });
  }
  for (const [id, task] of treeEntries(d.s.tasks)) {
    if (task.run !== null) {
      d.effects.push({ type: 'abort', task: id, run: task.run, reason: 'fenced' });
    }
  }
  d.s.fenced = true;
  return OK;
}
