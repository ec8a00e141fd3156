/**
 * What tasks and sessions do now, in one word, and the last words of their agents. It decides nothing. Of a session that is not
 * live here, the word is what its rows say.
 */
import type { OpenTaskState } from '../../core/model/state.ts';
import type { Task } from '../../core/model/task.ts';
import { treeGet, treeSize } from '../../core/tree.ts';
import type { SessionSummary, StoredTask } from '../../store/port.ts';
import { isTerminal } from '../../store/rules.ts';
import type { SessionNow, TaskNow } from '../api.ts';
import type { SessionActor } from '../session/actor.ts';

/** UTF-16 units. */
const lastWordsMax = 200;

type Actor = SessionActor | null;

/** Whether the task waits for the end of a throttle. */
export const isThrottled = ({ committed: session }: SessionActor, task: Task): boolean =>
  session.throttle !== null &&
  (session.throttle.level === 'all' || task.lane === 'background') &&
  (task.stage === 'waiting' || (task.stage === 'owner' && (session.hold?.turn?.phase ?? 'pending') === 'pending'));

export function openTaskState(actor: SessionActor, task: Task): OpenTaskState {
  const { parked, hold } = actor.committed;
  const turn = task.stage === 'owner' ? (hold?.turn ?? null) : null;
  const onTheWire = turn !== null && turn.phase !== 'pending';
  if (!onTheWire && task.stage !== 'released') {
    if (parked !== null) {
      return 'parked';
    }
    if (isThrottled(actor, task)) {
      return 'throttled';
    }
  }
  if (turn === null) {
    return stateOfRow(task);
  }
  switch (turn.phase) {
    case 'pending':
      return 'starting';
    case 'sent':
    case 'running':
      return turn.permissionRequests.length > 0 ? 'asking' : 'running';
    case 'draining':
      return 'interrupting';
  }
}

function stateOfRow({ stage, status }: Pick<Task, 'stage' | 'status'>): OpenTaskState {
  switch (stage) {
    case 'owner':
    case 'released':
      return 'running';
    case 'merged':
    case 'steered':
      return 'merged';
    case 'waiting':
    case 'collecting':
    case 'unclaimed':
      return status === 'running' ? 'preempted' : 'waiting';
  }
}

export function taskNow(actor: Actor, stored: StoredTask): TaskNow {
  if (isTerminal(stored.status)) {
    return { state: stored.status, lastWords: lastWordsOf(stored.final) };
  }
  const task = actor === null ? undefined : treeGet(actor.committed.tasks, stored.row.id);
  if (actor === null || task === undefined) {
    return { state: stateOfRow(stored.row), lastWords: null };
  }
  const lastWords = task.stage === 'owner' ? lastLine(actor.host.lastText) : null;
  return { state: openTaskState(actor, task), lastWords };
}

export function sessionNow(actor: Actor, { open, row }: SessionSummary): SessionNow {
  if (actor === null) {
    const state = row.parked !== null ? 'parked' : row.hold !== null ? 'running' : open > 0 ? 'waiting' : 'free';
    return { state, ownedSince: null, lastWords: null };
  }
  const { hold, tasks, parked, throttle } = actor.committed;
  const owner = hold === null ? undefined : treeGet(tasks, hold.task);
  const lastWords = lastLine(actor.host.lastText);
  if (owner !== undefined) {
    const state = openTaskState(actor, owner);
    // An owner is in no queue, and is not merged.
    const known = state === 'waiting' || state === 'preempted' || state === 'merged' ? 'running' : state;
    return { state: known, ownedSince: actor.heldSince, lastWords };
  }
  const state =
    parked !== null ? 'parked' : treeSize(tasks) === 0 ? 'free' : throttle?.level === 'all' ? 'throttled' : 'waiting';
  return { state, ownedSince: null, lastWords };
}

function lastWordsOf(final: StoredTask['final']): string | null {
  if (final === null) {
    return null;
  }
  const { answer, result } = final;
  if (answer?.failure !== undefined) {
    return lastLine(answer.failure.message);
  }
  const failed = typeof result === 'object' && result !== null && 'error' in result ? result.error : null;
  const message = typeof failed === 'object' && failed !== null && 'message' in failed ? failed.message : failed;
  return lastLine(typeof message === 'string' ? message : (answer?.text ?? ''));
}

/** The last line with words in it; null: there is none. */
function lastLine(text: string): string | null {
  const line = text.trimEnd().split('\n').at(-1)?.trim() ?? '';
  return line === '' ? null : line.length <= lastWordsMax ? line : `${line.slice(0, lastWordsMax - 1)}…`;
}
