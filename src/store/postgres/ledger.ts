/**
 * What the store knows by heart about the sessions that it has claimed, so that a commit is one statement and no read.
 *
 * Owns nothing: every entry repeats rows of the database.
 *  postgres-ledger/1 An entry is used only for a commit that the database checks against the session's lease and version. Whatever
 *                    else has written in between, that check fails, and the entry is read again.
 *  postgres-ledger/2 A commit changes copies, which take the place of the entries when it is written.
 *  postgres-ledger/3 It is bounded: the oldest sessions go, and of one session the tasks that ended first.
 */
import { sessionKey, taskId, type SessionKey, type TaskId } from '../../core/model/ids.ts';
import type { TaskStatus } from '../../core/model/task.ts';
import { isTerminal } from '../rules.ts';
import { num, status, text, type Row } from '../row.ts';

export interface TaskEntry {
  readonly session: number;
  readonly tape: number;
  status: TaskStatus;
  /** Number of the last event on its tape. */
  seq: number;
}

export interface SessionEntry {
  readonly n: number;
  lease: number;
  version: number;
  /** Number of the last event on its own tape. */
  seq: number;
  /** Tasks so far. */
  tasks: number;
  /** Its row has been written before. */
  stored: boolean;
  readonly known: Map<TaskId, TaskEntry>;
}

const sessionsMax = 20_000;
const endedMax = 256;

export class Ledger {
  readonly #sessions = new Map<SessionKey, SessionEntry>();

  get(key: SessionKey): SessionEntry | undefined {
    return this.#sessions.get(key);
  }

  set(key: SessionKey, entry: SessionEntry): void {
    this.#sessions.delete(key);
    this.#sessions.set(key, entry);
    if (entry.known.size > 2 * endedMax) {
      forgetEnded(entry.known);
    }
    for (const [oldest] of this.#sessions) {
      if (this.#sessions.size <= sessionsMax) {
        break;
      }
      this.#sessions.delete(oldest);
    }
  }

  /** A commit of the session is in the database; `draft` is what it changed. A claim in the meantime knows better. */
  written(key: SessionKey, draft: SessionEntry): void {
    const entry = this.#sessions.get(key);
    if (entry === undefined || entry.lease !== draft.lease || entry.version !== draft.version) {
      return;
    }
    for (const [id, task] of draft.known) {
      entry.known.set(id, task);
    }
    this.set(key, { ...draft, version: draft.version + 1, known: entry.known });
  }

  forget(key: SessionKey): void {
    this.#sessions.delete(key);
  }
}

function forgetEnded(known: Map<TaskId, TaskEntry>): void {
  const ended = [...known].filter(([, task]) => isTerminal(task.status));
  for (const [id] of ended.slice(0, -endedMax)) {
    known.delete(id);
  }
}

export const sessionEntryOf = (row: Row): SessionEntry => ({
  n: num(row, 'n'),
  lease: num(row, 'lease'),
  version: num(row, 'version'),
  seq: num(row, 'seq'),
  tasks: num(row, 'tasks'),
  stored: row['stored'] === true,
  known: new Map(),
});

export const keyOf = (row: Row): SessionKey => sessionKey(text(row, 'key'));

export const taskEntryOf = (row: Row): readonly [TaskId, TaskEntry] => [
  taskId(text(row, 'id')),
  { session: num(row, 'session'), tape: num(row, 'tape'), status: status(row), seq: num(row, 'seq') },
];

/** As it may be changed by one commit; its tasks are copied when they are. */
export const draftOf = (entry: SessionEntry): SessionEntry => ({ ...entry, known: new Map() });
