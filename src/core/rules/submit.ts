/** Admission: what a new task does to a session, by its `whenBusy`. Refusals come before any change. */
import { stalled } from './arrange.ts';
import { assignFirst, namesAnother } from './assignment.ts';
import { actorTask } from '../model/actor.ts';
import { type Draft, getTask, mustTask, putTask, taskEvent } from '../draft.ts';
import type { InputOf } from '../model/inputs.ts';
import type { TaskId } from '../model/ids.ts';
import type { MergeGroupKey } from '../model/indexes.ts';
import type { Session, Turn } from '../model/session.ts';
import type { Task } from '../model/task.ts';
import type { Refusal, RuleReply } from '../model/replies.ts';
import { busyPolicies, type Ends } from './when-busy.ts';
import { rollBack } from './conversation.ts';
import { endEntry, mergedTasks, steeredTasks } from './parts.ts';
import { entryOf } from '../queue.ts';
import { treeEntries, treeGet, treeNeighbours, treeSize } from '../tree.ts';
import { endOrInterrupt } from './turn-end.ts';
import { lastPosition } from './position.ts';
import { onWire } from './turn.ts';

type Submit = InputOf<'submit'>;

const refused = (code: Refusal): RuleReply => ({ kind: 'refused', code });

const isBusy = (session: Session): boolean => session.hold !== null || treeSize(session.tasks) > 0;

/**
 * The owner, if it is an interactive task of the same merge group: the one that `interrupt` and `rollback` are aimed at. System
 * work, which has the background lane, interrupts nobody whatever its policy says (rule 4).
 */
function ownOwner(d: Draft, input: Submit): Task | null {
  const hold = d.s.hold;
  const owner = hold === null || input.task.lane === 'background' ? null : getTask(d, hold.task);
  return owner !== null &&
    owner.lane === 'interactive' &&
    owner.mergeGroup !== null &&
    owner.mergeGroup === input.task.mergeGroup
    ? owner
    : null;
}

/** The turn on the wire, if this message may be steered into it. Its text leaves once the agent has confirmed the turn. */
function steerable(d: Draft, input: Submit): Turn | null {
  const hold = d.s.hold;
  const agent = d.s.agent;
  if (hold === null || hold.turn === null || agent.kind !== 'up' || !agent.caps.steer || input.task.mode !== 'prompt') {
    return null;
  }
  const sameGroup = input.task.mergeGroup !== null && mustTask(d, hold.task).mergeGroup === input.task.mergeGroup;
  // It has its own wish of what the agent is to know.
  if (input.task.conversation === 'fresh') {
    return null;
  }
  // A message that asks for no model goes into a turn of any.
  if (input.task.model !== null && hold.turn.model !== input.task.model) {
    return null;
  }
  return !stalled(d.s) && sameGroup && onWire(hold.turn) && hold.turn.interrupt === null ? hold.turn : null;
}

/** Only a prompt of somebody's can become part of a turn. */
const mayMerge = ({ task }: Submit): boolean => task.mergeGroup !== null && task.mode === 'prompt';

/**
 * The newest task of the same merge group that is still queued, if its window for further parts is open. All parts of an entry
 * have one policy for a lost turn, so that they share its fate.
 */
function collector(d: Draft, input: Submit): Task | null {
  const { mergeGroup, lane, model, onLost, maxAttempts, conversation } = input.task;
  if (mergeGroup === null || !mayMerge(input)) {
    return null;
  }
  const other = newestOf(d.s, mergeGroup, 1);
  const newest = newestOf(d.s, mergeGroup, 2);
  if (newest === null || (other !== null && other.admission > newest.admission)) {
    return null;
  }
  const task = mustTask(d, newest.id);
  const sameTurn = task.lane === lane && task.model === model && task.conversation === conversation;
  const samePolicy = task.onLost === onLost && task.maxAttempts === maxAttempts;
  return task.stage === 'collecting' && sameTurn && samePolicy ? task : null;
}

function newestOf({ indexes }: Draft['s'], mergeGroup: string, rank: 1 | 2): { id: TaskId; admission: number } | null {
  const { below } = treeNeighbours(indexes.mergeGroups, { mergeGroup, rank, admission: Number.POSITIVE_INFINITY });
  return below === null || below.key.mergeGroup !== mergeGroup || below.key.rank !== rank
    ? null
    : { id: below.value, admission: below.key.admission };
}

export function submit(d: Draft, input: Submit): RuleReply {
  const policy = busyPolicies[input.task.whenBusy];
  if (treeGet(d.s.tasks, input.task.id) !== undefined) {
    return refused('duplicate_task');
  }
  if (namesAnother(d.s, input)) {
    return refused('agent_differs');
  }
  if (treeSize(d.s.tasks) >= d.s.limits.maxOpen) {
    return refused('queue_full');
  }
  if (policy.refusedWhenBusy && isBusy(d.s)) {
    return refused('session_busy');
  }
  const owner = policy.ends?.whom === 'owner' ? ownOwner(d, input) : null;
  const rewinds = policy.rewinds && owner !== null && onWire(d.s.hold?.turn ?? null);
  if (rewinds && !(d.s.agent.kind === 'up' && d.s.agent.caps.rewind)) {
    return refused('rollback_unsupported');
  }
  return admit(d, input, owner, rewinds);
}

/** A task that was never granted. Each field is written out: V8 copies a spread behind other fields ten times slower. */
export const newTask = (asked: Submit['task'], admission: number, position: number): Task => ({
  id: asked.id,
  lane: asked.lane,
  mode: asked.mode,
  priority: asked.priority,
  mergeGroup: asked.mergeGroup,
  whenBusy: asked.whenBusy,
  onLost: asked.onLost,
  maxAttempts: asked.maxAttempts,
  expiresAt: asked.expiresAt,
  model: asked.model,
  admission,
  position,
  status: 'queued',
  stage: asked.mode === 'external' ? 'unclaimed' : 'waiting',
  mergedInto: null,
  leads: null,
  delivered: false,
  attempts: 0,
  started: false,
  interruptedMidTurn: false,
  textIn: null,
  conversation: asked.conversation,
  beginsFresh: asked.conversation === 'fresh',
  verdict: null,
  retries: 0,
  overdue: false,
  seq: 0,
  run: null,
  holder: null,
  call: null,
});

function admit(d: Draft, input: Submit, owner: Task | null, rewinds: boolean): RuleReply {
  const { id, lane, mode, priority, whenBusy } = input.task;
  const { joins, ends } = busyPolicies[whenBusy];
  const leader = joins === 'queued-turn' ? collector(d, input) : null;
  const steered = joins === 'running-turn' ? steerable(d, input) : null;
  // The rows of what it replaces come first, so that it can stand where the oldest of them stood.
  const ended: TaskId[] = [];
  const freed = ends === null ? null : endWaiting(d, input, ends, ended);
  assignFirst(d, input);
  d.s.admissions += 1;
  const task = newTask(input.task, d.s.admissions, freed ?? lastPosition(d.s.indexes.order));
  // `finish` puts the row as it is at the end of the step in its place.
  d.admitted = d.records.push({ type: 'admit', at: d.at, task, payload: input.payload }) - 1;
  const fallback = joins === 'running-turn' && steered === null;
  const { title, source, author } = input.about;
  const queued = { lane, mode, whenBusy, priority, title, source, author, fallback };
  let mergedInto: TaskId | null = null;
  if (leader !== null) {
    putTask(d, { ...task, stage: 'merged', mergedInto: entryOf(leader) });
    taskEvent(d, id, 'queued', queued);
    mergedInto = leader.id;
    taskEvent(d, id, 'merged', { into: mergedInto });
  } else if (steered !== null && d.s.hold !== null && d.s.agent.kind === 'up') {
    const into = mustTask(d, d.s.hold.task);
    putTask(d, { ...task, stage: 'steered', mergedInto: entryOf(into) });
    taskEvent(d, id, 'queued', queued);
    mergedInto = into.id;
    taskEvent(d, id, 'steered', { into: mergedInto, turn: steered.id, delivered: false });
    if (steered.phase !== 'sent') {
      d.effects.push({ type: 'steer', incarnation: d.s.agent.incarnation, turn: steered.id, task: id });
    }
  } else {
    const collects = joins === 'queued-turn' && mayMerge(input);
    putTask(d, collects ? { ...task, stage: 'collecting' } : task);
    taskEvent(d, id, 'queued', queued);
  }
  if (owner !== null && ends?.whom === 'owner') {
    endOwnerFor(d, owner, id, ends.reason, ended);
  }
  if (rewinds) {
    rollBack(d);
  }
  return {
    kind: 'admitted',
    task: id,
    endedTasks: ended,
    fallback,
    mergedInto,
  };
}

/** What of a merge group waits and is ended: by `replace` what is still queued, by `interrupt` and `rollback` what ran before, and an earlier one of them. */
const endedRanks = { queued: [1, 2], owner: [0, 1] } as const;

/**
 * Ends these tasks of the merge group with what was merged into them; those of the interactive lane only for a message of that lane.
 * Gives the position in the order of the oldest of the same lane that was still queued, or null.
 */
function endWaiting(
  d: Draft,
  { task: { id: by, mergeGroup, lane } }: Submit,
  ends: Ends,
  ended: TaskId[],
): number | null {
  let oldest: Task | null = null;
  if (mergeGroup === null || (ends.whom === 'owner' && lane === 'background')) {
    return null;
  }
  for (const rank of endedRanks[ends.whom]) {
    for (const id of waitingOf(d.s, mergeGroup, rank)) {
      const old = mustTask(d, id);
      if (lane === 'background' && old.lane === 'interactive') {
        continue;
      }
      const isQueued = old.status === 'queued';
      if (isQueued && old.lane === lane && (oldest === null || old.admission < oldest.admission)) {
        oldest = old;
      }
      ended.push(old.id, ...mergedTasks(d.s, old));
      const reason = isQueued ? 'replaced' : 'interrupted';
      endEntry(d, old, { status: 'cancelled', reason, by: actorTask(by), result: null, scope: 'turn' }, null);
    }
  }
  return oldest?.position ?? null;
}

/** The tasks of a merge group and a rank that wait, oldest first, as they are at the call. */
function* waitingOf({ indexes }: Draft['s'], mergeGroup: string, rank: MergeGroupKey['rank']): Generator<TaskId> {
  for (const [key, id] of treeEntries(indexes.mergeGroups, { mergeGroup, rank, admission: 0 })) {
    if (key.mergeGroup !== mergeGroup || key.rank !== rank) {
      return;
    }
    yield id;
  }
}

/** The owner ends, and with it what is merged into it or taken by its turn. A steered text not yet taken goes back. */
function endOwnerFor(d: Draft, owner: Task, by: TaskId, reason: string, ended: TaskId[]): void {
  ended.push(...mergedTasks(d.s, owner));
  for (const id of steeredTasks(d.s, owner)) {
    if (mustTask(d, id).delivered) {
      ended.push(id);
    }
  }
  ended.push(owner.id);
  endOrInterrupt(d, owner, { status: 'cancelled', reason, by: actorTask(by), result: null, scope: 'turn' });
}
