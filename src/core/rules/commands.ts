/** Cancel, stop, edit, move, evict, park: what senders and operators may ask of open tasks and of the session. */
import { type Draft, getTask, mustTask, putTask, sessionEvent, taskEvent } from '../draft.ts';
import type { InputOf } from '../model/inputs.ts';
import type { Parked, ParkedKind, Session } from '../model/session.ts';
import type { TaskId } from '../model/ids.ts';
import { defaultWhenBusy, type Task, type Verdict } from '../model/task.ts';
import type { Receipt, Refusal, Reply } from '../model/replies.ts';
import { decidedEnd, leaderOf, mergedTasks, partsBut, steeredLeave, steeredTasks, stopSettling } from './parts.ts';
import { entryOf, queueKey, standsApart } from '../queue.ts';
import { firstValues, treeValues } from '../tree.ts';
import { endedReceipt, endOwner, endOrInterrupt, endTurn, yieldHold } from './turn-end.ts';
import { killAgent } from './agent-end.ts';
import { hadItsTurn } from './fairness.ts';
import { positionAt } from './position.ts';
import { interruptTurn, onWire } from './turn.ts';

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
    const goesOn = input.goesOn === true;
    if (!goesOn) {
      stopSettling(d, verdict);
    }
    const parts = goesOn ? [] : partsBut(d, entry, leave);
    const atMost = input.atMost ?? Number.POSITIVE_INFINITY;
    const waiting = waitingTasks(d, atMost + 1);
    for (const id of waiting.slice(0, atMost)) {
      receipts.push(endOrInterrupt(d, mustTask(d, id), verdict));
    }
    for (const id of parts) {
      // Its end is decided with that of the task that leads its entry.
      receipts.push(endedReceipt(id, decidedEnd(d.s, mustTask(d, id)) ?? verdict, null));
    }
    if (waiting.length > atMost) {
      return { kind: 'receipts', receipts, more: true };
    }
  }
  if (input.scope !== 'queue' && owner !== null) {
    const merged = mergedTasks(d.s, owner);
    const steered = leave ? [] : steeredTasks(d.s, owner);
    const receipt = endOrInterrupt(d, owner, verdict);
    for (const id of merged) {
      receipts.push(receiptOf(id, receipt));
    }
    for (const id of steered) {
      receipts.push(getTask(d, id) === null ? endedReceipt(id, verdict, receipt.turn) : receiptOf(id, receipt));
    }
    receipts.push(receipt);
  }
  return { kind: 'receipts', receipts };
}

/** So many of the tasks that wait at least, or all: in the queue, with an open window for further parts or without a holder, and those whose runners work without the session. */
const waitingTasks = (d: Draft, count: number): readonly TaskId[] => {
  const queued = firstValues(d.s.indexes.queue, count);
  return queued.length >= count ? queued : [...queued, ...othersWaiting(d)];
};

const othersWaiting = (d: Draft): readonly TaskId[] => [
  ...treeValues(d.s.indexes.mergeGroups).filter((id) => mustTask(d, id).stage === 'collecting'),
  ...(d.s.indexes.apart === 0 ? [] : tasksApart(d.s.tasks.root)),
];

/** In the order of their ids. */
function tasksApart(node: Session['tasks']['root'], found: TaskId[] = []): readonly TaskId[] {
  if (node !== null) {
    tasksApart(node.left, found);
    if (standsApart(node.value)) {
      found.push(node.key);
    }
    tasksApart(node.right, found);
  }
  return found;
}

/** Each field is written out: a spread behind it is ten times slower, and there may be thousands. */
const receiptOf = (task: TaskId, { state, status, verdict, reason, turn }: Receipt): Receipt => ({
  task,
  state,
  status,
  verdict,
  reason,
  turn,
});

/** Changes the text of a task that no agent and no runner has yet. */
export function edit(d: Draft, input: InputOf<'edit'>): Reply {
  const task = getTask(d, input.task);
  if (task === null) {
    return refused('unknown_task');
  }
  if (isTextSent(d, task)) {
    return refused('text_sent');
  }
  d.records.push({ type: 'payload', at: d.at, task: task.id, payload: input.payload });
  taskEvent(d, task.id, 'edited', { title: input.title, by: input.by });
  return okReply;
}

/**
 * The text of a task with a runner goes to that, with the first grant. A merged text goes with the prompt of its entry, and one that was
 * steered as soon as the agent has confirmed the turn.
 */
function isTextSent(d: Draft, task: Task): boolean {
  if (task.mode !== 'prompt') {
    return task.status === 'running';
  }
  if (task.stage === 'steered') {
    return task.delivered || d.s.hold?.turn?.phase !== 'sent';
  }
  const leader = task.mergedInto === null ? task : leaderOf(d, task.mergedInto);
  return leader === null || leader.started || isOnWire(d, leader);
}

const isOnWire = (d: Draft, task: Task): boolean => d.s.hold?.task === task.id && onWire(d.s.hold.turn);

/** Changes lane, priority or place of a task. An owner with no turn on the wire gives the session up for it. */
export function move(d: Draft, input: InputOf<'move'>): Reply {
  const task = getTask(d, input.task);
  if (task === null) {
    return refused('unknown_task');
  }
  if (task.mergedInto !== null) {
    return refused('task_merged');
  }
  if (isOnWire(d, task)) {
    return refused('turn_sent');
  }
  const { where, by } = input;
  const change = { lane: input.lane ?? task.lane, priority: input.priority ?? task.priority };
  if (typeof where === 'object' && where !== null && !isEqual(d, { ...task, ...change }, where.before)) {
    return refused('not_movable');
  }
  if (task.stage === 'owner') {
    yieldHold(d, by);
  }
  if (where !== null) {
    // Its place is what the operator says, and is counted anew.
    hadItsTurn(d, task.id);
  }
  const position = where === null ? task.position : positionAt(d, task, where);
  // What its old lane had it do by default, its new lane decides.
  const whenBusy = task.whenBusy === defaultWhenBusy[task.lane] ? defaultWhenBusy[change.lane] : task.whenBusy;
  putTask(d, { ...mustTask(d, task.id), ...change, whenBusy, position });
  taskEvent(d, task.id, 'moved', { ...change, where, by });
  return okReply;
}

/** Whether the other task has a place, now or when its window closes, and only their positions decide which of the two is granted first. */
function isEqual(d: Draft, task: Task, id: TaskId): boolean {
  const other = getTask(d, id);
  if (other === null || id === task.id || (other.stage !== 'waiting' && other.stage !== 'collecting')) {
    return false;
  }
  const [one, two] = [queueKey(task), queueKey(other)];
  return one.rank === two.rank && one.priority === two.priority;
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
    endTurn(d, { kind: 'lost', reason: 'evicted' });
  } else {
    endOwner(d, verdict, null);
  }
  return okReply;
}

const parkedRank: { readonly [K in ParkedKind]: number } = { closing: 0, fault: 1, operator: 2 };

/** Whether a park of this kind stands in place of the present one: a fault must not end what the operator asked for. */
export const outranks = (kind: ParkedKind, present: Parked | null): boolean =>
  present === null || parkedRank[kind] >= parkedRank[present.kind];

/**
 * A later park stands in place of the present one, unless that is of a higher rank: then it changes nothing. A daemon that closes
 * interrupts the turn as a preemption does, so that its task loses nothing.
 */
export function park(d: Draft, { kind, reason, by }: InputOf<'park'>): Reply {
  if (outranks(kind, d.s.parked)) {
    d.s.parked = { kind, reason, by };
    sessionEvent(d, 'parked', d.s.parked);
  }
  const turn = d.s.hold?.turn ?? null;
  if (kind === 'closing' && onWire(turn)) {
    interruptTurn(d, turn, 'close', by);
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

export function rewound(d: Draft, { node }: InputOf<'rewound'>): Reply {
  sessionEvent(d, 'store-rewound', { node });
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
    endTurn(d, { kind: 'lost', reason: 'agent_restarted' });
  }
  return okReply;
}
