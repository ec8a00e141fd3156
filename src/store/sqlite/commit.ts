/**
 * Writes one group of session commits inside a transaction that its caller began and will commit or roll back.
 *
 * Owns: the not yet written part of the group (last rows of tasks and sessions, ends, totals), for the length of one group.
 * Called by: `SqliteStore.commit`, and by `applyRecords` for it.
 *  sqlite-commit/1 Events are inserted in order under the number that their owner gave them; the key and the triggers fence
 *                  a second time.
 *  sqlite-commit/2 Of several rows of one task or session in a group only the last is written. Ends are written last: their
 *                  events precede.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { invariant } from '../../core/errors.ts';
import type { Event } from '../../core/model/events.ts';
import { taskId, type SessionKey, type TaskId } from '../../core/model/ids.ts';
import type { TaskStatus } from '../../core/model/task.ts';
import type { SessionRow, TaskRow } from '../../core/model/records.ts';
import { type Admission, type Admit, applyRecords, type End, type Line, type RecordStore } from '../apply-records.ts';
import { makePosition } from '../cursor.ts';
import type { Applied } from '../nodes.ts';
import type { CommitOutcome, FeedPosition, SessionCommit } from '../port.ts';
import { storedPayload } from '../rules.ts';
import type { Ledger, SessionEntry, TaskEntry } from './ledger.ts';
import { finalToJson, text, taskToJson, toJson } from '../row.ts';
import * as sql from './sql.ts';

interface TaskChange {
  readonly entry: TaskEntry;
  row: TaskRow | null;
  end: End | null;
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

export class GroupWriter implements RecordStore<SessionEntry, TaskEntry> {
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
    const outcomes = applyRecords(this, commits);
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

  session(key: SessionKey): SessionEntry | null {
    return this.#ledger.session(key);
  }

  task(id: TaskId): TaskEntry | null {
    return this.#ledger.task(id);
  }

  isOf(task: TaskEntry, session: SessionEntry): boolean {
    return task.session === session.n;
  }

  /** There is one node, and nobody sends it any. */
  withdrawn(_: SessionEntry, applied: readonly Applied[]): readonly string[] {
    return applied.map(({ id }) => id);
  }

  take(): void {}

  taskByKey(source: string, idempotencyKey: string): TaskId | null {
    const row = this.#taskByKey.get(source, idempotencyKey);
    return row === undefined ? null : taskId(text(row, 'id'));
  }

  lastSeq(session: SessionEntry, task: TaskEntry | null): number {
    return (task ?? session).seq;
  }

  admit(session: SessionEntry, record: Admit, { source, idempotencyKey }: Admission): void {
    const { task } = record;
    const inserted = this.#insertTask.run(
      task.id,
      session.n,
      task.status,
      task.lane,
      record.at,
      source,
      idempotencyKey,
      taskToJson(task),
      toJson(storedPayload(record.payload)),
    );
    const n = Number(inserted.lastInsertRowid);
    this.#ledger.addTask(task.id, { n, session: session.n, status: task.status, seq: 0 });
    this.#totals[task.status] += 1;
    this.#changed(session, record.at);
  }

  setTask(task: TaskEntry, row: TaskRow): void {
    this.#move(task, row.status);
    this.#change(task).row = row;
  }

  setPayload(task: TaskEntry, payload: unknown): void {
    this.#updatePayload.run(task.n, toJson(storedPayload(payload)));
  }

  setSession(session: SessionEntry, row: SessionRow, at: number): void {
    this.#changed(session, at).row = row;
  }

  /** A `final` has no row in `events`: it is in the row of its task, and the run says that it ends there. */
  append(session: SessionEntry, task: TaskEntry | null, record: Line, { type, data }: Event): FeedPosition {
    const tape = task === null ? -session.n : task.n;
    const { seq } = record;
    const ends = record.type === 'end';
    if (!ends) {
      this.#insertEvent.run(tape, seq, record.at, type, toJson(data));
    }
    (task ?? session).seq = seq;
    const pos = (this.#ledger.last += 1);
    const run = this.#run;
    if (run !== null && run.tape === tape) {
      run.last = seq;
      run.ends = ends;
    } else {
      this.#closeRun();
      this.#run = { pos, session: session.n, tape, first: seq, last: seq, ends };
    }
    return makePosition(pos);
  }

  end(session: SessionEntry, task: TaskEntry, record: End): void {
    this.#change(task).end = record;
    this.#move(task, record.final.status);
    this.#changed(session, record.at);
  }

  applied(late: number): void {
    this.#closeRun();
    this.#totals.late += late;
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
      this.#endTask.run(
        entry.n,
        status,
        reason,
        at,
        seq,
        finalToJson(final),
        row?.lane ?? null,
        row === null ? null : taskToJson(row),
      );
    } else if (row !== null) {
      this.#updateTask.run(entry.n, row.status, row.lane, taskToJson(row));
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
