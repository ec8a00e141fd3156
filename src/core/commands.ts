/** Cancel, stop, edit, move, evict, park: what senders and operators may ask of open tasks and of the session. */
import { type Draft, endTask, getTask, mustHold, mustTask, putTask, sessionEvent, taskEvent } from './draft.ts';
import type { InputOf } from './inputs.ts';
import type { TaskId } from './ids.ts';
import type { Task, Verdict } from './model.ts';
import type { Receipt, Refusal, Reply } from './outputs.ts';
import { isWaiting, queueKey } from './queue.ts';
import { treeEntries, treeNeighbours } from './tree.ts';
import { endHolder, endTurn, interruptTurn, killAgent, onWire, setTurn } from './turn.ts';

const OK: Reply = { kind: 'ok' };
const refused = (code: Refusal): Reply => ({ kind: 'refused', code });

/** Ends an open task, or asks for its end if its turn is on the wire. A second request gets the first one's receipt. */
function cancelTask(d: Draft, task: Task, verdict: Verdict): Receipt {
  const turn = task.place === 'holding' ? (d.s.hold?.turn ?? null) : null;
  if (!onWire(turn)) {
    const status = verdict.status;
    if (task.place === 'holding') {
      endHolder(d, verdict);
    } else {
      endTask(d, task.id, verdict);
    }
    return { task: task.id, state: 'acknowledged', status, turn: null };
  }
  if (task.verdict === null) {
    putTask(d, { ...task, verdict });
    taskEvent(d, task.id, 'cancel-requested', { reason: verdict.reason, by: verdict.by, turn: turn.id });
    interruptTurn(d, turn, 'verdict', verdict.by);
  }
  return { task: task.id, state: 'requested', status: task.status, turn: turn.id };
}

export function cancel(d: Draft, input: InputOf<'cancel'>): Reply {
  const task = getTask(d, input.task);
  if (task === null) {
    return refused('unknown_task');
  }
  const verdict: Verdict = { status: 'cancelled', reason: input.reason, by: input.by, data: null };
  return { kind: 'receipt', receipt: cancelTask(d, task, verdict) };
}

export function stop(d: Draft, input: InputOf<'stop'>): Reply {
  const owner = d.s.hold?.task ?? null;
  const ids: TaskId[] = [];
  if (input.scope !== 'turn') {
    for (const [id] of treeEntries(d.s.tasks)) {
      if (id !== owner) {
        ids.push(id);
      }
    }
  }
  if (input.scope !== 'queue' && owner !== null) {
    ids.push(owner);
  }
  const verdict: Verdict = { status: 'cancelled', reason: 'stopped', by: input.by, data: null };
  const receipts: Receipt[] = [];
  for (const id of ids) {
    receipts.push(cancelTask(d, mustTask(d, id), verdict));
  }
  return { kind: 'receipts', receipts };
}

export function edit(d: Draft, input: InputOf<'edit'>): Reply {
  const task = getTask(d, input.task);
  if (task === null) {
    return refused('unknown_task');
  }
  if (task.status !== 'queued' || task.taken || task.place === 'holding') {
    return refused('not_queued');
  }
  d.records.push({ type: 'payload', at: d.at, task: task.id, payload: input.payload });
  taskEvent(d, task.id, 'edited', { by: input.by });
  return OK;
}

/** Changes lane, priority or place of a task that has not run yet. */
export function move(d: Draft, input: InputOf<'move'>): Reply {
  const task = getTask(d, input.task);
  if (task === null) {
    return refused('unknown_task');
  }
  if (!isWaiting(task) || task.status !== 'queued') {
    return refused('not_queued');
  }
  const changed: Task = { ...task, lane: input.lane ?? task.lane, priority: input.priority ?? task.priority };
  const ord = input.where === null ? task.ord : placeOf(d, changed, input.where);
  if (ord === null) {
    return refused('not_movable');
  }
  if (input.where === 'last') {
    d.s.ord += 1;
  }
  putTask(d, { ...changed, ord });
  taskEvent(d, task.id, 'moved', { lane: changed.lane, priority: changed.priority, where: input.where, by: input.by });
  return OK;
}

/** The order number of a place among the tasks that compete with it on equal terms; null if there is no such place. */
function placeOf(d: Draft, task: Task, where: NonNullable<InputOf<'move'>['where']>): number | null {
  if (where === 'last') {
    return d.s.ord;
  }
  const key = queueKey(task);
  if (where === 'first') {
    const first = treeNeighbours(d.s.queue, { ...key, ord: Number.NEGATIVE_INFINITY }).from;
    return first === null || first.key.rank !== key.rank || first.key.priority !== key.priority
      ? task.ord
      : first.key.ord - 1;
  }
  const target = getTask(d, where.before);
  if (!isWaiting(target) || target.id === task.id) {
    return null;
  }
  const upper = queueKey(target);
  if (upper.rank !== key.rank || upper.priority !== key.priority) {
    return null;
  }
  const below = treeNeighbours(d.s.queue, upper).below;
  const lower =
    below !== null && below.key.rank === key.rank && below.key.priority === key.priority
      ? below.key.ord
      : upper.ord - 2;
  const middle = lower + (upper.ord - lower) / 2;
  return middle > lower && middle < upper.ord ? middle : null;
}

/** Takes the hold from its owner without its help. An agent in mid-turn is ended; the successor's prompt waits for that. */
export function evict(d: Draft, input: InputOf<'evict'>): Reply {
  const hold = d.s.hold;
  if (input.epoch !== null && input.epoch !== hold?.epoch) {
    return { kind: 'stale', what: 'epoch' };
  }
  if (hold === null) {
    return refused('nothing_held');
  }
  sessionEvent(d, 'evicted', { task: hold.task, epoch: hold.epoch, by: input.by });
  const turn = hold.turn;
  if (onWire(turn)) {
    killAgent(d, 'evicted');
    taskEvent(d, hold.task, 'turn-ended', { turn: turn.id, outcome: 'cancelled', data: { reason: 'evicted' } });
    disarmTurn(d, turn.id);
  }
  endHolder(d, { status: 'failed', reason: 'evicted', by: input.by, data: null });
  return OK;
}

function disarmTurn(d: Draft, turn: number): void {
  for (const timer of ['silence', 'drain', 'protected'] as const) {
    d.effects.push({ type: 'disarm', timer, of: turn });
  }
}

export function park(d: Draft, input: InputOf<'park'>): Reply {
  if (d.s.parked === null) {
    d.s.parked = input.reason;
    sessionEvent(d, 'parked', { reason: input.reason, by: input.by });
  }
  return OK;
}

export function unpark(d: Draft, input: InputOf<'unpark'>): Reply {
  if (d.s.parked === null) {
    return refused('not_parked');
  }
  sessionEvent(d, 'unparked', { reason: d.s.parked, by: input.by });
  d.s.parked = null;
  return OK;
}

/** Ends the agent; the turn on it is taken again by the next one and burns no attempt. */
export function restartAgent(d: Draft): Reply {
  const agent = d.s.agent;
  if (agent.kind === 'none') {
    return refused('agent_not_running');
  }
  killAgent(d, 'restart');
  if (d.s.hold !== null && onWire(d.s.hold.turn)) {
    endTurn(d, { kind: 'lost', reason: 'agent_restarted', burns: false });
  }
  return OK;
}

/** The hold limit: somebody has waited too long for this owner. */
export function limitReached(d: Draft): void {
  const hold = mustHold(d);
  const task = mustTask(d, hold.task);
  taskEvent(d, task.id, 'deadline', { name: 'hold', epoch: hold.epoch });
  const verdict: Verdict = { status: 'failed', reason: 'hold_limit', by: null, data: null };
  if (!onWire(hold.turn)) {
    setTurn(d, null);
    endHolder(d, verdict);
    return;
  }
  if (task.verdict === null) {
    putTask(d, { ...mustTask(d, task.id), verdict });
  }
  interruptTurn(d, hold.turn, 'verdict', null);
}
