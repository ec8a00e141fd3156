/**
 * The Store port in memory: the SQLite store's twin, for tests and for the simulator. Synchronous, and as strict.
 *
 * Owns: nothing but its claim on the disk, which outlives it. A store whose disk was opened again throws `closing` from then
 * on, as the dead process would have. Shared ones stand beside each other (`nodes.ts`).
 */
import type { SessionKey, TaskId } from '../../core/model/ids.ts';
import type { SessionRow, TaskRow } from '../../core/model/records.ts';
import { applyRecords } from '../apply-records.ts';
import { checkLimit, makePosition, readCursor, readPosition, toPage } from '../cursor.ts';
import { storeClosed, storeShared } from '../errors.ts';
import { noFaults, passAfterCommit, type Faults } from '../faults.ts';
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
  StoredEvent,
  StoredSession,
  StoredTask,
  StoreStats,
  TaskFilter,
  TokenRow,
} from '../port.ts';
import { isFound, isSearch } from '../search.ts';
import { payloadOf, sourceKey } from '../rules.ts';
import { MemoryGroup } from './commit.ts';
import { isAlive, MemoryDisk, toFeed, toStored, type DiskSession, type DiskTask } from './disk.ts';
import { MemoryNodes } from './nodes.ts';
import { MemoryOutbox } from './outbox.ts';

export interface MemoryStoreOptions {
  /** Default: a new one. Give the disk of a crashed store to reopen what it had committed. */
  readonly disk?: MemoryDisk;
  readonly faults?: Faults;
  /** One of several nodes on the disk (`nodes`). Default: the disk is this store's own, and no longer that of the one before. */
  readonly shared?: boolean;
  /** Carries out a hint of another node, later. Default: in a microtask. */
  readonly deliver?: (run: () => void) => void;
}

export const openMemoryStore = (options: MemoryStoreOptions = {}): MemoryStore => new MemoryStore(options);

export class MemoryStore implements Store {
  readonly kind = 'memory';
  readonly nodes: MemoryNodes | null;
  readonly outbox: MemoryOutbox;
  #closed = false;
  readonly #alone: number;
  readonly #disk: MemoryDisk;
  readonly #faults: Faults;

  constructor(options: MemoryStoreOptions) {
    this.#disk = options.disk ?? new MemoryDisk();
    this.#faults = options.faults ?? noFaults;
    const { shared = false, deliver = queueMicrotask } = options;
    this.nodes = shared ? new MemoryNodes(() => this.#mine(), deliver) : null;
    this.#disk.opens += 1;
    this.#alone = -this.#disk.opens;
    this.outbox = new MemoryOutbox({
      disk: () => this.#mine(),
      owner: () => this.#owner(),
      isGone: (owner) => this.#isGone(owner),
    });
    if (!shared) {
      const node = [...this.#disk.nodes.values()].find(isAlive);
      if (node !== undefined) {
        throw storeShared(`node ${node.facts.name}`);
      }
      this.#disk.owner = this;
    }
  }

  claim(key: SessionKey): StoredSession | HeldSession {
    const session = this.#mine().session(key);
    const held = this.nodes?.holderOf(session) ?? null;
    if (held !== null) {
      return { held };
    }
    session.lease += 1;
    session.owner = this.nodes?.id ?? null;
    this.nodes?.saw(session);
    return {
      lease: session.lease,
      row: session.row === null ? null : (JSON.parse(session.row) as SessionRow),
      seq: session.tape.length,
      open: [...session.open.values()]
        .sort((a, b) => a.n - b.n)
        .map((task) => ({ row: JSON.parse(task.row) as TaskRow, seq: task.tape.length })),
    };
  }

  commit(commits: readonly SessionCommit[]): readonly CommitOutcome[] {
    const disk = this.#mine();
    this.#faults.at('store.before-commit');
    const group = new MemoryGroup(disk, this.nodes);
    let outcomes: readonly CommitOutcome[];
    try {
      outcomes = applyRecords(group, commits);
      this.#faults.at('store.after-write');
    } catch (error) {
      group.undo();
      throw error;
    }
    passAfterCommit(this.#faults);
    commits.forEach(({ session, applied = [] }, at) => {
      if (outcomes[at]?.kind === 'committed') {
        this.nodes?.saw(disk.session(session));
        this.nodes?.answered(applied);
      }
    });
    return outcomes;
  }

  openSessions(cursor: string | null, limit: number): Page<SessionKey> {
    checkLimit(limit);
    const after = cursor === null ? 0 : readCursor('o', cursor);
    const rows: DiskSession[] = [];
    for (const session of this.#mine().sessions.values()) {
      if (session.n > after && (session.open.size > 0 || session.parked)) {
        rows.push(session);
      }
      if (rows.length > limit) {
        break;
      }
    }
    return toPage(
      rows,
      limit,
      'o',
      (session) => session.n,
      (session) => session.key,
    );
  }

  task(id: TaskId): StoredTask | null {
    const task = this.#mine().tasks.get(id);
    return task === undefined ? null : storedTask(task);
  }

  tasks(filter: TaskFilter, cursor: string | null, limit: number): Page<StoredTask> {
    checkLimit(limit);
    const disk = this.#mine();
    const before = cursor === null ? Number.POSITIVE_INFINITY : readCursor('t', cursor);
    const all = filter.session === undefined ? disk.taskList : (disk.sessions.get(filter.session)?.tasks ?? []);
    const rows: DiskTask[] = [];
    for (let index = all.length - 1; index >= 0 && rows.length <= limit; index -= 1) {
      const task = all[index];
      if (task !== undefined && task.n < before && matches(task, filter)) {
        rows.push(task);
      }
    }
    return toPage(rows, limit, 't', (task) => task.n, storedTask);
  }

  mergedTasks(entry: TaskId): TaskId[] {
    return this.#mine()
      .taskList.filter((task) => storedTask(task).row.mergedInto === entry)
      .map((task) => task.id);
  }

  taskByIdempotencyKey(source: string, key: string): TaskId | null {
    return this.#mine().keys.get(sourceKey(source, key)) ?? null;
  }

  session(key: SessionKey): SessionSummary | null {
    const session = this.#mine().sessions.get(key);
    return session === undefined ? null : summary(session);
  }

  sessions(cursor: string | null, limit: number): Page<SessionSummary> {
    checkLimit(limit);
    const before = cursor === null ? Number.POSITIVE_INFINITY : readCursor('s', cursor);
    const rows = [...this.#mine().sessions.values()].reverse().flatMap((session) => {
      const item = session.n < before ? summary(session) : null;
      return item === null ? [] : [{ n: session.n, item }];
    });
    return toPage(
      rows,
      limit,
      's',
      (row) => row.n,
      (row) => row.item,
    );
  }

  tape(session: SessionKey, task: TaskId | null, after: number, limit: number): readonly StoredEvent[] {
    checkLimit(limit);
    const disk = this.#mine();
    const owner = task === null ? disk.sessions.get(session) : disk.tasks.get(task);
    if (owner === undefined || ('session' in owner && owner.session !== session)) {
      return [];
    }
    const from = Math.max(after, 0);
    return owner.tape.slice(from, from + limit).map(toStored);
  }

  feed(session: SessionKey | null, after: FeedPosition | null, limit: number): readonly FeedEvent[] {
    checkLimit(limit);
    const disk = this.#mine();
    const from = after === null ? 0 : readPosition(after, disk.feed.length);
    if (session === null) {
      return disk.feed.slice(from, from + limit).map(toFeed);
    }
    const events = disk.sessions.get(session)?.feed ?? [];
    const start = firstAfter(events, from);
    return events.slice(start, start + limit).map(toFeed);
  }

  feedEnd(session: SessionKey | null): FeedPosition | null {
    const disk = this.#mine();
    const events = session === null ? disk.feed : (disk.sessions.get(session)?.feed ?? []);
    const last = events.at(-1);
    return last === undefined ? null : makePosition(last.position);
  }

  recordProcess(row: ProcessRow): void {
    const disk = this.#mine();
    const id = this.nodes?.id ?? null;
    const node = id === null ? null : (disk.nodes.get(id) ?? null);
    disk.processes.set(`${row.pid} ${row.startTime}`, { row: { ...row }, node });
  }

  forgetProcess(pid: number, startTime: string): void {
    this.#mine().processes.delete(`${pid} ${startTime}`);
  }

  processes(): readonly ProcessRow[] {
    const here = this.nodes?.host ?? null;
    const rows = [...this.#mine().processes.values()]
      .filter(({ node }) => node === null || (!isAlive(node) && (here === null || node.facts.host === here)))
      .map(({ row }) => row);
    return rows.sort((a, b) => a.pid - b.pid || (a.startTime < b.startTime ? -1 : 1));
  }

  addToken(row: TokenRow): boolean {
    const { tokens } = this.#mine();
    if (tokens.has(row.name)) {
      return false;
    }
    tokens.set(row.name, structuredClone(row));
    return true;
  }

  removeToken(name: string): boolean {
    return this.#mine().tokens.delete(name);
  }

  tokens(): readonly TokenRow[] {
    const rows = [...this.#mine().tokens.values()];
    return rows.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  stats(): StoreStats {
    const disk = this.#mine();
    const tasks = { queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0 };
    for (const task of disk.taskList) {
      tasks[task.status] += 1;
    }
    const sessions = [...disk.sessions.values()].filter((session) => session.row !== null).length;
    return { tasks, sessions, events: disk.feed.length, lateDropped: disk.late, bytes: 0 };
  }

  checkpoint(): void {
    this.#mine();
  }

  close(): void {
    if (!this.#closed) {
      this.nodes?.end();
    }
    this.#end();
  }

  /** As a process ends without a word: its node stays until others find out. */
  crash(): void {
    this.nodes?.crash();
    this.#end();
  }

  /** Below 0: not a node. */
  #owner(): number | null {
    return this.nodes === null ? this.#alone : this.nodes.id;
  }

  #isGone(owner: number | null): boolean {
    const node = this.#disk.nodes.get(owner ?? 0);
    return node === undefined ? owner !== this.#alone : !isAlive(node);
  }

  #end(): void {
    this.#closed = true;
    if (this.#disk.owner === this) {
      this.#disk.owner = null;
    }
  }

  #mine(): MemoryDisk {
    if (this.#closed || (this.nodes === null && this.#disk.owner !== this)) {
      throw storeClosed();
    }
    return this.#disk;
  }
}

const matches = (task: DiskTask, filter: TaskFilter): boolean =>
  (filter.status === undefined || filter.status.includes(task.status)) &&
  (filter.lane === undefined || filter.lane === task.lane) &&
  (filter.source === undefined || filter.source === task.source) &&
  (!isSearch(filter) || isFound(searched(task), filter));

function searched({ id, payload, admittedAt }: DiskTask): Parameters<typeof isFound>[0] {
  const { prompt, labels } = payloadOf(JSON.parse(payload));
  return { id, prompt, labels, admittedAt };
}

const storedTask = (task: DiskTask): StoredTask => ({
  session: task.session,
  row: JSON.parse(task.row) as TaskRow,
  payload: payloadOf(JSON.parse(task.payload)),
  status: task.status,
  reason: task.reason,
  final: JSON.parse(task.final) as StoredTask['final'],
  seq: task.tape.length,
  admittedAt: task.admittedAt,
  endedAt: task.endedAt,
});

function summary(session: DiskSession): SessionSummary | null {
  if (session.row === null) {
    return null;
  }
  return {
    key: session.key,
    row: JSON.parse(session.row) as SessionRow,
    open: session.open.size,
    queued: [...session.open.values()].filter((task) => task.status === 'queued').length,
    changedAt: Math.max(
      session.changedAt,
      session.tape.at(-1)?.at ?? 0,
      ...[...session.open.values()].map((task) => task.tape.at(-1)?.at ?? 0),
    ),
  };
}

/** Index of the first event with a position after `position`. */
function firstAfter(events: readonly { readonly position: number }[], position: number): number {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((events[middle]?.position ?? Infinity) > position) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}
