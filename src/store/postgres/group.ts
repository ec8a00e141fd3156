/**
 * What one group of session commits writes, gathered in memory: `applyRecords` decides, this takes the changes down.
 *
 * Owns: the changed copies of what the ledger knows, for the length of one group. Called by: `commit.ts`.
 *  postgres-group/1 Of several rows of one task or session only the last is written.
 *  postgres-group/2 Positions are numbers within the transaction until the database has said which one it was.
 */
import { invariant } from '../../core/errors.ts';
import type { Event } from '../../core/model/events.ts';
import type { SessionKey, TaskId } from '../../core/model/ids.ts';
import type { SessionRow, TaskRow } from '../../core/model/records.ts';
import type { Admission, Admit, End, Line, RecordStore } from '../apply-records.ts';
import type { Applied } from '../nodes.ts';
import type { FeedPosition } from '../port.ts';
import { finalToJson, taskToJson, toJson } from '../row.ts';
import { sourceKey, storedPayload } from '../rules.ts';
import type { Value } from './database.ts';
import { draftOf, type SessionEntry, type TaskEntry } from './ledger.ts';
import { figures, type Figure } from './sql.ts';

interface TaskChange {
  /** Columns by their names; a task that is admitted in this group has all of them. */
  readonly columns: { [column: string]: string | number | null };
  readonly admitted: boolean;
}

interface SessionChange {
  readonly entry: SessionEntry;
  row: SessionRow | null;
  at: number | null;
  changed: boolean;
  readonly figures: { [figure in Figure]: number };
}

/** Events next to each other on one tape, of one session's commit. */
interface Run {
  readonly session: number;
  readonly tape: number;
  readonly first: number;
  last: number;
  ends: boolean;
  readonly ord: number;
  readonly events: unknown[];
}

/** A command that is taken out by a session's commit. */
export interface Taken extends Applied {
  readonly session: number;
}

/** What was there before the group, of what it names. */
export interface Known {
  readonly sessions: ReadonlyMap<SessionKey, SessionEntry>;
  readonly tasks: ReadonlyMap<TaskId, TaskEntry>;
  /** Keys that were found to be taken, by `sourceKey`. */
  readonly keys: ReadonlyMap<string, TaskId>;
}

export class Group implements RecordStore<SessionEntry, TaskEntry> {
  readonly #known: Known;
  readonly #sessions = new Map<SessionKey, SessionChange>();
  readonly #tasks = new Map<TaskId, TaskEntry>();
  readonly #changes = new Map<TaskEntry, TaskChange>();
  readonly #keys = new Map<string, TaskId>();
  readonly #runs: Run[] = [];
  readonly #taken: Taken[] = [];
  #run: Run | null = null;
  #events = 0;
  #current: SessionChange | null = null;

  constructor(known: Known) {
    this.#known = known;
  }

  session(key: SessionKey): SessionEntry | null {
    const change = this.#sessions.get(key) ?? this.#draft(key);
    this.#current = change;
    return change?.entry ?? null;
  }

  #draft(key: SessionKey): SessionChange | null {
    const entry = this.#known.sessions.get(key);
    if (entry === undefined) {
      return null;
    }
    const none = { sessions: 0, queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0, late: 0, events: 0 };
    const change: SessionChange = { entry: draftOf(entry), row: null, at: null, changed: false, figures: none };
    this.#sessions.set(key, change);
    return change;
  }

  task(id: TaskId): TaskEntry | null {
    const known = this.#tasks.get(id);
    if (known !== undefined) {
      return known;
    }
    const stored = this.#known.tasks.get(id);
    if (stored === undefined) {
      return null;
    }
    const task = { ...stored };
    this.#tasks.set(id, task);
    return task;
  }

  isOf(task: TaskEntry, session: SessionEntry): boolean {
    return task.session === session.n;
  }

  taskByKey(source: string, idempotencyKey: string): TaskId | null {
    const key = sourceKey(source, idempotencyKey);
    return this.#keys.get(key) ?? this.#known.keys.get(key) ?? null;
  }

  /** The statement that writes tells. */
  withdrawn(): readonly string[] {
    return [];
  }

  take(session: SessionEntry, applied: readonly Applied[]): void {
    this.#mine().changed = true;
    this.#taken.push(...applied.map((one) => ({ ...one, session: session.n })));
  }

  lastSeq(session: SessionEntry, task: TaskEntry | null): number {
    return (task ?? session).seq;
  }

  admit(session: SessionEntry, record: Admit, { source, idempotencyKey }: Admission): void {
    const { task: row } = record;
    session.tasks += 1;
    const task: TaskEntry = { session: session.n, tape: session.tasks, status: row.status, seq: 0 };
    const columns = {
      session: session.n,
      tape: task.tape,
      id: row.id,
      status: row.status,
      lane: row.lane,
      admitted_at: record.at,
      ended_at: null,
      seq: null,
      reason: null,
      source,
      idempotency_key: idempotencyKey,
      merged_into: row.mergedInto,
      row: taskToJson(row),
      payload: toJson(storedPayload(record.payload)),
      result: null,
    };
    this.#tasks.set(row.id, task);
    this.#changes.set(task, { columns, admitted: true });
    if (idempotencyKey !== null) {
      this.#keys.set(sourceKey(source, idempotencyKey), row.id);
    }
    const change = this.#touch(record.at);
    change.figures[row.status] += 1;
    session.known.set(row.id, task);
  }

  setTask(task: TaskEntry, row: TaskRow): void {
    this.#move(task, row.status);
    Object.assign(this.#columns(task), {
      status: row.status,
      lane: row.lane,
      merged_into: row.mergedInto,
      row: taskToJson(row),
    });
    this.#mine().entry.known.set(row.id, task);
  }

  setPayload(task: TaskEntry, payload: unknown): void {
    this.#columns(task)['payload'] = toJson(storedPayload(payload));
  }

  setSession(session: SessionEntry, row: SessionRow, at: number): void {
    const change = this.#touch(at);
    change.row = row;
    if (!session.stored) {
      session.stored = true;
      change.figures.sessions += 1;
    }
  }

  append(session: SessionEntry, task: TaskEntry | null, record: Line, { type, data }: Event): FeedPosition {
    const { seq, at } = record;
    const ends = record.type === 'end';
    const tape = task?.tape ?? 0;
    (task ?? session).seq = seq;
    let run = this.#run;
    if (run === null || run.tape !== tape) {
      run = { session: session.n, tape, first: seq, last: seq, ends, ord: this.#events, events: [] };
      this.#run = run;
      this.#runs.push(run);
    }
    run.last = seq;
    run.ends = ends;
    if (!ends) {
      run.events.push(data === undefined ? [at, type] : [at, type, data]);
    }
    this.#touch(at).figures.events += 1;
    if (record.task !== null && task !== null) {
      session.known.set(record.task, task);
    }
    this.#events += 1;
    return String(this.#events - 1);
  }

  end(_: SessionEntry, task: TaskEntry, { at, seq, final }: End): void {
    const { status, reason } = final;
    this.#move(task, status);
    Object.assign(this.#columns(task), { status, reason, ended_at: at, seq, result: finalToJson(final) });
  }

  applied(late: number): void {
    this.#run = null;
    const change = this.#mine();
    change.figures.late += late;
    change.changed ||= late > 0;
  }

  #mine(): SessionChange {
    invariant(this.#current !== null, 'a session was looked up before its records');
    return this.#current;
  }

  #touch(at: number): SessionChange {
    const change = this.#mine();
    change.at = at;
    change.changed = true;
    return change;
  }

  #columns(task: TaskEntry): TaskChange['columns'] {
    this.#mine().changed = true;
    const known = this.#changes.get(task);
    if (known !== undefined) {
      return known.columns;
    }
    const columns = { session: task.session, tape: task.tape, status: task.status };
    this.#changes.set(task, { columns, admitted: false });
    return columns;
  }

  #move(task: TaskEntry, to: TaskEntry['status']): void {
    if (task.status !== to) {
      const { figures: of } = this.#mine();
      of[task.status] -= 1;
      of[to] += 1;
      task.status = to;
    }
  }

  /** Sessions that have something to write, with what is known of them when it is written. */
  written(): ReadonlyMap<SessionKey, SessionEntry> {
    const written = new Map<SessionKey, SessionEntry>();
    for (const [key, { entry, changed }] of this.#sessions) {
      if (changed) {
        written.set(key, entry);
      }
    }
    return written;
  }

  get taken(): readonly Taken[] {
    return this.#taken;
  }

  /** The values of `commitApplied` behind those of `commit`. */
  letters({ prefix, payload }: { readonly prefix: string; readonly payload: string }): readonly Value[] {
    const taken = this.#taken;
    return [
      taken.map(({ id }) => id),
      taken.map(({ session }) => session),
      taken.map(({ from }) => from),
      taken.map(({ reply }) => toJson(reply) ?? 'null'),
      prefix,
      payload,
    ];
  }

  /** The values of `commit`, in its order. */
  values(era: number, { inc, owner }: { readonly inc: number; readonly owner: number | null }): readonly Value[] {
    const changes = [...this.#changes.values()];
    const sessions = [...this.#sessions.values()].filter(({ changed }) => changed);
    const runs = this.#runs.map(({ session, tape, first, last, ends, ord, events }) => ({
      session,
      tape,
      first_seq: first,
      last_seq: last,
      ends,
      ord,
      events: JSON.stringify(events),
    }));
    return [
      JSON.stringify(changes.filter(({ admitted }) => admitted).map(({ columns }) => columns)),
      JSON.stringify(changes.filter(({ admitted }) => !admitted).map(({ columns }) => columns)),
      JSON.stringify(runs),
      era,
      inc,
      sessions.map(({ entry }) => entry.n),
      sessions.map(({ entry }) => entry.lease),
      sessions.map(({ entry }) => entry.version),
      sessions.map(({ row }) => (row === null ? null : JSON.stringify(row))),
      sessions.map(({ row }) => (row === null ? null : row.parked !== null)),
      sessions.map(({ at }) => at),
      sessions.map(({ entry }) => entry.tasks),
      owner,
      ...figures.map((figure) => sessions.map((change) => change.figures[figure])),
    ];
  }
}
