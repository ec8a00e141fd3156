/**
 * The Store port on one SQLite connection.
 *
 * Owns: the connection, its lock, the ledger. Called by: the runtime of one daemon; every method answers synchronously.
 *  sqlite-store/1 One commit is one `BEGIN IMMEDIATE … COMMIT` for all sessions of the group; when it returns, it is
 *                 durable.
 *  sqlite-store/2 Whatever throws before COMMIT has succeeded leaves the file as it was.
 *  sqlite-store/3 Everything but `commit` may be lost to a power cut: a lease without a commit under it decides nothing,
 *                 and agent processes do not outlive the machine. So these writes do not wait for the disk.
 *  sqlite-store/4 Nothing is written, and nothing confirmed, where the file is not the one that was opened.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { invariant } from '../../core/errors.ts';
import type { SessionKey, TaskId } from '../../core/model/ids.ts';
import type { SessionRow } from '../../core/model/records.ts';
import { storeClosed } from '../errors.ts';
import { passAfterCommit, type Faults } from '../faults.ts';
import type {
  CommitOutcome,
  FeedEvent,
  FeedPosition,
  Page,
  ProcessRow,
  SessionCommit,
  SessionSummary,
  Store,
  StoredEvent,
  StoredSession,
  StoredTask,
  StoreStats,
  TaskFilter,
  TokenRow,
} from '../port.ts';
import { GroupWriter } from './commit.ts';
import { storeError } from './failure.ts';
import { FileIdentity } from './file-identity.ts';
import { fileBytes } from './header.ts';
import { Ledger } from './ledger.ts';
import { touchFile, unclaimFile } from './opener.ts';
import { SqliteOutbox } from './outbox.ts';
import { Reads } from './reads.ts';
import { json, num, taskOf, text, type Row } from '../row.ts';
import type { Snapshot } from '../transfer/snapshot.ts';
import { snapshotOf } from './snapshot.ts';
import * as sql from './sql.ts';

/** `power`: a commit survives power loss. `process`: it survives the end of the process, whatever ends it. */
export type Durability = 'power' | 'process';

interface SqliteStoreParts {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly durability: Durability;
  readonly faults: Faults;
  /** Gives the file free for the next daemon; called last. */
  readonly release: () => void;
}

export class SqliteStore implements Store {
  readonly kind = 'sqlite';
  readonly nodes = null;
  readonly outbox: SqliteOutbox;
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #durability: Durability;
  readonly #faults: Faults;
  readonly #release: () => void;
  readonly #ledger: Ledger;
  readonly #writer: GroupWriter;
  readonly #reads: Reads;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #claim: StatementSync;
  readonly #newSession: StatementSync;
  readonly #openTasks: StatementSync;
  readonly #identity: FileIdentity;
  #open = true;
  /** Something was written since the last `checkpoint`. */
  #changed = true;

  constructor(parts: SqliteStoreParts) {
    const { db } = parts;
    this.#db = db;
    this.#path = parts.path;
    this.#durability = parts.durability;
    this.#faults = parts.faults;
    this.#release = parts.release;
    this.#ledger = new Ledger(db);
    this.#writer = new GroupWriter(db, this.#ledger);
    this.#reads = new Reads(db);
    this.#begin = db.prepare(sql.begin);
    this.#commit = db.prepare(sql.commit);
    this.#claim = db.prepare(sql.claimSession);
    this.#newSession = db.prepare(sql.newSession);
    this.#openTasks = db.prepare(sql.openTasks);
    this.#identity = new FileIdentity(parts.path);
    this.outbox = new SqliteOutbox({
      db,
      read: (work) => this.#read(work),
      write: (work) => {
        this.#check();
        return this.#transaction(work);
      },
    });
  }

  /** Throws `CommitRejected`, or `store_failed` (disk full, I/O error); nothing of the group is written then. */
  commit(commits: readonly SessionCommit[]): readonly CommitOutcome[] {
    this.#check();
    this.#faults.at('store.before-commit');
    const outcomes = this.#transaction(() => {
      const written = this.#writer.write(commits);
      this.#faults.at('store.after-write');
      return written;
    });
    passAfterCommit(this.#faults);
    return outcomes;
  }

  claim(session: SessionKey): StoredSession {
    this.#check();
    return this.#unsynced(() =>
      this.#transaction(() => {
        const row = this.#claim.get(session);
        if (row === undefined) {
          this.#newSession.run(session);
        }
        const entry = this.#ledger.session(session);
        invariant(entry !== null, 'a claimed session has a row');
        entry.lease = row === undefined ? 1 : num(row, 'lease');
        const open = this.#openTasks.all(entry.n).map((task) => ({ row: taskOf(task), seq: num(task, 'seq') }));
        return {
          lease: entry.lease,
          row: row === undefined ? null : (json(row, 'row') as SessionRow | null),
          seq: entry.seq,
          open,
        };
      }),
    );
  }

  recordProcess(row: ProcessRow): void {
    this.#check();
    this.#unsynced(() =>
      this.#write(() =>
        this.#db.prepare(sql.recordProcess).run(row.pid, row.startTime, row.session, row.incarnation, row.cookie),
      ),
    );
  }

  forgetProcess(pid: number, startTime: string): void {
    this.#check();
    this.#unsynced(() => this.#write(() => this.#db.prepare(sql.forgetProcess).run(pid, startTime)));
  }

  addToken({ name, digest, scopes, sessions, madeAt, expiresAt }: TokenRow): boolean {
    this.#check();
    const list = sessions === null ? null : JSON.stringify(sessions);
    return this.#transaction(
      () =>
        this.#db.prepare(sql.addToken).run(name, digest, JSON.stringify(scopes), list, madeAt, expiresAt).changes === 1,
    );
  }

  removeToken(name: string): boolean {
    this.#check();
    return this.#transaction(() => this.#db.prepare(sql.removeToken).run(name).changes === 1);
  }

  openSessions(cursor: string | null, limit: number): Page<SessionKey> {
    return this.#read((reads) => reads.openSessions(cursor, limit));
  }

  task(id: TaskId): StoredTask | null {
    return this.#read((reads) => reads.task(id));
  }

  tasks(filter: TaskFilter, cursor: string | null, limit: number): Page<StoredTask> {
    return this.#read((reads) => reads.tasks(filter, cursor, limit));
  }

  mergedTasks(entry: TaskId): TaskId[] {
    return this.#read((reads) => reads.mergedTasks(entry));
  }

  taskByIdempotencyKey(source: string, key: string): TaskId | null {
    return this.#read((reads) => reads.taskByIdempotencyKey(source, key));
  }

  session(key: SessionKey): SessionSummary | null {
    return this.#read((reads) => reads.session(key));
  }

  sessions(cursor: string | null, limit: number): Page<SessionSummary> {
    return this.#read((reads) => reads.sessions(cursor, limit));
  }

  tape(session: SessionKey, task: TaskId | null, after: number, limit: number): readonly StoredEvent[] {
    return this.#read((reads) => reads.tape(session, task, after, limit));
  }

  feed(session: SessionKey | null, after: FeedPosition | null, limit: number): readonly FeedEvent[] {
    return this.#read((reads) => reads.feed(session, after, limit));
  }

  feedEnd(session: SessionKey | null): FeedPosition | null {
    return this.#read((reads) => reads.feedEnd(session));
  }

  processes(): readonly ProcessRow[] {
    return this.#read((reads) => reads.processes());
  }

  tokens(): readonly TokenRow[] {
    return this.#read((reads) => reads.tokens());
  }

  stats(): StoreStats {
    const bytes = fileBytes(this.#path) + fileBytes(`${this.#path}-wal`);
    return { ...this.#read((reads) => reads.stats()), bytes };
  }

  /** As SQLite tells them now, for `doctor`. `synchronous`: 2 is FULL, 1 is NORMAL. */
  settings(): { readonly journal: string; readonly synchronous: number; readonly checkpointPages: number } {
    this.#check();
    const pragma = (name: string): Row => this.#db.prepare(`PRAGMA ${name}`).get() ?? {};
    return {
      journal: text(pragma('journal_mode'), 'journal_mode'),
      synchronous: num(pragma('synchronous'), 'synchronous'),
      checkpointPages: num(pragma('wal_autocheckpoint'), 'wal_autocheckpoint'),
    };
  }

  /** Moves the write-ahead log into the file. It blocks for as long as the disk takes, so it is called in a quiet moment. */
  checkpoint(): void {
    this.#check();
    if (!this.#changed) {
      return;
    }
    this.#write(() => this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)'));
    this.#changed = false;
  }

  /** Throws `store_replaced` where the file is not the one that was opened; with `write` also what a write throws. */
  probe(write: boolean): void {
    this.#check();
    if (write) {
      this.#transaction(() => touchFile(this.#db));
    } else {
      this.#identity.check();
    }
  }

  /** Its state now, on a connection of its own. */
  snapshot(): Snapshot {
    this.#check();
    return this.#guard(() => snapshotOf(this.#path));
  }

  /** May be called twice. */
  close(): void {
    if (!this.#open) {
      return;
    }
    this.#open = false;
    try {
      // SQLite would remove the log of whatever file is at the path now.
      if (this.#isOurs()) {
        this.#guard(() => this.#end());
      }
    } finally {
      this.#release();
    }
  }

  #end(): void {
    try {
      unclaimFile(this.#db);
    } finally {
      this.#db.close();
    }
  }

  #isOurs(): boolean {
    try {
      this.#identity.check();
      return true;
    } catch {
      return false;
    }
  }

  #check(): void {
    if (!this.#open) {
      throw storeClosed();
    }
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw storeError(error);
    }
  }

  #read<T>(work: (reads: Reads) => T): T {
    this.#check();
    return this.#guard(() => work(this.#reads));
  }

  #write<T>(work: () => T): T {
    this.#identity.check();
    return this.#guard(() => {
      const result = work();
      this.#identity.written();
      return result;
    });
  }

  #transaction<T>(work: () => T): T {
    this.#identity.check();
    this.#changed = true;
    try {
      this.#begin.run();
      this.#ledger.verify();
      const result = work();
      this.#commit.run();
      this.#identity.written();
      this.#ledger.trim();
      return result;
    } catch (error) {
      this.#undo();
      throw storeError(error);
    }
  }

  /** SQLite has rolled back by itself after some errors, a full disk among them. */
  #undo(): void {
    this.#ledger.forget();
    this.#writer.reset();
    if (this.#db.isTransaction) {
      this.#db.exec(sql.rollback);
    }
  }

  #unsynced<T>(work: () => T): T {
    if (this.#durability === 'process') {
      return work();
    }
    this.#db.exec('PRAGMA synchronous = NORMAL');
    try {
      return work();
    } finally {
      this.#db.exec('PRAGMA synchronous = FULL');
    }
  }
}
