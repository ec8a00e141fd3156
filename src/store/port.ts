/**
 * The Store port: all that Signalbox stores. Adapters: SQLite (`sqlite/`), Postgres (`postgres/`), memory (`memory/`).
 *
 * Rules every adapter keeps, and the contract suite (`src/testing/store`) tests:
 *  store/1 `commit` is atomic per session and, in a group, all-or-nothing for those sessions that are not fenced or duplicates.
 *  store/2 A session's records are written only under the lease it was claimed with; else the outcome is `fenced` and nothing is written.
 *  store/3 A tape is dense from 1, `final` once and last; a later event is counted (`late`) and dropped, and the rest of its commit is
 *          written.
 *  store/4 A status moves forward only: queued, running, then one terminal status, which never changes.
 *  store/5 Readers see committed events only, each once, in order.
 *  store/6 A method may answer at once or by a promise. Calls under way at the same time may be carried out and answered in any
 *          order: a caller that needs an order waits. SQLite and memory answer at once, so that effects run in the same pass.
 *  store/7 A commit that throws was not written, and never will be. A store whose answer can get lost (on a network) finds out
 *          before it answers: it reads back whether the commit is there, and sends it again if it is not.
 */
import type { Record as CoreRecord, SessionRow, TaskRow } from '../core/model/records.ts';
import type { SessionEvent, TaskEvent, TaskEventData } from '../core/model/events.ts';
import type { SessionKey, TaskId } from '../core/model/ids.ts';
import type { Lane, TaskStatus } from '../core/model/task.ts';
import type { RuledField, TaskSpec } from '../protocol/task-spec.ts';
import type { Token } from '../protocol/tokens.ts';
import type { MaybePromise } from './maybe-promise.ts';
import type { Applied, HeldBy, Nodes } from './nodes.ts';
import type { Outbox } from './outbox.ts';
import type { FeedPosition, Page } from './page.ts';

export type { FeedPosition, Page } from './page.ts';

/**
 * What a task was asked to be, without the fields that the core decides by (those are in its row). Stored once, at admission
 * (the `payload` of the `admit` record). JSON values only.
 */
export interface TaskPayload extends Omit<TaskSpec, RuledField> {
  /** Unique among the tasks of its source when not null: the same request with it again returns the first task. */
  readonly idempotencyKey: string | null;
  /** What the request with the key was, to tell it from another one. Null: without a key, or stored before there were digests. */
  readonly requestDigest: string | null;
  /** The task in whose turn an agent submitted it; left out: no agent did. */
  readonly sentBy?: SentBy;
}

/** `hops`: how many agents one after the other have led to the task. */
export interface SentBy {
  readonly task: TaskId;
  readonly session: SessionKey;
  readonly hops: number;
}

export interface StoredTask {
  readonly session: SessionKey;
  /** `status` of `row` is the last open one; the task's status is `status`. */
  readonly row: TaskRow;
  readonly payload: TaskPayload;
  readonly status: TaskStatus;
  /** Reason code of the end (`completed`, `cancelled`, `replaced`, `hold_limit`, …), null while open. */
  readonly reason: string | null;
  /** Data of `final`, null while open. */
  readonly final: TaskEventData['final'] | null;
  /** Last seq on its tape. */
  readonly seq: number;
  /** Wall-clock ms. */
  readonly admittedAt: number;
  readonly endedAt: number | null;
}

interface Stamp {
  readonly session: SessionKey;
  readonly seq: number;
  readonly at: number;
}

/** `task` null: it is on the session's own tape. */
export type StoredEvent = Stamp & (({ readonly task: TaskId } & TaskEvent) | ({ readonly task: null } & SessionEvent));

export interface SessionCommit {
  readonly session: SessionKey;
  /** The lease that `claim` gave. */
  readonly lease: number;
  readonly records: readonly CoreRecord[];
  /** Commands from other nodes that are taken out and answered with these records. */
  readonly applied?: readonly Applied[];
}

export type CommitOutcome =
  /** `late`: events dropped because their task has ended. */
  | {
      readonly kind: 'committed';
      readonly late: number;
      /** The events as readers see them from now on, in order (`end` records as `final` events; late ones left out). */
      readonly events: readonly FeedEvent[];
    }
  | { readonly kind: 'fenced' }
  /** An admission's idempotency key is taken; nothing of this session's commit was written. */
  | { readonly kind: 'duplicate'; readonly source: string; readonly idempotencyKey: string; readonly task: TaskId }
  /** These commands are not there any more; nothing of this session's commit was written. */
  | { readonly kind: 'withdrawn'; readonly ids: readonly string[] };

export interface StoredSession {
  readonly lease: number;
  /** Null: the session is new. */
  readonly row: SessionRow | null;
  /** Last seq of the session's own tape. */
  readonly seq: number;
  readonly open: readonly { readonly row: TaskRow; readonly seq: number }[];
}

/** Another node owns the session. */
export interface HeldSession {
  readonly held: HeldBy;
}

/** Resume after this event with `after: position`. */
export type FeedEvent = StoredEvent & { readonly position: FeedPosition };

export interface TaskFilter {
  readonly session?: SessionKey;
  readonly status?: readonly TaskStatus[];
  readonly lane?: Lane;
  readonly source?: string;
  /** What its id begins with. */
  readonly idPrefix?: string;
  /** What its prompt contains; of `A` to `Z`, either case. */
  readonly text?: string;
  /** Labels that it has, by name. */
  readonly labels?: { readonly [name: string]: string };
  /** Admitted then or later, wall-clock ms. */
  readonly since?: number;
  /** Admitted before, wall-clock ms. */
  readonly until?: number;
}

export interface SessionSummary {
  readonly key: SessionKey;
  readonly row: SessionRow;
  readonly open: number;
  readonly queued: number;
  /** Wall-clock ms of its last commit. */
  readonly changedAt: number;
}

/** An agent process, recorded before its first prompt, so that a restarted daemon can end what a dead one left. */
export interface ProcessRow {
  readonly pid: number;
  /** Start time as the platform gives it (`/proc/PID/stat` field 22 on Linux), so that a stranger with the pid is never signalled. */
  readonly startTime: string;
  readonly session: SessionKey;
  readonly incarnation: number;
  readonly cookie: string;
}

/** A named token. The secret itself is stored nowhere. */
export interface TokenRow extends Omit<Token, 'sessions'> {
  /** SHA-256 of the secret, hexadecimal. */
  readonly digest: string;
  /** Patterns of session keys; null: all sessions. */
  readonly sessions: readonly string[] | null;
}

export interface StoreStats {
  readonly tasks: { readonly [status in TaskStatus]: number };
  readonly sessions: number;
  readonly events: number;
  readonly lateDropped: number;
  readonly bytes: number;
}

/** What a store on a server finds when it looks at it. */
export interface StoreHealth {
  readonly latencyMs: number;
  /** What was committed longer ago than this is in the feed of all sessions. */
  readonly feedLagMs: number;
  /** Name and version. */
  readonly server: string;
  /** Whether it confirms a commit only when that survives a crash of the server. */
  readonly durable: boolean;
}

export interface Store {
  readonly kind: string;
  /** For several nodes on one store; null: this daemon has it for itself, and every claim succeeds. */
  readonly nodes: Nodes | null;
  readonly outbox: Outbox;
  /** Takes the session for this node: a new lease, larger than any before. Also makes the session's row when it is new. */
  claim(session: SessionKey): MaybePromise<StoredSession | HeldSession>;
  /**
   * Writes the records of many sessions in one transaction. Outcomes in the order of `commits`. Throws `CommitRejected` (it names
   * the session) for records that break a rule, and `store_failed` when the disk refuses: nothing of the group is written then.
   */
  commit(commits: readonly SessionCommit[]): MaybePromise<readonly CommitOutcome[]>;
  /** Sessions with open tasks or a parked mark, to be recovered at start by the only node; keyset pages. */
  openSessions(cursor: string | null, limit: number): MaybePromise<Page<SessionKey>>;

  task(id: TaskId): MaybePromise<StoredTask | null>;
  /** Newest first. All pages throw `bad_cursor` for a cursor that is not one of theirs. */
  tasks(filter: TaskFilter, cursor: string | null, limit: number): MaybePromise<Page<StoredTask>>;
  /** The tasks that are or were merged or steered into an entry, in the order of their admission. */
  mergedTasks(entry: TaskId): MaybePromise<readonly TaskId[]>;
  /** A key belongs to its source. */
  taskByIdempotencyKey(source: string, key: string): MaybePromise<TaskId | null>;
  session(key: SessionKey): MaybePromise<SessionSummary | null>;
  /** Those that have a row, newest first. */
  sessions(cursor: string | null, limit: number): MaybePromise<Page<SessionSummary>>;

  /** Events of one tape with seq > after, in order, at most `limit`. `task` null: the session's own tape. */
  tape(session: SessionKey, task: TaskId | null, after: number, limit: number): MaybePromise<readonly StoredEvent[]>;
  /**
   * Events of one session (all its tapes) or of all sessions, in commit order, after a position (null: from the beginning). Throws
   * `bad_cursor` for a position that this store has not reached.
   */
  feed(session: SessionKey | null, after: FeedPosition | null, limit: number): MaybePromise<readonly FeedEvent[]>;
  /** The newest position, to follow from now on. */
  feedEnd(session: SessionKey | null): MaybePromise<FeedPosition | null>;

  recordProcess(row: ProcessRow): MaybePromise<void>;
  forgetProcess(pid: number, startTime: string): MaybePromise<void>;
  /** Those of this machine that no living node has recorded. */
  processes(): MaybePromise<readonly ProcessRow[]>;

  /** False: there is a token of this name, and nothing was written. */
  addToken(row: TokenRow): MaybePromise<boolean>;
  /** False: there is none of this name. */
  removeToken(name: string): MaybePromise<boolean>;
  /** By name. */
  tokens(): MaybePromise<readonly TokenRow[]>;

  stats(): MaybePromise<StoreStats>;
  /** Moves a write-ahead log into the database, where the store has one. The runtime calls it when there are no commits. */
  checkpoint(): MaybePromise<void>;
  close(): MaybePromise<void>;
}
