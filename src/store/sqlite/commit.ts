/**
 * Writes one group of session commits inside a transaction that its caller began and will commit or roll back.
 *
 * Owns: the not yet written part of the group (last rows of tasks and sessions, ends, totals), for the length of one group.
 * Called by: `SqliteStore.commit`.
 *  sqlite-commit/1 A session is checked whole (lease, idempotency keys) before its first write; a fenced or duplicate one
 *                  leaves no trace.
 *  sqlite-commit/2 Anything else that is wrong throws `CommitRejected`, and the caller rolls the whole group back.
 *  sqlite-commit/3 Events are inserted in order under the number that their owner gave them; the key and the triggers fence
 *                  a second time.
 *  sqlite-commit/4 Of several rows of one task or session in a group only the last is written. Ends are written last: their
 *                  events precede.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { invariant } from '../../core/errors.ts';
import type { Event } from '../../core/model/events.ts';
import { taskId, type TaskId } from '../../core/model/ids.ts';
import type { TaskStatus } from '../../core/model/task.ts';
import type { Record as CoreRecord, SessionRow, TaskRow } from '../../core/model/records.ts';
import { makePosition } from '../cursor.ts';
import { statusBackward, tapeConflict, taskConflict } from '../errors.ts';
import { admissionOf, isTerminal, movesForward } from '../rules.ts';
import type { CommitOutcome, FeedEvent, SessionCommit } from '../port.ts';
import type { Ledger, SessionEntry, TaskEntry } from './ledger.ts';
import { text, toJson } from './row.ts';
import * as sql from './sql.ts';

type RecordOf<T extends CoreRecord['type']> = Extract<CoreRecord, { type: T }>;

interface TaskChange {
  readonly entry: TaskEntry;
  row: TaskRow | null;
  end: RecordOf<'end'> | null;
}

/** `row` null: something else changed it. */
interface SessionChange {
  readonly entry: SessionEntry;
  row: SessionRow | null;
  at: number;
}

/** Events of one tape next to each other in one session's commit (so their numbers are, too): one row of the feed. */
interface Run {
  readonly pos: number;
  readonly session: number;
  readonly tape: number;
  readonly first: number;
  last: number;
  ends: boolean;
}

/** Events between two rounds of indexing; each takes about 2 ms. */
const indexEvery = 2_048;

export class GroupWriter {
  readonly #ledger: Ledger;
  readonly #taskByKey: StatementSync;
  readonly #insertTask: StatementSync;
  readonly #insertEvent: StatementSync;
  readonly #insertRun: StatementSync;
  readonly #updateTask: StatementSync;
  readonly #updatePayload: StatementSync;
  readonly #endTask: StatementSync;
  readonly #updateSession: StatementSync;
  readonly #touchSession: StatementSync;
  readonly #addTotals: StatementSync;
  readonly #indexRuns: StatementSync;
  readonly #setIndexed: StatementSync;

  readonly #tasks = new Map<number, TaskChange>();
  readonly #sessions = new Map<number, SessionChange>();
  #totals = noTotals();
  #run: Run | null = null;

  constructor(db: DatabaseSync, ledger: Ledger) {
    this.#ledger = ledger;
    this.#taskByKey = db.prepare(sql.taskByKey);
    this.#insertTask = db.prepare(sql.insertTask);
    this.#insertEvent = db.prepare(sql.insertEvent);
    this.#insertRun = db.prepare(sql.insertRun);
    this.#updateTask = db.prepare(sql.updateTask);
    this.#updatePayload = db.prepare(sql.updatePayload);
    this.#endTask = db.prepare(sql.endTask);
    this.#updateSession = db.prepare(sql.updateSession);
    this.#touchSession = db.prepare(sql.touchSession);
    this.#addTotals = db.prepare(sql.addTotals);
    this.#indexRuns = db.prepare(sql.indexRuns);
    this.#setIndexed = db.prepare(sql.setIndexed);
  }

  /** Outcomes in the order of `commits`; all of them are written when this returns, and none is durable yet. */
  write(commits: readonly SessionCommit[]): CommitOutcome[] {
    const outcomes = commits.map((commit) => this.#apply(commit));
    this.#flush();
    return outcomes;
  }

  /** After a rollback: what was gathered for the group is void. */
  reset(): void {
    this.#tasks.clear();
    this.#sessions.clear();
    this.#totals = noTotals();
    this.#run = null;
  }

  #apply(commit: SessionCommit): CommitOutcome {
    const session = this.#ledger.session(commit.session);
    if (session === null || session.lease !== commit.lease) {
      return { kind: 'fenced' };
    }
    const duplicate = this.#duplicate(commit);
    if (duplicate !== null) {
      return duplicate;
    }
    const events: FeedEvent[] = [];
    let late = 0;
    for (const record of commit.records) {
      if (!this.#record(commit, session, record, events)) {
        late += 1;
      }
    }
    this.#closeRun();
    this.#totals.late += late;
    return { kind: 'committed', late, events };
  }

  #duplicate(commit: SessionCommit): CommitOutcome | null {
    let own: Map<string, TaskId> | null = null;
    for (const record of commit.records) {
      if (record.type !== 'admit') {
        continue;
      }
      const { idempotencyKey } = admissionOf(record.payload);
      if (idempotencyKey === null) {
        continue;
      }
      own ??= new Map();
      const row = this.#taskByKey.get(idempotencyKey);
      const task = row === undefined ? own.get(idempotencyKey) : taskId(text(row, 'id'));
      if (task !== undefined) {
        return { kind: 'duplicate', idempotencyKey, task };
      }
      own.set(idempotencyKey, record.task.id);
    }
    return null;
  }

  /** False: the record came after the end of its task and was dropped. */
  #record(commit: SessionCommit, session: SessionEntry, record: CoreRecord, events: FeedEvent[]): boolean {
    switch (record.type) {
      case 'event':
        return this.#event(commit, session, record, events);
      case 'admit':
        this.#admit(commit, session, record);
        return true;
      case 'task':
        this.#task(commit, session, record.task);
        return true;
      case 'payload': {
        const entry = this.#entry(commit, session, record.task);
        if (!isTerminal(entry.status)) {
          this.#updatePayload.run(entry.n, toJson(record.payload));
        }
        return true;
      }
      case 'end':
        return this.#end(commit, session, record, events);
      case 'session':
        this.#changed(session, record.at).row = record.session;
        return true;
    }
  }

  #entry(commit: SessionCommit, session: SessionEntry, id: TaskId): TaskEntry {
    const entry = this.#ledger.task(id);
    if (entry === null) {
      throw taskConflict(commit.session, id, 'was never admitted');
    }
    if (entry.session !== session.n) {
      throw taskConflict(commit.session, id, 'belongs to another session');
    }
    return entry;
  }

  #admit(commit: SessionCommit, session: SessionEntry, record: RecordOf<'admit'>): void {
    const { task } = record;
    if (this.#ledger.task(task.id) !== null) {
      throw taskConflict(commit.session, task.id, 'was admitted before');
    }
    const { source, idempotencyKey } = admissionOf(record.payload);
    const inserted = this.#insertTask.run(
      task.id,
      session.n,
      task.status,
      task.lane,
      record.at,
      source,
      idempotencyKey,
      JSON.stringify(task),
      toJson(record.payload),
    );
    const n = Number(inserted.lastInsertRowid);
    this.#ledger.addTask(task.id, { n, session: session.n, status: task.status, seq: 0 });
    this.#totals[task.status] += 1;
    this.#changed(session, record.at);
  }

  #task(commit: SessionCommit, session: SessionEntry, row: TaskRow): void {
    const entry = this.#entry(commit, session, row.id);
    if (isTerminal(entry.status)) {
      return;
    }
    if (!movesForward(entry.status, row.status)) {
      throw statusBackward(commit.session, row.id, entry.status, row.status);
    }
    this.#move(entry, row.status);
    this.#change(entry).row = row;
  }

  #event(commit: SessionCommit, session: SessionEntry, record: RecordOf<'event'>, events: FeedEvent[]): boolean {
    const entry = record.task === null ? session : this.#entry(commit, session, record.task);
    if ('status' in entry && isTerminal(entry.status)) {
      return false;
    }
    if (record.seq !== entry.seq + 1) {
      throw tapeConflict(commit.session, record.task ?? 'the session', entry.seq + 1, record.seq);
    }
    const tape = record.task === null ? -entry.n : entry.n;
    const { type, data } = record.event;
    this.#insertEvent.run(tape, record.seq, record.at, type, toJson(data));
    entry.seq = record.seq;
    this.#publish(commit, session, tape, record, record.event, events);
    return true;
  }

  #end(commit: SessionCommit, session: SessionEntry, record: RecordOf<'end'>, events: FeedEvent[]): boolean {
    const entry = this.#entry(commit, session, record.task);
    if (isTerminal(entry.status)) {
      return false;
    }
    if (record.seq !== entry.seq + 1) {
      throw tapeConflict(commit.session, record.task, entry.seq + 1, record.seq);
    }
    this.#change(entry).end = record;
    this.#move(entry, record.final.status);
    this.#changed(session, record.at);
    entry.seq = record.seq;
    this.#publish(commit, session, entry.n, record, { type: 'final', data: record.final }, events);
    return true;
  }

  #change(entry: TaskEntry): TaskChange {
    const known = this.#tasks.get(entry.n);
    if (known !== undefined) {
      return known;
    }
    const change: TaskChange = { entry, row: null, end: null };
    this.#tasks.set(entry.n, change);
    return change;
  }

  #changed(entry: SessionEntry, at: number): SessionChange {
    const known = this.#sessions.get(entry.n);
    if (known !== undefined) {
      known.at = at;
      return known;
    }
    const change: SessionChange = { entry, row: null, at };
    this.#sessions.set(entry.n, change);
    return change;
  }

  #move(entry: TaskEntry, to: TaskStatus): void {
    if (entry.status === to) {
      return;
    }
    this.#totals[entry.status] -= 1;
    this.#totals[to] += 1;
    entry.status = to;
  }

  /** Numbers the event, puts it into the feed's current run and into the outcome. */
  #publish(
    commit: SessionCommit,
    session: SessionEntry,
    tape: number,
    record: RecordOf<'event'> | RecordOf<'end'>,
    { type, data }: Event,
    events: FeedEvent[],
  ): void {
    const { seq, at, task } = record;
    const pos = (this.#ledger.last += 1);
    const run = this.#run;
    const ends = record.type === 'end';
    if (run !== null && run.tape === tape) {
      run.last = seq;
      run.ends = ends;
    } else {
      this.#closeRun();
      this.#run = { pos, session: session.n, tape, first: seq, last: seq, ends };
    }
    const stamp = { session: commit.session, task, seq, at, position: makePosition(pos) };
    events.push({ ...stamp, type, data } as FeedEvent);
  }

  #closeRun(): void {
    const run = this.#run;
    if (run === null) {
      return;
    }
    this.#insertRun.run(run.pos, run.session, run.tape, run.first, run.last, run.ends ? 1 : 0);
    this.#run = null;
  }

  #flush(): void {
    for (const change of this.#tasks.values()) {
      this.#flushTask(change);
    }
    for (const change of this.#sessions.values()) {
      this.#flushSession(change);
    }
    const { sessions, queued, running, completed, failed, cancelled, late } = this.#totals;
    if ((sessions | queued | running | completed | failed | cancelled | late) !== 0) {
      this.#addTotals.run(sessions, queued, running, completed, failed, cancelled, late);
    }
    const ledger = this.#ledger;
    if (ledger.last - ledger.indexed > indexEvery) {
      this.#indexRuns.run(ledger.indexed);
      this.#setIndexed.run(ledger.last);
      ledger.indexed = ledger.last;
    }
    this.reset();
  }

  #flushTask({ entry, row, end }: TaskChange): void {
    if (end !== null) {
      const { at, seq, final } = end;
      const { status, reason } = final;
      this.#endTask.run(entry.n, status, reason, at, seq, toJson(final), row?.lane ?? null, toJson(row));
    } else if (row !== null) {
      this.#updateTask.run(entry.n, row.status, row.lane, JSON.stringify(row));
    }
  }

  #flushSession({ entry, row, at }: SessionChange): void {
    const { n, lease } = entry;
    const { changes } =
      row === null
        ? this.#touchSession.run(n, lease, at)
        : this.#updateSession.run(n, lease, JSON.stringify(row), row.parked === null ? 0 : 1, at);
    invariant(changes === 1, 'the lease that was checked is the lease in the file');
    if (row === null || entry.stored) {
      return;
    }
    entry.stored = true;
    this.#totals.sessions += 1;
  }
}

type Totals = { [name in TaskStatus | 'sessions' | 'late']: number };

const noTotals = (): Totals => ({ sessions: 0, queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0, late: 0 });
