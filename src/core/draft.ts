/**
 * The workbench of one step: a copy of the session that may be written, and what the step will give back.
 *
 * Owned by one call of `step`; never outlives it. Invariants:
 *  D-1 A task is changed by `putTask` (durable change) or `putLive` (runner fields, `seq`) only, so that indexes and records follow.
 *  D-2 `finish` emits one `task` record for each task whose durable part changed, and one `session` record if the session's did.
 *  D-3 `endTask` is the only place that makes `final`.
 */
import { invariant } from './errors.ts';
import type { TaskId } from './ids.ts';
import type { Hold, Session, Task, TerminalStatus } from './model.ts';
import type {
  Effect,
  Record as StepRecord,
  Reply,
  SessionEventType,
  SessionRow,
  StepResult,
  TaskEventType,
  TaskRow,
} from './outputs.ts';
import { reindex } from './queue.ts';
import { treeGet, treePut, treeRemove } from './tree.ts';

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface Draft {
  readonly at: number;
  readonly before: Session;
  readonly s: Mutable<Session>;
  readonly records: StepRecord[];
  readonly effects: Effect[];
  /** Tasks changed in this step; null: ended. */
  readonly touched: Map<TaskId, Task | null>;
  /** Those of them whose durable part changed. */
  readonly dirty: Set<TaskId>;
}

export function begin(session: Session, at: number): Draft {
  return {
    at,
    before: session,
    s: {
      key: session.key,
      limits: session.limits,
      epoch: session.epoch,
      ord: session.ord,
      turns: session.turns,
      incarnations: session.incarnations,
      seq: session.seq,
      parked: session.parked,
      conversation: session.conversation,
      hold: session.hold,
      agent: session.agent,
      fenced: session.fenced,
      tasks: session.tasks,
      queue: session.queue,
      demand: session.demand,
      parties: session.parties,
    },
    records: [],
    effects: [],
    touched: new Map(),
    dirty: new Set(),
  };
}

export function getTask(d: Draft, id: TaskId): Task | null {
  const touched = d.touched.get(id);
  return touched === undefined ? (treeGet(d.before.tasks, id) ?? null) : touched;
}

/** The task must be open: anything else is a defect of the core. */
export function mustTask(d: Draft, id: TaskId): Task {
  const task = getTask(d, id);
  invariant(task !== null, `task ${id} is open`);
  return task;
}

export function putTask(d: Draft, task: Task): Task {
  reindex(d.s, getTask(d, task.id), task);
  d.touched.set(task.id, task);
  d.dirty.add(task.id);
  return task;
}

/** For changes that are not durable; the indexes do not depend on them. */
export function putLive(d: Draft, task: Task): Task {
  d.touched.set(task.id, task);
  return task;
}

export function taskEvent(d: Draft, id: TaskId, event: TaskEventType, data: unknown): void {
  const task = mustTask(d, id);
  const seq = task.seq + 1;
  putLive(d, { ...task, seq });
  d.records.push({ type: 'event', at: d.at, task: id, seq, event, data });
}

export function sessionEvent(d: Draft, event: SessionEventType, data: unknown): void {
  d.s.seq += 1;
  d.records.push({ type: 'event', at: d.at, task: null, seq: d.s.seq, event, data });
}

export const setHold = (d: Draft, hold: Hold | null): void => {
  d.s.hold = hold;
};

export function mustHold(d: Draft): Hold {
  const hold = d.s.hold;
  invariant(hold !== null, 'the session is held');
  return hold;
}

export interface Ending {
  readonly status: TerminalStatus;
  readonly reason: string;
  readonly by: string | null;
  readonly data: unknown;
}

/** Ends a task: terminal status and `final` in one record. Its riders leave it. The hold is the caller's to give up. */
export function endTask(d: Draft, id: TaskId, ending: Ending): void {
  const task = mustTask(d, id);
  if (task.run !== null && ending.by !== 'runner') {
    d.effects.push({ type: 'abort', task: id, run: task.run, reason: ending.reason });
  }
  if (task.carrier !== null) {
    const carrier = mustTask(d, task.carrier);
    putTask(d, { ...carrier, riders: carrier.riders.filter((rider) => rider !== id) });
  }
  if (task.place === 'collecting') {
    d.effects.push({ type: 'disarm', timer: 'collect', of: id });
  }
  const riders = task.riders;
  reindex(d.s, task, null);
  d.touched.set(id, null);
  d.dirty.delete(id);
  d.records.push({
    type: 'end',
    at: d.at,
    task: id,
    status: ending.status,
    reason: ending.reason,
    seq: task.seq + 1,
    data: { status: ending.status, reason: ending.reason, by: ending.by, result: ending.data },
  });
  for (const rider of riders) {
    leaveCarrier(d, rider, ending.status);
  }
}

/**
 * What a task rode on is over. If its text was taken it shares the answer or the failure; else, and always where the carrier
 * was cancelled (it was not itself asked to end), it waits on its own again.
 */
export function leaveCarrier(d: Draft, id: TaskId, end: TerminalStatus): void {
  const rider = mustTask(d, id);
  const carrier = rider.carrier;
  const alone = putTask(d, { ...rider, carrier: null, taken: false, place: 'waiting' });
  if (rider.taken && end !== 'cancelled') {
    const reason = end === 'completed' ? 'answered_with' : 'failed_with';
    endTask(d, id, { status: end, reason, by: carrier, data: null });
    return;
  }
  taskEvent(d, alone.id, 'returned', { from: carrier });
}

export const taskRow = (task: Task): TaskRow => ({
  id: task.id,
  lane: task.lane,
  mode: task.mode,
  priority: task.priority,
  ord: task.ord,
  party: task.party,
  whenBusy: task.whenBusy,
  onLost: task.onLost,
  maxAttempts: task.maxAttempts,
  status: task.status,
  place: task.place,
  carrier: task.carrier,
  taken: task.taken,
  riders: task.riders,
  streak: task.streak,
  attempts: task.attempts,
  begun: task.begun,
  cut: task.cut,
  verdict: task.verdict,
  rewind: task.rewind,
});

export function sessionRow(session: Session): SessionRow {
  const hold = session.hold;
  return {
    key: session.key,
    epoch: session.epoch,
    ord: session.ord,
    turns: session.turns,
    incarnations: session.incarnations,
    parked: session.parked,
    conversation: session.conversation,
    hold:
      hold === null
        ? null
        : {
            task: hold.task,
            epoch: hold.epoch,
            sent: hold.turn !== null && hold.turn.phase !== 'pending' ? hold.turn.id : null,
          },
  };
}

const sentOf = (hold: Hold | null): number =>
  hold === null || hold.turn === null || hold.turn.phase === 'pending' ? 0 : hold.turn.id;

const sameRow = (a: Session, b: Session): boolean =>
  a.epoch === b.epoch &&
  a.ord === b.ord &&
  a.turns === b.turns &&
  a.incarnations === b.incarnations &&
  a.parked === b.parked &&
  a.conversation === b.conversation &&
  a.hold?.task === b.hold?.task &&
  a.hold?.epoch === b.hold?.epoch &&
  sentOf(a.hold) === sentOf(b.hold);

/** Writes the touched tasks into the tree, and the rows that changed into the records. */
export function finish(d: Draft, reply: Reply): StepResult {
  const s = d.s;
  for (const [id, task] of d.touched) {
    s.tasks = task === null ? treeRemove(s.tasks, id) : treePut(s.tasks, id, task);
  }
  const admitted = new Set<TaskId>();
  for (let at = 0; at < d.records.length; at += 1) {
    const record = d.records[at];
    if (record !== undefined && record.type === 'admit') {
      const task = d.touched.get(record.task.id) ?? null;
      admitted.add(record.task.id);
      if (task !== null) {
        d.records[at] = { ...record, task: taskRow(task) };
      }
    }
  }
  for (const id of d.dirty) {
    const task = d.touched.get(id) ?? null;
    if (task !== null && !admitted.has(id)) {
      d.records.push({ type: 'task', at: d.at, task: taskRow(task) });
    }
  }
  if (!sameRow(d.before, s)) {
    d.records.push({ type: 'session', at: d.at, session: sessionRow(s) });
  }
  return { session: s, records: d.records, effects: d.effects, reply };
}
