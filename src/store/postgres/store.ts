/**
 * The Store port on a Postgres database.
 *
 * Owns: the connections, the ledger of its writer. Called by: the runtime of one daemon; every method answers by a promise.
 *  postgres-store/1 Claims and commits are carried out one after the other, in the order of the calls.
 *  postgres-store/2 A commit is one statement for all sessions of the group; when it is answered, it is as durable as the server makes it
 *                   (`synchronous_commit`).
 */
import type { SessionKey, TaskId } from '../../core/model/ids.ts';
import { invariant } from '../../core/errors.ts';
import { storeClosed } from '../errors.ts';
import type { Faults } from '../faults.ts';
import type {
  CommitOutcome,
  FeedEvent,
  FeedPosition,
  HeldSession,
  Page,
  ProcessRow,
  SessionCommit,
  SessionSummary,
  Store,
  StoreHealth,
  StoredEvent,
  StoredSession,
  StoredTask,
  StoreStats,
  TaskFilter,
  TokenRow,
} from '../port.ts';
import { ownSpace } from '../process.ts';
import { Writer } from './commit.ts';
import type { Database } from './database.ts';
import type { Eras } from './eras.ts';
import { storeError } from './failure.ts';
import { Health } from './health.ts';
import { Ledger } from './ledger.ts';
import { PostgresOutbox } from './outbox.ts';
import { Reads } from './reads.ts';
import type { Member, Membership } from './membership.ts';
import { PostgresNodes } from './nodes.ts';
import type { Statements } from './sql.ts';

interface PostgresStoreParts {
  readonly database: Database;
  readonly sql: Statements;
  readonly schema: string;
  readonly eras: Eras;
  readonly faults: Faults;
  /** Null: nodes share the schema. */
  readonly membership: Membership | null;
}

/** Milliseconds before the next try of what got no answer: they double up to the second. */
const firstPauseMs = 20;
const lastPauseMs = 2_000;

export class PostgresStore implements Store {
  readonly kind = 'postgres';
  readonly nodes: PostgresNodes | null;
  readonly outbox: PostgresOutbox;
  readonly #database: Database;
  readonly #sql: Statements;
  readonly #membership: Membership | null;
  readonly #member: Member;
  readonly #writer: Writer;
  readonly #reads: Reads;
  readonly #health: Health;
  readonly #closed = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  #end: Promise<void> | null = null;

  constructor({ database, sql, schema, eras, faults, membership }: PostgresStoreParts) {
    this.#database = database;
    this.#sql = sql;
    const ledger = new Ledger();
    const nodes = (): PostgresNodes =>
      new PostgresNodes({
        database,
        sql,
        schema,
        eras,
        ledger,
        guard: (work) => this.#guard(work),
        pause: (tries) => this.#pause(tries),
        inTurn: (work) => this.#inTurn(work),
      });
    this.#membership = membership;
    this.nodes = membership === null ? nodes() : null;
    const member = membership ?? this.nodes;
    invariant(member !== null, 'a store has a member');
    this.#member = member;
    this.outbox = new PostgresOutbox({
      database,
      sql,
      member,
      guard: (work) =>
        this.#guard(() => {
          member.check();
          return work();
        }),
    });
    this.#writer = new Writer({
      database,
      sql,
      faults,
      eras,
      ledger,
      member,
      nodes: this.nodes,
      pause: (tries) => this.#pause(tries),
    });
    this.#reads = new Reads(database.read, sql, schema);
    this.#health = new Health(database.probe, sql);
  }

  claim(session: SessionKey): Promise<StoredSession | HeldSession> {
    return this.#inTurn(() => this.#writer.claim(session));
  }

  commit(commits: readonly SessionCommit[]): Promise<readonly CommitOutcome[]> {
    return this.#inTurn(() => this.#writer.commit(commits));
  }

  openSessions(cursor: string | null, limit: number): Promise<Page<SessionKey>> {
    return this.#guard(() => this.#reads.openSessions(cursor, limit));
  }

  task(id: TaskId): Promise<StoredTask | null> {
    return this.#guard(() => this.#reads.task(id));
  }

  tasks(filter: TaskFilter, cursor: string | null, limit: number): Promise<Page<StoredTask>> {
    return this.#guard(() => this.#reads.tasks(filter, cursor, limit));
  }

  mergedTasks(entry: TaskId): Promise<TaskId[]> {
    return this.#guard(() => this.#reads.mergedTasks(entry));
  }

  taskByIdempotencyKey(source: string, key: string): Promise<TaskId | null> {
    return this.#guard(() => this.#reads.taskByIdempotencyKey(source, key));
  }

  session(key: SessionKey): Promise<SessionSummary | null> {
    return this.#guard(() => this.#reads.session(key));
  }

  sessions(cursor: string | null, limit: number): Promise<Page<SessionSummary>> {
    return this.#guard(() => this.#reads.sessions(cursor, limit));
  }

  tape(session: SessionKey, task: TaskId | null, after: number, limit: number): Promise<StoredEvent[]> {
    return this.#guard(() => this.#reads.tape(session, task, after, limit));
  }

  feed(session: SessionKey | null, after: FeedPosition | null, limit: number): Promise<FeedEvent[]> {
    return this.#guard(() => this.#reads.feed(session, after, limit));
  }

  feedEnd(session: SessionKey | null): Promise<FeedPosition | null> {
    return this.#guard(() => this.#reads.feedEnd(session));
  }

  async recordProcess({ pid, startTime, session, incarnation, cookie }: ProcessRow): Promise<void> {
    const row = [session, incarnation, cookie];
    await (this.nodes === null
      ? this.#write(this.#sql.recordProcess, [pid, startTime, ...row])
      : this.#write(this.#sql.recordNodeProcess, [ownSpace(), pid, startTime, this.nodes.inc, ...row]));
  }

  async forgetProcess(pid: number, startTime: string): Promise<void> {
    await this.#write(this.#sql.forgetNodeProcess, [pid, startTime, ownSpace()]);
  }

  processes(): Promise<ProcessRow[]> {
    return this.#guard(() => this.#reads.processes());
  }

  async addToken({ name, digest, scopes, sessions, madeAt, expiresAt }: TokenRow): Promise<boolean> {
    const list = sessions === null ? null : JSON.stringify(sessions);
    const rows = await this.#write(this.#sql.addToken, [name, digest, JSON.stringify(scopes), list, madeAt, expiresAt]);
    return rows.length > 0;
  }

  async removeToken(name: string): Promise<boolean> {
    const rows = await this.#write(this.#sql.removeToken, [name]);
    return rows.length > 0;
  }

  tokens(): Promise<TokenRow[]> {
    return this.#guard(() => this.#reads.tokens());
  }

  stats(): Promise<StoreStats> {
    return this.#guard(() => this.#reads.stats());
  }

  /** Throws `store_unreachable`; `write`: also what a write throws. */
  probe(write: boolean): Promise<StoreHealth> {
    return this.#guard(() => this.#health.look(write));
  }

  /** There is nothing to move: the server makes its own checkpoints. */
  checkpoint(): Promise<void> {
    return this.#guard(() => Promise.resolve());
  }

  /** May be called twice. What is under way is answered first, but for a commit that waits for the server to come back. */
  close(): Promise<void> {
    this.#end ??= (async (): Promise<void> => {
      this.#closed.abort();
      await this.#last.catch(() => {});
      // A database that does not answer is left without a word; others find out.
      await this.#membership?.leave().catch(() => {});
      await this.nodes?.end();
      await this.#database.end();
    })();
    return this.#end;
  }

  #write(statement: string, values: Parameters<Database['write']>[1]): ReturnType<Database['write']> {
    return this.#guard(() => {
      this.#member.check();
      return this.#database.write(statement, values);
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const checked = (): Promise<T> => {
      this.#member.check();
      return work();
    };
    const turn = this.#guard(() => this.#last.then(checked, checked));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.#end !== null) {
      throw storeClosed();
    }
    try {
      return await work();
    } catch (error) {
      throw storeError(error);
    }
  }

  async #pause(tries: number): Promise<void> {
    const { signal } = this.#closed;
    const ms = Math.min(firstPauseMs * 2 ** tries, lastPauseMs);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
    if (signal.aborted) {
      throw storeClosed();
    }
    this.#member.check();
  }
}
