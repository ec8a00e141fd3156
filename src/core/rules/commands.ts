/** Cancel, stop, edit, move, evict, park: what senders and operators may ask of open tasks and of the session. */
import { type Draft, getTask, mustTask, putTask, sessionEvent, taskEvent } from '../draft.ts';
import type { InputOf } from '../model/inputs.ts';
import type { Parked, ParkedKind } from '../model/session.ts';
import type { Task, Verdict } from '../model/task.ts';
import type { Receipt, Refusal, Reply } from '../model/replies.ts';
import { mergedTasks, steeredLeave, steeredTasks, stopSettling } from './parts.ts';
import { entryOf, isWaiting, queueKey } from '../queue.ts';
import { treeEntries, treeNeighbours } from '../tree.ts';
import { endedReceipt, endOwner, endOrInterrupt, endTurn } from './turn-end.ts';
import { killAgent } from './agent-end.ts';
import { hadItsTurn } from './fairness.ts';
import { onWire } from './turn.ts';

const okReply: Reply = { kind: 'ok' };
const refused = (code: Refusal): Reply => ({ kind: 'refused', code });

export function cancel(d: Draft, input: InputOf<'cancel'>): Reply {
  const task = getTask(d, input.task);
  if (task === null) {
    return refused('unknown_task');
  }
  const verdict: Verdict = { status: 'cancelled', reason: input.reason, by: input.by, result: null, scope: 'task' };
  return { kind: 'receipt', receipt: endOrInterrupt(d, task, verdict) };
}

/** `turn`: the owner and the parts of its turn. `queue`: all others. `session`: both. */
export function stop(d: Draft, input: InputOf<'stop'>): Reply {
  const owner = d.s.hold === null ? null : mustTask(d, d.s.hold.task);
  const verdict: Verdict = { status: 'cancelled', reason: 'stopped', by: input.by, result: null, scope: 'all' };
  const receipts: Receipt[] = [];
  const entry = owner === null ? null : entryOf(owner);
  const leave = owner !== null && steeredLeave(d.s, owner);
  if (input.scope !== 'turn') {
    stopSettling(d, verdict);
    for (const [id, task] of treeEntries(d.s.tasks)) {
      if (task.mergedInto === null && id !== owner?.id) {
        receipts.push(endOrInterrupt(d, task, verdict));
      } else if (task.mergedInto !== null && (task.mergedInto !== entry || (leave && task.stage === 'steered'))) {
        // Its end is decided with that of the task that leads its entry.
        receipts.push(endedReceipt(id, verdict, null));
      }
    }
  }
  if (input.scope !== 'queue' && owner !== null) {
    const parts = [...mergedTasks(d.s, owner), ...(leave ? [] : steeredTasks(d.s, owner))];
    const receipt = endOrInterrupt(d, owner, verdict);
    for (const id of parts) {
      receipts.push(getTask(d, id) === null ? endedReceipt(id, verdict, receipt.turn) : { ...receipt, task: id });
    }
    receipts.push(receipt);
  }
  return { kind: 'receipts', receipts };
}

export function edit(d: Draft, input: InputOf<'edit'>): Reply {
  const task = getTask(d, input.task);
  if (task === null) {
    return refused('unknown_task');
  }
  if (task.status !== 'queued' || task.stage === 'steered') {
    return refused('not_queued');
  }
  d.records.push({ type: 'payload', at: d.at, task: task.id, payload: input.payload });
  taskEvent(d, task.id, 'edited', { title: input.title, by: input.by });
  return okReply;
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
  const position = input.where === null ? task.position : positionOf(d, changed, input.where);
  if (position === null) {
    return refused('not_movable');
  }
  d.s.nextPosition += 1;
  if (input.where !== null) {
    // Its place is what the operator says, and is counted anew.
    hadItsTurn(d, task.id);
  }
  putTask(d, { ...changed, position });
  const { lane, priority } = changed;
  taskEvent(d, task.id, 'moved', { lane, priority, where: input.where, by: input.by });
  return okReply;
}

/** The order number of a place among the tasks that compete with it on equal terms; null if there is no such place. */
function positionOf(d: Draft, task: Task, where: NonNullable<InputOf<'move'>['where']>): number | null {
  if (where === 'last') {
    return d.s.nextPosition;
  }
  // Below all that was ever given, since `nextPosition` only grows: a place of its own, as every admission has.
  const first = -1 - d.s.nextPosition;
  if (where === 'first') {
    return first;
  }
  const key = queueKey(task);
  const target = getTask(d, where.before);
  if (!isWaiting(target) || target.id === task.id) {
    return null;
  }
  const upper = queueKey(target);
  if (upper.rank !== key.rank || upper.priority !== key.priority) {
    return null;
  }
  const below = treeNeighbours(d.s.queue, upper).below;
  if (below === null || below.key.rank !== key.rank || below.key.priority !== key.priority) {
    return first;
  }
  const lower = below.key.position;
  const middle = lower + (upper.position - lower) / 2;
  return middle > lower && middle < upper.position ? middle : null;
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
  const task = mustTask(d, hold.task);
  const scope = onWire(hold.turn) ? 'turn' : 'task';
  const verdict: Verdict = task.verdict ?? { status: 'failed', reason: 'evicted', by: input.by, result: null, scope };
  if (onWire(hold.turn)) {
    putTask(d, { ...task, verdict });
    killAgent(d, 'evicted', input.by);
    endTurn(d, { kind: 'lost', reason: 'evicted', burns: false });
  } else {
    endOwner(d, verdict, null);
  }
  return okReply;
}

const parkedRank: { readonly [K in ParkedKind]: number } = { closing: 0, fault: 1, operator: 2 };

/** Whether a park of this kind stands in place of the present one: a fault must not end what the operator asked for. */
export const outranks = (kind: ParkedKind, present: Parked | null): boolean =>
  present === null || parkedRank[kind] >= parkedRank[present.kind];

/** A later park stands in place of the present one, unless that is of a higher rank: then it changes nothing. */
export function park(d: Draft, { kind, reason, by }: InputOf<'park'>): Reply {
  if (outranks(kind, d.s.parked)) {
    d.s.parked = { kind, reason, by };
    sessionEvent(d, 'parked', d.s.parked);
  }
  return okReply;
}

export function unpark(d: Draft, input: InputOf<'unpark'>): Reply {
  if (d.s.parked === null) {
    return refused('not_parked');
  }
  sessionEvent(d, 'unparked', { ...d.s.parked, by: input.by });
  d.s.parked = null;
  return okReply;
}

/** Sets or lifts the throttle. The tape says both; it does not say that only the time has changed. */
export function throttle(d: Draft, input: InputOf<'throttle'>): Reply {
  const before = d.s.throttle;
  const next = input.throttle;
  d.s.throttle = next;
  if (before?.level !== next?.level || before?.reason !== next?.reason) {
    if (next === null) {
      sessionEvent(d, 'unthrottled', { reason: before?.reason ?? null });
    } else {
      sessionEvent(d, 'throttled', next);
    }
  }
  return okReply;
}

export function report(d: Draft, input: InputOf<'report'>): Reply {
  sessionEvent(d, 'hang-reported', input.note);
  return okReply;
}

/** Ends the agent; the turn on it is taken again by the next one and burns no attempt. */
export function restartAgent(d: Draft, input: InputOf<'restart-agent'>): Reply {
  const agent = d.s.agent;
  if (agent.kind === 'none') {
    return refused('agent_not_running');
  }
  killAgent(d, 'restart', input.by);
  if (d.s.hold !== null && onWire(d.s.hold.turn)) {
    endTurn(d, { kind: 'lost', reason: 'agent_restarted', burns: false });
  }
  return okReply;
}
