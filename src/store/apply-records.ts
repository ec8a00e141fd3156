/**
 * What the records of a commit do, in every store: which of them are dropped, which break a rule, and which events readers get.
 *
 * Owns nothing: a store gives its entries of sessions and tasks, and carries the changes out. It is synchronous. A store that
 * reads over a network reads what the group names first, and then applies the group.
 *  apply-records/1 A session is checked whole (lease, idempotency keys, commands) before its first change; one that is fenced,
 *                  duplicate or withdrawn leaves no trace.
 *  apply-records/2 What else is wrong throws `CommitRejected`, and the store takes the whole group back.
 *  apply-records/3 A record that comes after the end of its task changes nothing. If it is an event or an end, it counts as late.
 */
import type { Event } from '../core/model/events.ts';
import type { TaskId } from '../core/model/ids.ts';
import type { Record as CoreRecord, SessionRow, TaskRow } from '../core/model/records.ts';
import type { TaskStatus } from '../core/model/task.ts';
import { statusBackward, tapeConflict, taskConflict } from './errors.ts';
import type { Applied } from './nodes.ts';
import type { CommitOutcome, FeedEvent, FeedPosition, SessionCommit } from './port.ts';
import { admissionOf, isTerminal, movesForward, sourceKey } from './rules.ts';

type RecordOf<T extends CoreRecord['type']> = Extract<CoreRecord, { type: T }>;
export type Admit = RecordOf<'admit'>;
/** The two fields of a payload that the store looks into. */
export type Admission = ReturnType<typeof admissionOf>;
export type End = RecordOf<'end'>;
/** A record that puts an event on a tape. */
export type Line = RecordOf<'event'> | End;

/** `S` and `T` are what the store knows of a session and of a task while a group is written, its own changes included. */
export interface RecordStore<S extends { readonly lease: number }, T extends { readonly status: TaskStatus }> {
  session(key: SessionCommit['session']): S | null;
  task(id: TaskId): T | null;
  isOf(task: T, session: S): boolean;
  taskByKey(source: string, idempotencyKey: string): TaskId | null;
  /** Which of these commands are not there any more, as far as the store knows before it writes. */
  withdrawn(session: S, applied: readonly Applied[]): readonly string[];
  /** Number of the last event on the tape of the task, or on the session's own. */
  lastSeq(session: S, task: T | null): number;

  /** Takes these commands out, with their replies. */
  take(session: S, applied: readonly Applied[]): void;
  admit(session: S, record: Admit, admission: Admission): void;
  setTask(task: T, row: TaskRow): void;
  setPayload(task: T, payload: unknown): void;
  setSession(session: S, row: SessionRow, at: number): void;
  /** Puts the event on the tape under its number, and gives its position in the feed. */
  append(session: S, task: T | null, record: Line, event: Event): FeedPosition;
  /** The task gets its terminal status. Its `final` has been appended. */
  end(session: S, task: T, record: End): void;
  /** The session's last record is applied; so many were late. */
  applied(late: number): void;
}

/** Applies the group, session by session. Outcomes in the order of `commits`. */
export function applyRecords<S extends { readonly lease: number }, T extends { readonly status: TaskStatus }>(
  store: RecordStore<S, T>,
  commits: readonly SessionCommit[],
): CommitOutcome[] {
  return commits.map((commit) => {
    const session = store.session(commit.session);
    if (session === null || session.lease !== commit.lease) {
      return { kind: 'fenced' };
    }
    return (
      duplicateIn(commit, (source, key) => store.taskByKey(source, key)) ??
      withdrawnIn(store, session, commit) ??
      new SessionRecords(store, session, commit).apply()
    );
  });
}

function withdrawnIn<S extends { readonly lease: number }, T extends { readonly status: TaskStatus }>(
  store: RecordStore<S, T>,
  session: S,
  { applied = [] }: SessionCommit,
): CommitOutcome | null {
  const ids = applied.length === 0 ? [] : store.withdrawn(session, applied);
  return ids.length === 0 ? null : { kind: 'withdrawn', ids };
}

/** The first admission whose idempotency key is taken: in the store, or by an earlier one of the same commit. */
function duplicateIn(
  commit: SessionCommit,
  taskByKey: (source: string, key: string) => TaskId | null,
): CommitOutcome | null {
  let own: Map<string, TaskId> | null = null;
  for (const record of commit.records) {
    if (record.type !== 'admit') {
      continue;
    }
    const { source, idempotencyKey } = admissionOf(record.payload);
    if (idempotencyKey === null) {
      continue;
    }
    own ??= new Map();
    const key = sourceKey(source, idempotencyKey);
    const task = taskByKey(source, idempotencyKey) ?? own.get(key);
    if (task !== undefined) {
      return { kind: 'duplicate', source, idempotencyKey, task };
    }
    own.set(key, record.task.id);
  }
  return null;
}

/** The records of one session that may write. */
class SessionRecords<S extends { readonly lease: number }, T extends { readonly status: TaskStatus }> {
  readonly #store: RecordStore<S, T>;
  readonly #session: S;
  readonly #commit: SessionCommit;
  readonly #events: FeedEvent[] = [];

  constructor(store: RecordStore<S, T>, session: S, commit: SessionCommit) {
    this.#store = store;
    this.#session = session;
    this.#commit = commit;
  }

  apply(): CommitOutcome {
    const { applied = [] } = this.#commit;
    if (applied.length > 0) {
      this.#store.take(this.#session, applied);
    }
    let late = 0;
    for (const record of this.#commit.records) {
      late += this.#record(record) ? 0 : 1;
    }
    this.#store.applied(late);
    return { kind: 'committed', late, events: this.#events };
  }

  /** False: it is late. */
  #record(record: CoreRecord): boolean {
    switch (record.type) {
      case 'admit':
        this.#admit(record);
        return true;
      case 'task':
        this.#task(record.task);
        return true;
      case 'payload': {
        const task = this.#entry(record.task);
        if (!isTerminal(task.status)) {
          this.#store.setPayload(task, record.payload);
        }
        return true;
      }
      case 'session':
        this.#store.setSession(this.#session, record.session, record.at);
        return true;
      case 'event':
        return this.#line(record.task === null ? null : this.#entry(record.task), record, record.event);
      case 'end': {
        const task = this.#entry(record.task);
        const written = this.#line(task, record, { type: 'final', data: record.final });
        if (written) {
          this.#store.end(this.#session, task, record);
        }
        return written;
      }
    }
  }

  #entry(id: TaskId): T {
    const task = this.#store.task(id);
    if (task === null) {
      throw taskConflict(this.#commit.session, id, 'was never admitted');
    }
    if (!this.#store.isOf(task, this.#session)) {
      throw taskConflict(this.#commit.session, id, 'belongs to another session');
    }
    return task;
  }

  #admit(record: Admit): void {
    const { id } = record.task;
    if (this.#store.task(id) !== null) {
      throw taskConflict(this.#commit.session, id, 'was admitted before');
    }
    this.#store.admit(this.#session, record, admissionOf(record.payload));
  }

  #task(row: TaskRow): void {
    const task = this.#entry(row.id);
    if (isTerminal(task.status)) {
      return;
    }
    if (!movesForward(task.status, row.status)) {
      throw statusBackward(this.#commit.session, row.id, task.status, row.status);
    }
    this.#store.setTask(task, row);
  }

  #line(task: T | null, record: Line, event: Event): boolean {
    if (task !== null && isTerminal(task.status)) {
      return false;
    }
    const next = this.#store.lastSeq(this.#session, task) + 1;
    const { seq, at } = record;
    if (seq !== next) {
      throw tapeConflict(this.#commit.session, record.task ?? 'the session', next, seq);
    }
    const position = this.#store.append(this.#session, task, record, event);
    const { type, data } = event;
    this.#events.push({ session: this.#commit.session, task: record.task, seq, at, position, type, data } as FeedEvent);
    return true;
  }
}
