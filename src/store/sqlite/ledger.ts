/**
 * What the store knows by heart about the sessions and tasks that it has lately written, so that an append costs its inserts
 * and hardly a read.
 *
 * Owns nothing: every entry repeats rows of the file. Used by `commit.ts` and `claim`, inside their transactions only.
 *  sqlite-ledger/1 An entry is used only in a transaction whose `data_version` is the one it was read or written under;
 *                  when another connection has committed in between, everything is forgotten. So a check against the ledger
 *                  is a check against the file.
 *  sqlite-ledger/2 A rollback forgets everything.
 *  sqlite-ledger/3 It is bounded: between transactions the oldest entries go, and an idle session costs nothing in the
 *                  end.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SessionKey, TaskId } from '../../core/model/ids.ts';
import type { TaskStatus } from '../../core/model/task.ts';
import { num, status } from '../row.ts';
import * as sql from './sql.ts';

/** `seq`: the last on its tape, those of the running transaction included. */
export interface SessionEntry {
  readonly n: number;
  lease: number;
  seq: number;
  /** Its row has been written before. */
  stored: boolean;
}

export interface TaskEntry {
  readonly n: number;
  readonly session: number;
  status: TaskStatus;
  seq: number;
}

const entriesMax = 20_000;

export class Ledger {
  /** Number of the newest event of the store. */
  last = 0;
  /** Events up to this one are found through `session_runs`. */
  indexed = 0;
  readonly #sessions = new Map<SessionKey, SessionEntry>();
  readonly #tasks = new Map<TaskId, TaskEntry>();
  readonly #dataVersion: StatementSync;
  readonly #sessionByKey: StatementSync;
  readonly #taskById: StatementSync;
  readonly #lastRun: StatementSync;
  readonly #indexed: StatementSync;
  #version = -1;

  constructor(db: DatabaseSync) {
    this.#dataVersion = db.prepare(sql.dataVersion);
    this.#sessionByKey = db.prepare(sql.sessionByKey);
    this.#taskById = db.prepare(sql.taskById);
    this.#lastRun = db.prepare(sql.lastRun);
    this.#indexed = db.prepare(sql.indexed);
  }

  /** First thing in a transaction (sqlite-ledger/1). */
  verify(): void {
    const row = this.#dataVersion.get();
    const version = row === undefined ? -1 : num(row, 'data_version');
    if (version === this.#version) {
      return;
    }
    this.forget();
    const last = this.#lastRun.get();
    this.last = last === undefined ? 0 : num(last, 'last');
    this.indexed = num(this.#indexed.get() ?? {}, 'indexed');
    this.#version = version;
  }

  /** After a rollback (sqlite-ledger/2). */
  forget(): void {
    this.#sessions.clear();
    this.#tasks.clear();
    this.#version = -1;
  }

  session(key: SessionKey): SessionEntry | null {
    const known = this.#sessions.get(key);
    if (known !== undefined) {
      return known;
    }
    const row = this.#sessionByKey.get(key);
    if (row === undefined) {
      return null;
    }
    const entry = {
      n: num(row, 'n'),
      lease: num(row, 'lease'),
      seq: num(row, 'seq'),
      stored: num(row, 'stored') === 1,
    };
    this.#sessions.set(key, entry);
    return entry;
  }

  task(id: TaskId): TaskEntry | null {
    const known = this.#tasks.get(id);
    if (known !== undefined) {
      return known;
    }
    const row = this.#taskById.get(id);
    if (row === undefined) {
      return null;
    }
    const entry = { n: num(row, 'n'), session: num(row, 'session'), status: status(row), seq: num(row, 'seq') };
    this.#tasks.set(id, entry);
    return entry;
  }

  addTask(id: TaskId, entry: TaskEntry): void {
    this.#tasks.set(id, entry);
  }

  /** Between transactions (sqlite-ledger/3). */
  trim(): void {
    trim(this.#sessions);
    trim(this.#tasks);
  }
}

function trim<K>(map: Map<K, unknown>): void {
  let over = map.size - entriesMax;
  if (over <= 0) {
    return;
  }
  for (const key of map.keys()) {
    if (over-- <= 0) {
      return;
    }
    map.delete(key);
  }
}
