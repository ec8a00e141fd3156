/**
 * The workbench of one step: a copy of the session that may be written, and what the step will give back.
 *
 * Owned by one call of `step`; never outlives it. Invariants:
 *  draft/1 A task is changed by `putTask` (durable change) or `putLive` (runner fields, `seq`) only, so that indexes and
 *          records follow.
 *  draft/2 `finish` emits one `task` record for each task whose durable part changed, and one `session` record if the
 *          session's did.
 *  draft/3 `endTask` is the only place that makes `final`.
 */
import { invariant } from './errors.ts';
import type { TaskId } from './model/ids.ts';
import type { SessionEvent, SessionEventData, SessionEventType, TaskEventData } from './model/events.ts';
import type { Indexes } from './model/indexes.ts';
import type { TurnReport } from './model/output.ts';
import type { Conversation, Hold, Session } from './model/session.ts';
import type { Task, Verdict } from './model/task.ts';
import type { Effect } from './model/effects.ts';
import type { OpenTaskEvent, OpenTaskEventType, Record as StepRecord, SessionRow, TaskRow } from './model/records.ts';
import type { Reply, StepResult } from './model/replies.ts';
import { hasSameKeys, type Mutable, reindex } from './queue.ts';
import { treeGet, treePut, treeRemove } from './tree.ts';

/** One for all turns that ask for nothing. */
export const noRequests: readonly string[] = [];

export interface Draft {
  readonly at: number;
  readonly before: Session;
  readonly s: Mutable<Session>;
  /** Null: no index has changed yet. */
  indexes: Mutable<Indexes> | null;
  readonly records: StepRecord[];
  readonly effects: Effect[];
  /** The tasks that it has changed, in the order of their first change. */
  touched: Touched[];
  /** Null: they are few, and looked for one by one. */
  touchedById: Map<TaskId, Touched> | null;
  /** How many parts this step may still settle. */
  settles: number;
  /** The deadlines of a task itself may have changed: that of its window for further parts, its own time, and the lease of its holder. */
  timed: boolean;
  /** A task that is overdue has changed. */
  overdue: boolean;
  /** Where the record of this step's admission stands; a step admits one task at most. */
  admitted: number | null;
}

/** A task changed in this step. */
interface Touched {
  readonly id: TaskId;
  /** Null: ended. Its `seq` is the one it had before; the tape's is beside it. */
  task: Task | null;
  seq: number;
  /** Its durable part has changed. */
  dirty: boolean;
  /** It was made in this step: nobody else has it, so that its `seq` may be written. */
  fresh: boolean;
}

export function begin(session: Session, at: number): Draft {
  return {
    at,
    before: session,
    s: { ...session },
    indexes: null,
    records: [],
    effects: [],
    touched: [],
    touchedById: null,
    settles: session.limits.partsPerStep,
    timed: false,
    overdue: false,
    admitted: null,
  };
}

const few = 8;

function touchedOf(d: Draft, id: TaskId): Touched | undefined {
  if (d.touchedById !== null) {
    return d.touchedById.get(id);
  }
  for (const touched of d.touched) {
    if (touched.id === id) {
      return touched;
    }
  }
  return undefined;
}

function touch(d: Draft, touched: Touched): Touched {
  if (d.touched.length === 0) {
    // The array of a literal has room for its elements alone.
    d.touched = [touched];
    return touched;
  }
  d.touched.push(touched);
  if (d.touchedById !== null) {
    d.touchedById.set(touched.id, touched);
  } else if (d.touched.length > few) {
    d.touchedById = new Map(d.touched.map((one) => [one.id, one]));
  }
  return touched;
}

export function getTask(d: Draft, id: TaskId): Task | null {
  const touched = touchedOf(d, id);
  return touched === undefined ? (treeGet(d.before.tasks, id) ?? null) : touched.task;
}

/** The task must be open: anything else is a defect of the core. */
export function mustTask(d: Draft, id: TaskId): Task {
  const task = getTask(d, id);
  invariant(task !== null, 'the task is open');
  return task;
}

function put(d: Draft, task: Task, dirty: boolean): Task {
  const { id, seq } = task;
  const touched = touchedOf(d, id);
  const was = touched === undefined ? (treeGet(d.before.tasks, id) ?? null) : touched.task;
  if (was === null || !hasSameKeys(was, task)) {
    reindex(indexesOf(d), was, task);
  }
  d.timed ||=
    isCollecting(was) ||
    isCollecting(task) ||
    (task.expiresAt !== null && (was?.mergedInto !== task.mergedInto || was.overdue !== task.overdue)) ||
    (was?.holder ?? null) !== task.holder;
  d.overdue ||= task.overdue;
  if (touched === undefined) {
    touch(d, { id, task, seq, dirty, fresh: task !== was });
  } else {
    touched.task = task;
    touched.dirty ||= dirty;
    touched.fresh ||= task !== was;
  }
  return task;
}

/** The indexes of the session that this step makes: one copy, which it may write. */
function indexesOf(d: Draft): Mutable<Indexes> {
  if (d.indexes === null) {
    d.indexes = { ...d.s.indexes };
    d.s.indexes = d.indexes;
  }
  return d.indexes;
}

export const isCollecting = (task: Task | null): boolean => task?.stage === 'collecting';

export const putTask = (d: Draft, task: Task): Task => put(d, task, true);

/** For changes that are not durable. */
export const putLive = (d: Draft, task: Task): Task => put(d, task, false);

/** The next event stands on the tape of this task. */
function extendTape(d: Draft, id: TaskId): Touched {
  let touched = touchedOf(d, id);
  if (touched === undefined) {
    const task = mustTask(d, id);
    touched = touch(d, { id, task, seq: task.seq, dirty: false, fresh: false });
  }
  invariant(touched.task !== null, 'the tape of an open task grows');
  touched.seq += 1;
  return touched;
}

export function taskEvent<T extends OpenTaskEventType>(d: Draft, id: TaskId, type: T, data: TaskEventData[T]): void {
  const event = { type, data } as OpenTaskEvent;
  d.records.push({ type: 'event', at: d.at, task: id, seq: extendTape(d, id).seq, event });
}

export function sessionEvent<T extends SessionEventType>(d: Draft, type: T, data: SessionEventData[T]): void {
  const event = { type, data } as SessionEvent;
  d.s.seq += 1;
  d.records.push({ type: 'event', at: d.at, task: null, seq: d.s.seq, event });
}

export const setHold = (d: Draft, hold: Hold | null): void => {
  d.s.hold = hold;
};

export function mustHold(d: Draft): Hold {
  const hold = d.s.hold;
  invariant(hold !== null, 'the session is held');
  return hold;
}

/**
 * Ends a task: terminal status and `final` in one record. The hold, and what is merged into it, are the caller's.
 * `answer`: what the agent said in the turn that ended it; null where no turn did.
 */
export function endTask(d: Draft, id: TaskId, ending: Omit<Verdict, 'scope'>, answer: TurnReport | null): void {
  const task = mustTask(d, id);
  const { status, reason, by, result } = ending;
  if (task.run !== null) {
    d.effects.push({ type: 'abort', task: id, run: task.run, reason });
  }
  reindex(indexesOf(d), task, null);
  d.timed ||= isCollecting(task) || task.expiresAt !== null || task.holder !== null;
  const touched = extendTape(d, id);
  touched.task = null;
  const final = { status, reason, by, attempts: task.attempts, answer, result };
  d.records.push({ type: 'end', at: d.at, task: id, seq: touched.seq, final });
}

/** A code runner is in the memory of the daemon, and so is a claim. */
const outlivesDaemon = ({ mode, run }: Task): boolean => mode === 'external' && run !== null;

export const taskRow = (task: Task): TaskRow => ({
  id: task.id,
  lane: task.lane,
  mode: task.mode,
  priority: task.priority,
  admission: task.admission,
  position: task.position,
  mergeGroup: task.mergeGroup,
  whenBusy: task.whenBusy,
  onLost: task.onLost,
  maxAttempts: task.maxAttempts,
  expiresAt: task.expiresAt,
  status: task.status,
  stage: task.stage,
  mergedInto: task.mergedInto,
  leads: task.leads,
  delivered: task.delivered,
  attempts: task.attempts,
  started: task.started,
  interruptedMidTurn: task.interruptedMidTurn,
  textIn: task.textIn,
  conversation: task.conversation,
  beginsFresh: task.beginsFresh,
  verdict: task.verdict,
  model: task.model,
  retries: task.retries,
  run: outlivesDaemon(task) ? task.run : null,
  holder: outlivesDaemon(task) ? task.holder : null,
});

export function sessionRow(session: Session): SessionRow {
  const hold = session.hold;
  return {
    key: session.key,
    epoch: session.epoch,
    admissions: session.admissions,
    turns: session.turns,
    incarnations: session.incarnations,
    parked: session.parked,
    conversation: session.conversation.id,
    conversationReset: session.conversation.reset,
    conversationEnding: session.conversation.ending,
    firstTurn: session.conversation.firstTurn,
    rewind: session.conversation.rewind,
    assigned: session.assigned,
    assigning: session.assigning,
    answered: session.answered,
    passedOver: session.passedOver,
    settling: session.settling,
    hold:
      hold === null
        ? null
        : {
            task: hold.task,
            epoch: hold.epoch,
            sent: hold.turn !== null && hold.turn.phase !== 'pending' ? hold.turn.id : null,
            permissionRequests: requestsOf(hold),
          },
  };
}

const sentOf = (hold: Hold | null): number =>
  hold === null || hold.turn === null || hold.turn.phase === 'pending' ? 0 : hold.turn.id;

const requestsOf = (hold: Hold | null): readonly string[] => hold?.turn?.permissionRequests ?? noRequests;

const sameRequests = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((request, at) => request === b[at]));

const sameHold = (a: Hold | null, b: Hold | null): boolean =>
  a?.task === b?.task && a?.epoch === b?.epoch && sentOf(a) === sentOf(b) && sameRequests(requestsOf(a), requestsOf(b));

const sameConversation = (a: Conversation, b: Conversation): boolean =>
  a.id === b.id && a.reset === b.reset && a.firstTurn === b.firstTurn && a.rewind === b.rewind && a.ending === b.ending;

/** Written out: a loop over the names of the fields takes as long as the rest of a step. */
const sameRow = (a: Session, b: Session): boolean =>
  a.epoch === b.epoch &&
  a.admissions === b.admissions &&
  a.turns === b.turns &&
  a.incarnations === b.incarnations &&
  a.parked === b.parked &&
  (a.conversation === b.conversation || sameConversation(a.conversation, b.conversation)) &&
  a.assigned === b.assigned &&
  a.assigning === b.assigning &&
  a.answered === b.answered &&
  a.passedOver === b.passedOver &&
  a.settling === b.settling &&
  (a.hold === b.hold || sameHold(a.hold, b.hold));

function withSeq(task: Mutable<Task>, seq: number): Task {
  task.seq = seq;
  return task;
}

/** Writes the touched tasks into the tree, and the rows that changed into the records. */
export function finish(d: Draft, reply: Reply): StepResult {
  const s = d.s;
  const admission = d.admitted === null ? undefined : d.records[d.admitted];
  const admitted = admission?.type === 'admit' ? admission : null;
  for (const { id, task, seq, dirty, fresh } of d.touched) {
    if (task === null) {
      s.tasks = treeRemove(s.tasks, id);
      continue;
    }
    s.tasks = treePut(s.tasks, id, fresh ? withSeq(task, seq) : { ...task, seq });
    if (admitted !== null && admitted.task.id === id) {
      d.records[d.admitted ?? 0] = { ...admitted, task: taskRow(task) };
    } else if (dirty) {
      d.records.push({ type: 'task', at: d.at, task: taskRow(task) });
    }
  }
  if (!sameRow(d.before, s)) {
    d.records.push({ type: 'session', at: d.at, session: sessionRow(s) });
  }
  return { session: s, records: d.records, effects: d.effects, reply };
}
