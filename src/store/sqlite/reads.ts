/** What readers of the SQLite store get: one statement per page, never a cursor that outlives its call. Owns statements only. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { incarnation, sessionKey, taskId, type SessionKey, type TaskId } from '../../core/model/ids.ts';
import { taskStatuses } from '../../core/model/task.ts';
import type { SessionRow } from '../../core/model/records.ts';
import { checkLimit, makeCursor, makePosition, readCursor, readPosition, toPage } from '../cursor.ts';
import type {
  FeedEvent,
  FeedPosition,
  Page,
  ProcessRow,
  SessionSummary,
  StoredEvent,
  StoredTask,
  StoreStats,
  TaskFilter,
  TokenRow,
} from '../port.ts';
import { finalOf, idOrNull, json, num, storedTask, text, textOrNull, type Row } from '../row.ts';
import { consumerOf, numberedCopy } from '../outbox-row.ts';
import type { OutboxCopy } from '../outbox.ts';
import type { Numbered, SnapshotConsumer, SnapshotSession } from '../transfer/snapshot.ts';
import { endOfPrefix, isSearch } from '../search.ts';
import * as outbox from './sql-outbox.ts';
import * as sql from './sql.ts';

/** Tasks that one page looks at: about 20 ms for prompts of ordinary length. */
const searchedMax = 10_000;
/** Tasks with an id of one prefix that are looked at one by one, wherever they are: about 10 ms. Of more, the prefix is one filter among others. */
const prefixedMax = 1_000;

/** What `searchTasks` takes after its bounds. */
function searchValues(filter: TaskFilter, from: number, session: number | null): readonly (string | number | null)[] {
  const { lane, source, status, text: words, labels, since, until, idPrefix } = filter;
  return [
    lane ?? null,
    source ?? null,
    from,
    session,
    status === undefined ? null : JSON.stringify(status),
    words ?? null,
    labels === undefined ? null : JSON.stringify(labels),
    since ?? null,
    until ?? null,
    idPrefix ?? null,
    idPrefix === undefined ? null : endOfPrefix(idPrefix),
  ];
}

export class Reads {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Prepared at first use: a daemon that starts needs few of them. */
  #prepared(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) {
      return known;
    }
    const statement = this.#db.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }

  #sessionNumber(key: SessionKey): number | null {
    const row = this.#prepared(sql.sessionNumber).get(key);
    return row === undefined ? null : num(row, 'n');
  }

  openSessions(cursor: string | null, limit: number): Page<SessionKey> {
    checkLimit(limit);
    const after = cursor === null ? 0 : readCursor('o', cursor);
    const rows = this.#prepared(sql.openSessions).all(after, limit + 1);
    return toPage<Row, SessionKey>(rows, limit, 'o', byNumber, (row) => sessionKey(text(row, 'key')));
  }

  task(id: TaskId): StoredTask | null {
    const row = this.#prepared(sql.task).get(id);
    return row === undefined ? null : storedTask(row);
  }

  tasks(filter: TaskFilter, cursor: string | null, limit: number): Page<StoredTask> {
    checkLimit(limit);
    if (isSearch(filter)) {
      return this.#search(filter, cursor, limit);
    }
    const before = cursor === null ? Number.MAX_SAFE_INTEGER : readCursor('t', cursor);
    const bound = [before, limit + 1, filter.lane ?? null, filter.source ?? null] as const;
    let rows: Row[];
    if (filter.session !== undefined) {
      const session = this.#sessionNumber(filter.session);
      const statement = this.#prepared(sql.tasksByStatusAndSession);
      const statuses = session === null ? [] : [...new Set(filter.status ?? taskStatuses)];
      rows = newestFirst(statuses.map((status) => statement.all(...bound, status, session)));
    } else if (filter.status !== undefined) {
      const statement = this.#prepared(sql.tasksByStatus);
      rows = newestFirst([...new Set(filter.status)].map((status) => statement.all(...bound, status)));
    } else {
      rows = this.#prepared(sql.tasks).all(...bound);
    }
    return toPage(rows, limit, 't', byNumber, storedTask);
  }

  /** Looks at so many tasks in a page, and no more: the daemon does nothing else meanwhile. */
  #search(filter: TaskFilter, cursor: string | null, limit: number): Page<StoredTask> {
    const end = num(this.#prepared(sql.lastTask).get() ?? { n: 0 }, 'n') + 1;
    const before = cursor === null ? end : Math.min(end, readCursor('t', cursor));
    const session = filter.session === undefined ? null : this.#sessionNumber(filter.session);
    if (session === null && filter.session !== undefined) {
      return { items: [], cursor: null };
    }
    const statement = this.#prepared(sql.searchTasks);
    const found = (from: number, to: number, count: number): Row[] =>
      statement.all(to, count, ...searchValues(filter, from, session));
    const named = filter.idPrefix === undefined ? null : this.#withPrefix(filter.idPrefix);
    if (named !== null) {
      const rows: Row[] = [];
      for (const n of named) {
        if (n < before && rows.length <= limit) {
          rows.push(...found(n, n + 1, 1));
        }
      }
      return toPage(rows, limit, 't', byNumber, storedTask);
    }
    const floor = Math.max(1, before - searchedMax);
    const page = toPage(found(floor, before, limit + 1), limit, 't', byNumber, storedTask);
    return page.cursor === null && floor > 1 ? { ...page, cursor: makeCursor('t', floor) } : page;
  }

  /** Numbers of the tasks with such an id, newest first; null: they are too many. */
  #withPrefix(prefix: string): readonly number[] | null {
    const rows = this.#prepared(sql.tasksWithPrefix).all(prefix, endOfPrefix(prefix), prefixedMax + 1);
    return rows.length > prefixedMax ? null : rows.map((row) => num(row, 'n')).sort((a, b) => b - a);
  }

  mergedTasks(entry: TaskId): TaskId[] {
    return this.#prepared(sql.mergedTasks)
      .all(entry)
      .map((row) => taskId(text(row, 'id')));
  }

  taskByIdempotencyKey(source: string, key: string): TaskId | null {
    const row = this.#prepared(sql.taskByKey).get(source, key);
    return row === undefined ? null : taskId(text(row, 'id'));
  }

  session(key: SessionKey): SessionSummary | null {
    const row = this.#prepared(sql.session).get(key);
    return row === undefined ? null : summary(row);
  }

  sessions(cursor: string | null, limit: number): Page<SessionSummary> {
    checkLimit(limit);
    const before = cursor === null ? Number.MAX_SAFE_INTEGER : readCursor('s', cursor);
    return toPage<Row, SessionSummary>(
      this.#prepared(sql.sessions).all(before, limit + 1),
      limit,
      's',
      byNumber,
      summary,
    );
  }

  tape(session: SessionKey, task: TaskId | null, after: number, limit: number): StoredEvent[] {
    checkLimit(limit);
    const end = task === null ? null : this.#prepared(sql.tapeEnd).get(task, session);
    const number = end === null ? this.#sessionNumber(session) : end === undefined ? null : num(end, 'n');
    if (number === null) {
      return [];
    }
    const rows = this.#prepared(sql.tape).all(task === null ? -number : number, after, limit);
    const events = rows.map((row) => event(session, task, row, text(row, 'type')));
    if (end && end['at'] !== null && events.length < limit && num(end, 'seq') > after) {
      const final = this.#prepared(sql.final).get(number);
      if (final !== undefined) {
        events.push(event(session, task, final, 'final'));
      }
    }
    return events;
  }

  feed(session: SessionKey | null, after: FeedPosition | null, limit: number): FeedEvent[] {
    checkLimit(limit);
    const last = this.#last(sql.lastRun);
    const from = after === null ? 0 : readPosition(after, last);
    const rows = session === null ? this.#runs(from, limit) : this.#runsOf(session, from, limit);
    const events: FeedEvent[] = [];
    for (const row of rows) {
      events.push(...eventsOf(row).filter((one) => Number(one.position) > from));
    }
    return events.slice(0, limit);
  }

  #runs(from: number, limit: number): Row[] {
    const first = this.#prepared(sql.runAt).get(from);
    return this.#prepared(sql.feedAll).all(firstRun(first), limit, from);
  }

  #runsOf(session: SessionKey, from: number, limit: number): Row[] {
    const number = this.#sessionNumber(session);
    if (number === null) {
      return [];
    }
    const indexed = this.#indexed();
    let rows: Row[] = [];
    if (from < indexed) {
      const first = this.#prepared(sql.runAtSession).get(from, number);
      rows = this.#prepared(sql.feedSession).all(firstRun(first), limit, from, number);
    }
    if (rows.length >= limit) {
      return rows;
    }
    return [...rows, ...this.#prepared(sql.feedSessionTail).all(indexed + 1, limit - rows.length, from, number)];
  }

  feedEnd(session: SessionKey | null): FeedPosition | null {
    const number = session === null ? null : this.#sessionNumber(session);
    if (session !== null && number === null) {
      return null;
    }
    const last = number === null ? this.#last(sql.lastRun) : this.#last(sql.lastRunOfSession, number, this.#indexed());
    return last === 0 ? null : makePosition(last);
  }

  #indexed(): number {
    return num(this.#prepared(sql.indexed).get() ?? {}, 'indexed');
  }

  /** Number of the newest event, 0 if there is none. */
  #last(statement: string, ...bound: readonly number[]): number {
    const row = this.#prepared(statement).get(...bound);
    return row === undefined ? 0 : num(row, 'last');
  }

  sessionsFrom(after: number, limit: number): Numbered<SnapshotSession>[] {
    return this.#prepared(sql.sessionsFrom)
      .all(after, limit)
      .map((row) => ({
        n: num(row, 'n'),
        item: { key: sessionKey(text(row, 'key')), row: json(row, 'row') as SessionRow },
      }));
  }

  tasksFrom(after: number, limit: number): Numbered<StoredTask>[] {
    return this.#prepared(sql.tasksFrom)
      .all(after, limit)
      .map((row) => ({ n: num(row, 'n'), item: storedTask(row) }));
  }

  repliesFrom(after: number, limit: number): Numbered<OutboxCopy>[] {
    return this.#prepared(outbox.rowsFrom).all(after, limit).map(numberedCopy);
  }

  consumers(): SnapshotConsumer[] {
    return this.#prepared(outbox.consumers).all().map(consumerOf);
  }

  processes(): ProcessRow[] {
    return this.#prepared(sql.processes)
      .all()
      .map((row) => ({
        pid: num(row, 'pid'),
        startTime: text(row, 'start_time'),
        session: sessionKey(text(row, 'session')),
        incarnation: incarnation(num(row, 'incarnation')),
        cookie: text(row, 'cookie'),
      }));
  }

  tokens(): TokenRow[] {
    return this.#prepared(sql.tokens)
      .all()
      .map((row) => ({
        name: text(row, 'name'),
        digest: text(row, 'digest'),
        scopes: json(row, 'scopes') as TokenRow['scopes'],
        sessions: json(row, 'sessions') as TokenRow['sessions'],
        madeAt: num(row, 'made_at'),
        expiresAt: row['expires_at'] === null ? null : num(row, 'expires_at'),
      }));
  }

  stats(): Omit<StoreStats, 'bytes'> {
    const row: Row = this.#prepared(sql.totals).get() ?? {};
    return {
      tasks: {
        queued: num(row, 'queued'),
        running: num(row, 'running'),
        completed: num(row, 'completed'),
        failed: num(row, 'failed'),
        cancelled: num(row, 'cancelled'),
      },
      sessions: num(row, 'sessions'),
      events: this.#last(sql.lastRun),
      lateDropped: num(row, 'late'),
    };
  }
}

const byNumber = (row: Row): number => num(row, 'n');
const newestFirst = (lists: readonly Row[][]): Row[] => lists.flat().sort((a, b) => num(b, 'n') - num(a, 'n'));
const firstRun = (row: Row | undefined): number => (row === undefined || row['pos'] === null ? 0 : num(row, 'pos'));

const summary = (row: Row): SessionSummary => ({
  key: sessionKey(text(row, 'key')),
  row: json(row, 'row') as SessionRow,
  open: num(row, 'queued') + num(row, 'running'),
  queued: num(row, 'queued'),
  changedAt: num(row, 'changed_at'),
});

const event = (session: SessionKey, task: TaskId | null, row: Row, type: string): StoredEvent =>
  ({
    session,
    task,
    seq: num(row, 'seq'),
    at: num(row, 'at'),
    type,
    data: type === 'final' ? finalOf(row, 'data') : json(row, 'data'),
  }) as StoredEvent;

/** One row of the feed is one stored event, the `final` of its run, or both. */
function eventsOf(row: Row): FeedEvent[] {
  const session = sessionKey(text(row, 'session'));
  const task = idOrNull(row, 'task');
  const [first, last] = [num(row, 'first_seq'), num(row, 'last_seq')];
  const positionOf = (seq: number): FeedPosition => makePosition(num(row, 'pos') + seq - first);
  const events: FeedEvent[] = [];
  const type = textOrNull(row, 'type');
  if (type !== null) {
    events.push({ ...event(session, task, row, type), position: positionOf(num(row, 'seq')) });
  }
  if (num(row, 'ends') === 1 && (type === null || num(row, 'seq') === last - 1)) {
    const final = { seq: last, at: num(row, 'ended_at'), data: row['result'] ?? null };
    events.push({ ...event(session, task, final, 'final'), position: positionOf(last) });
  }
  return events;
}
