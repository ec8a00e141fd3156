/**
 * What SQLite can do with the rows that our store writes: the same tables, settings and rows by prepared statements, and
 * nothing else: no fence, no trigger, no ledger, no check. The limit of everything that commits.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Record as CoreRecord } from '../../src/core/model/records.ts';
import { migrate } from '../../src/store/sqlite/migrate.ts';
import type { Durability } from '../../src/store/sqlite/store.ts';

export class RawStore implements Disposable {
  readonly #db: DatabaseSync;
  readonly #statements: { readonly [name in keyof typeof statements]: StatementSync };
  /** Row number and last seq by the name that the records use. */
  readonly #tapes = new Map<string, { readonly n: number; seq: number }>();
  #pos = 0;
  #tasks = 0;

  constructor(path: string, durability: Durability) {
    this.#db = new DatabaseSync(path);
    migrate(this.#db, 0);
    // As `src/store/sqlite/open.ts` sets them.
    this.#db.exec(`
      PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability === 'power' ? 'FULL' : 'NORMAL'};
      PRAGMA wal_autocheckpoint = 10000; PRAGMA cache_size = -16384;`);
    const triggers = this.#db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all();
    for (const { name } of triggers) {
      this.#db.exec(`DROP TRIGGER ${String(name)}`);
    }
    this.#db.exec("INSERT INTO sessions (n, key, lease) VALUES (1, 'bench', 1)");
    const prepared = Object.entries(statements).map(([name, text]) => [name, this.#db.prepare(text)] as const);
    this.#statements = Object.fromEntries(prepared) as { [name in keyof typeof statements]: StatementSync };
  }

  begin(): void {
    this.#statements.begin.run();
  }

  commit(): void {
    this.#statements.commit.run();
  }

  /** One event of the tape numbered `tape`, with `seq` given. */
  event(tape: number, seq: number, at: number, type: string, data: string): void {
    this.#statements.event.run(tape, seq, at, type, data);
  }

  /** One transaction with the rows that these records become in our store. A task that is not known by its id is a new one. */
  write(records: readonly CoreRecord[]): void {
    const { task, event, run, update, end, session, totals } = this.#statements;
    this.begin();
    let counted = false;
    for (const record of records) {
      if (record.type === 'admit') {
        const n = (this.#tasks += 1);
        this.#tapes.set(record.task.id, { n, seq: 0 });
        task.run(n, `${record.task.id}-${n}`, record.at, JSON.stringify(record.task), JSON.stringify(record.payload));
        counted = true;
      } else if (record.type === 'event') {
        const tape = this.#tape(record.task);
        tape.seq += 1;
        event.run(tape.n, tape.seq, record.at, record.event.type, JSON.stringify(record.event.data));
      } else if (record.type === 'task') {
        update.run(this.#tape(record.task.id).n, JSON.stringify(record.task));
      } else if (record.type === 'end') {
        const tape = this.#tape(record.task);
        const { status, reason } = record.final;
        end.run(tape.n, status, reason, record.at, tape.seq + 1, JSON.stringify(record.final));
        counted = true;
      } else if (record.type === 'session') {
        session.run(JSON.stringify(record.session), record.at);
      }
    }
    for (const tape of new Set(
      records.flatMap((record) => ('task' in record && record.type === 'event' ? [record.task] : [])),
    )) {
      const { n, seq } = this.#tape(tape);
      run.run((this.#pos += 1), 1, n, seq, seq, 0);
    }
    if (counted) {
      totals.run(1);
    }
    this.commit();
  }

  #tape(name: string | null): { readonly n: number; seq: number } {
    const key = name ?? '';
    const known = this.#tapes.get(key);
    if (known !== undefined) {
      return known;
    }
    const made = { n: name === null ? -1 : (this.#tasks += 1), seq: 0 };
    this.#tapes.set(key, made);
    return made;
  }

  /** Pages of one tape, as rows. */
  *pages(tape: number, size: number): Generator<readonly { readonly [column: string]: unknown }[]> {
    for (let after = 0; ;) {
      const rows = this.#statements.page.all(tape, after, size);
      if (rows.length === 0) {
        return;
      }
      yield rows;
      after = Number(rows.at(-1)?.['seq']);
    }
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

const statements = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  task: `INSERT INTO tasks (n, id, session, status, lane, admitted_at, source, row, payload)
    VALUES (?1, ?2, 1, 'queued', 'interactive', ?3, 'api', ?4, ?5)`,
  event: 'INSERT INTO events (tape, seq, at, type, data) VALUES (?1, ?2, ?3, ?4, ?5)',
  run: 'INSERT INTO runs (pos, session, tape, first_seq, last_seq, ends) VALUES (?1, ?2, ?3, ?4, ?5, ?6)',
  update: 'UPDATE tasks SET row = ?2 WHERE n = ?1',
  end: 'UPDATE tasks SET status = ?2, reason = ?3, ended_at = ?4, seq = ?5, result = ?6 WHERE n = ?1',
  session: 'UPDATE sessions SET row = ?1, changed_at = ?2 WHERE n = 1',
  totals: 'UPDATE totals SET queued = queued + ?1',
  page: 'SELECT seq, at, type, data FROM events WHERE tape = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3',
} as const;
