/**
 * The parts of an entry of the queue: tasks whose text goes with its prompt (`merged`), and tasks whose text goes into its running
 * turn (`steered`). Each part points to its entry, so that one more part costs the same whatever their number. What happens
 * to all of them is decided at once, as a durable settlement, and recorded in slices (rules 8, 10, 15).
 */
import { type Actor, actorTask } from '../model/actor.ts';
import { type Draft, endTask, getTask, mustTask, putTask, taskEvent } from '../draft.ts';
import type { TaskId } from '../model/ids.ts';
import type { TurnReport } from '../model/output.ts';
import type { LossReason } from '../model/reasons.ts';
import type { PartKey } from '../model/indexes.ts';
import type { PartEnding, Session, Settlement } from '../model/session.ts';
import type { Task, TerminalStatus, Verdict } from '../model/task.ts';
import { entryOf } from '../queue.ts';
import { onWire, setTurn } from './turn.ts';
import { treeNeighbours, treeValues } from '../tree.ts';

type Rank = PartKey['rank'];
type Indexed = Pick<Session, 'indexes'>;

const noParts: readonly TaskId[] = [];

/** Parts of an entry from a rank on and below another, in order. */
const partsOf = ({ indexes: { parts } }: Indexed, entry: TaskId, from: Rank, below: Rank): readonly TaskId[] =>
  parts.root === null
    ? noParts
    : treeValues(parts, { entry, rank: from, admission: 0 }, { entry, rank: below, admission: 0 });

/** The tasks whose text goes with the prompt of this one, in the order they came. */
export const mergedTasks = (session: Indexed, task: Task): readonly TaskId[] => partsOf(session, entryOf(task), 0, 2);

export const steeredTasks = (session: Indexed, task: Task): readonly TaskId[] => partsOf(session, entryOf(task), 2, 3);

/** All parts but those of this entry; `leave`: what was steered into it leaves it. */
export function partsBut(d: Draft, entry: TaskId | null, leave: boolean): readonly TaskId[] {
  const { parts } = d.s.indexes;
  if (parts.root === null) {
    return noParts;
  }
  const at = (rank: Rank): PartKey | undefined => (entry === null ? undefined : { entry, rank, admission: 0 });
  const ids =
    entry === null
      ? treeValues(parts)
      : [...treeValues(parts, undefined, at(0)), ...treeValues(parts, at(leave ? 2 : 3))];
  return ids.filter((id) => mustTask(d, id).mergedInto !== null);
}

const first = ({ indexes: { parts } }: Indexed, entry: TaskId, from: Rank, below: Rank | 4): TaskId | null => {
  if (parts.root === null) {
    return null;
  }
  const next = treeNeighbours(parts, { entry, rank: from, admission: 0 }).from;
  return next !== null && next.key.entry === entry && next.key.rank < below ? next.value : null;
};

/** The task whose turns are those of an entry: the one that opened it, until that was cancelled alone. */
export const leaderIdOf = (session: Indexed, entry: TaskId): TaskId => first(session, entry, 3, 4) ?? entry;

/** Null: the entry has ended, and is only settled. */
export const leaderOf = (d: Draft, entry: TaskId): Task | null => getTask(d, leaderIdOf(d.s, entry));

/**
 * Ends a task that is not merged into another. What is merged into it ends so too, or goes on without it: the next of them leads
 * the entry then. The hold is the caller's to give up.
 */
export function endEntry(d: Draft, task: Task, verdict: Verdict, answer: TurnReport | null): void {
  endTask(d, task.id, verdict, answer);
  const entry = entryOf(task);
  const next = first(d.s, entry, 0, 2);
  if (next === null) {
    return;
  }
  if (verdict.scope === 'task') {
    lead(d, task, mustTask(d, next));
  } else {
    settleLater(d, { kind: 'merged', entry, ending: partEnding(task, verdict, answer) });
  }
}

/**
 * Takes the place of the task that led the entry, where somebody may have moved it, with all that its turns have left. Its text goes whole
 * with the next prompt: what the conversation has is more than is still wanted.
 */
function lead(d: Draft, from: Task, next: Task): void {
  putTask(d, {
    ...next,
    stage: from.stage === 'collecting' ? 'collecting' : 'waiting',
    mergedInto: null,
    leads: entryOf(from),
    lane: from.lane,
    priority: from.priority,
    position: from.position,
    status: from.status,
    attempts: from.attempts,
    started: from.started,
    interruptedMidTurn: from.interruptedMidTurn,
    textIn: null,
    beginsFresh: from.beginsFresh,
    retries: from.retries,
  });
  taskEvent(d, next.id, 'requeued', { from: from.id });
}

/** A merged task ends alone. What the conversation has of its entry is more than is still wanted: the next prompt says all that is left. */
export function withdrawText(d: Draft, { mergedInto }: Task): void {
  const leader = mergedInto === null ? null : leaderOf(d, mergedInto);
  if (leader !== null && leader.textIn !== null) {
    putTask(d, { ...leader, textIn: null });
  }
  const { hold } = d.s;
  if (leader !== null && hold?.task === leader.id && onWire(hold.turn)) {
    setTurn(d, { ...hold.turn, withdrawn: true });
  }
}

const reasons: { readonly [S in TerminalStatus]: string | null } = {
  completed: 'answered_with',
  failed: 'failed_with',
  cancelled: null,
};

/** A part that is cancelled with its task was meant too; else it shares an end that the task had. */
function partEnding(task: Task, verdict: Omit<Verdict, 'scope'>, answer: TurnReport | null): PartEnding {
  const { status } = verdict;
  const reason = reasons[status];
  const by: Actor | null = reason === null ? verdict.by : actorTask(task.id);
  return { status, reason: reason ?? verdict.reason, by, attempts: task.attempts, answer };
}

/** The parts of an entry that is granted for the first time run from now on, as it does. */
export function beginParts(d: Draft, task: Task): void {
  if (first(d.s, entryOf(task), 0, 1) !== null) {
    settleLater(d, { kind: 'begin', entry: entryOf(task) });
  }
}

/** How the turn of a task ended, for what was steered into it. */
export interface SteeredEnd {
  readonly completed: boolean;
  readonly report: TurnReport | null;
  /** Why it was lost, if it was; `burns`: that counts as an attempt. */
  readonly loss: LossReason | null;
  readonly burns: boolean;
  readonly interruptedMidTurn: boolean;
}

/** A turn is over: what it had taken shares its answer, or follows its own policy; the rest waits on its own again. */
export function leaveTurn(d: Draft, owner: Task, end: SteeredEnd): void {
  const entry = entryOf(owner);
  if (first(d.s, entry, 2, 3) === null) {
    return;
  }
  const { verdict } = owner;
  const given = verdict !== null && verdict.scope !== 'task' && verdict.status === 'cancelled' ? verdict : null;
  const completed: Verdict = { status: 'completed', reason: '', by: null, result: null, scope: 'turn' };
  const shared = end.completed ? completed : given;
  settleLater(d, {
    kind: 'steered',
    entry,
    from: owner.id,
    delivered: shared === null ? null : { ...partEnding(owner, shared, end.report), attempts: null },
    undelivered: given?.scope === 'all' ? partEnding(owner, given, null) : null,
    loss: end.loss,
    burns: end.burns,
    interruptedMidTurn: end.interruptedMidTurn,
  });
}

/** Whether what was steered into the last turn of this task leaves it, and waits only to be settled. */
export const steeredLeave = ({ settling }: Session, task: Task): boolean =>
  settling.some((one) => one.kind === 'steered' && one.entry === entryOf(task));

/** How a part ends that is only not recorded yet; null: nothing is decided, or it goes on. */
export function decidedEnd({ settling }: Session, part: Task): PartEnding | null {
  for (const one of settling) {
    if (one.entry === part.mergedInto) {
      if (one.kind === 'merged' && part.stage === 'merged') {
        return one.ending;
      }
      if (one.kind === 'steered' && part.stage === 'steered') {
        return part.delivered ? one.delivered : one.undelivered;
      }
    }
  }
  return null;
}

/** Ends what was steered into a turn that was to end otherwise already. */
export function endSteered(d: Draft, owner: Task, verdict: Verdict): void {
  for (const id of steeredTasks(d.s, owner)) {
    if (mustTask(d, id).delivered || verdict.scope === 'all') {
      endTask(d, id, verdict, null);
    }
  }
}

/** What left a turn and is not settled yet was to wait on its own, and is stopped with the queue. */
export function stopSettling(d: Draft, verdict: Verdict): void {
  const { status, reason, by } = verdict;
  const ending: PartEnding = { status, reason, by, attempts: null, answer: null };
  const stopped = (one: Settlement): Settlement =>
    one.kind === 'steered'
      ? { ...one, delivered: one.delivered ?? ending, undelivered: one.undelivered ?? ending }
      : one;
  if (d.s.settling.length > 0) {
    d.s.settling = d.s.settling.map(stopped);
  }
}

function settleLater(d: Draft, settlement: Settlement): void {
  d.s.settling = [...d.s.settling, settlement];
}

/** Settles as many parts as this step may. */
export function settle(d: Draft): void {
  for (;;) {
    const settlement = d.s.settling[0];
    if (settlement === undefined) {
      return;
    }
    const [from, below]: readonly [Rank, Rank] =
      settlement.kind === 'begin' ? [0, 1] : settlement.kind === 'merged' ? [0, 2] : [2, 3];
    for (let id = first(d.s, settlement.entry, from, below); id !== null;) {
      if (d.settles === 0) {
        return;
      }
      d.settles -= 1;
      settlePart(d, mustTask(d, id), settlement);
      id = first(d.s, settlement.entry, from, below);
    }
    d.s.settling = d.s.settling.slice(1);
  }
}

function settlePart(d: Draft, part: Task, settlement: Settlement): void {
  switch (settlement.kind) {
    case 'begin':
      putTask(d, { ...part, status: 'running' });
      return;
    case 'merged':
      endPart(d, part, settlement.ending);
      return;
    case 'steered': {
      const ending = part.delivered ? settlement.delivered : settlement.undelivered;
      if (ending !== null) {
        endPart(d, part, ending);
      } else if (part.delivered) {
        loseSteered(d, part, settlement);
      } else {
        requeue(d, part, settlement.from);
      }
      return;
    }
  }
}

export function endPart(d: Draft, part: Task, { status, reason, by, attempts, answer }: PartEnding): void {
  const task = attempts === null ? part : putTask(d, { ...part, attempts });
  endTask(d, task.id, { status, reason, by, result: null }, answer);
}

/** Its text was read, so its next turn asks to continue. A loss is judged by its own policy. */
function loseSteered(d: Draft, part: Task, settlement: Settlement & { kind: 'steered' }): void {
  const { loss, burns, from, interruptedMidTurn } = settlement;
  if (loss !== null) {
    taskEvent(d, part.id, 'attempt-lost', { reason: loss, attempt: part.attempts });
    if (part.onLost === 'fail' || (burns && part.attempts >= part.maxAttempts)) {
      endTask(d, part.id, { status: 'failed', reason: loss, by: null, result: null }, null);
      return;
    }
  }
  const attempts = burns ? part.attempts + 1 : part.attempts;
  // An agent may forget what it had taken when its turn is interrupted before the model has read that.
  const left = { attempts, started: true, interruptedMidTurn, textIn: null, delivered: false };
  requeue(d, { ...mustTask(d, part.id), ...left }, from);
  if (loss !== null) {
    taskEvent(d, part.id, 'attempt-retried', { attempt: attempts, reason: loss });
  }
}

/** The agent has not taken its text: it ends with a stop that meant it too, or waits on its own again. */
export function refuseSteered(d: Draft, part: Task, owner: Task): void {
  if (owner.verdict?.scope === 'all') {
    endTask(d, part.id, owner.verdict, null);
  } else {
    requeue(d, part, owner.id);
  }
}

function requeue(d: Draft, part: Task, from: TaskId): void {
  putTask(d, { ...part, stage: 'waiting', mergedInto: null });
  taskEvent(d, part.id, 'requeued', { from });
}
