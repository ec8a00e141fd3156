/** What readers of the Postgres store get: one statement per page, at most two. Owns nothing. */
import { incarnation, sessionKey, taskId, type SessionKey, type TaskId } from '../../core/model/ids.ts';
import { taskStatuses } from '../../core/model/task.ts';
import type { SessionRow } from '../../core/model/records.ts';
import { checkLimit, readCursor, toPage } from '../cursor.ts';
import { badCursor } from '../errors.ts';
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
import { finalOf, idOrNull, json, num, storedTask, text, type Row } from '../row.ts';
import { ownSpace } from '../process.ts';
import { consumerOf, numberedCopy } from '../outbox-row.ts';
import type { OutboxCopy } from '../outbox.ts';
import type { Numbered, SnapshotConsumer, SnapshotSession } from '../transfer/snapshot.ts';
import type { Query, Value } from './database.ts';
import { isAfter, makePosition, readPosition, type Place } from './position.ts';
import { endOfPrefix, isSearch } from '../search.ts';
import type { Statements } from './sql.ts';

function searchValues({ session, status, text: words, labels, since, until, idPrefix }: TaskFilter): readonly Value[] {
  const ids = idPrefix === undefined ? [null, null] : [idPrefix, endOfPrefix(idPrefix)];
  const named = labels === undefined ? null : JSON.stringify(labels);
  return [
    session ?? null,
    status === undefined ? null : [...status],
    words ?? null,
    named,
    since ?? null,
    until ?? null,
    ...ids,
  ];
}

const first = Number.MAX_SAFE_INTEGER;
/** Before every event. */
const start: Place = { era: 0, xid: '0', ord: 0 };

export class Reads {
  readonly #query: Query;
  readonly #sql: Statements;
  readonly #schema: string;

  constructor(query: Query, sql: Statements, schema: string) {
    this.#query = query;
    this.#sql = sql;
    this.#schema = schema;
  }

  async #one(statement: string, ...values: readonly Value[]): Promise<Row | null> {
    const [row] = await this.#query(statement, values);
    return row ?? null;
  }

  async openSessions(cursor: string | null, limit: number): Promise<Page<SessionKey>> {
    checkLimit(limit);
    const after = cursor === null ? 0 : readCursor('o', cursor);
    const rows = await this.#query(this.#sql.openSessions, [after, limit + 1]);
    return toPage(rows, limit, 'o', byNumber, (row) => sessionKey(text(row, 'key')));
  }

  async task(id: TaskId): Promise<StoredTask | null> {
    const row = await this.#one(this.#sql.task, id);
    return row === null ? null : storedTask(row);
  }

  async tasks(filter: TaskFilter, cursor: string | null, limit: number): Promise<Page<StoredTask>> {
    checkLimit(limit);
    const before = cursor === null ? first : readCursor('t', cursor);
    const bound = [before, limit + 1, filter.lane ?? null, filter.source ?? null];
    const { session } = filter;
    if (isSearch(filter)) {
      const rows = await this.#query(this.#sql.searchTasks, [...bound, ...searchValues(filter)]);
      return toPage(rows, limit, 't', byNumber, storedTask);
    }
    const statuses =
      filter.status === undefined && session === undefined ? null : [...new Set(filter.status ?? taskStatuses)];
    const lists = await Promise.all(
      statuses === null
        ? [this.#query(this.#sql.tasks, bound)]
        : statuses.map((status) =>
            session === undefined
              ? this.#query(this.#sql.tasksByStatus, [...bound, status])
              : this.#query(this.#sql.tasksByStatusAndSession, [...bound, status, session]),
          ),
    );
    const rows = lists.flat().sort((a, b) => num(b, 'n') - num(a, 'n'));
    return toPage(rows, limit, 't', byNumber, storedTask);
  }

  async mergedTasks(entry: TaskId): Promise<TaskId[]> {
    return (await this.#query(this.#sql.mergedTasks, [entry])).map((row) => taskId(text(row, 'id')));
  }

  async taskByIdempotencyKey(source: string, key: string): Promise<TaskId | null> {
    const row = await this.#one(this.#sql.taskByKey, source, key);
    return row === null ? null : taskId(text(row, 'id'));
  }

  async session(key: SessionKey): Promise<SessionSummary | null> {
    const row = await this.#one(this.#sql.session, key);
    return row === null ? null : summary(row);
  }

  async sessions(cursor: string | null, limit: number): Promise<Page<SessionSummary>> {
    checkLimit(limit);
    const before = cursor === null ? first : readCursor('s', cursor);
    return toPage(await this.#query(this.#sql.sessions, [before, limit + 1]), limit, 's', byNumber, summary);
  }

  async tape(session: SessionKey, task: TaskId | null, after: number, limit: number): Promise<StoredEvent[]> {
    checkLimit(limit);
    const from = Math.max(after, 0);
    const tape = await (task === null
      ? this.#one(this.#sql.tapeOfSession, session)
      : this.#one(this.#sql.tapeOfTask, session, task));
    if (tape === null) {
      return [];
    }
    const place = [num(tape, 'session'), num(tape, 'tape')];
    const rows = await this.#query(this.#sql.tape, [...place, from, limit]);
    const events: StoredEvent[] = [];
    for (const row of rows) {
      // Its final may be megabytes: it is read only where it is on the page.
      const isOn = row['ends'] === true && num(row, 'last_seq') - from <= limit;
      const final = isOn ? await this.#one(this.#sql.final, ...place) : null;
      events.push(...eventsOf({ ...row, ...final }, session, task));
    }
    return events.filter(({ seq }) => seq > from).slice(0, limit);
  }

  async sessionsFrom(after: number, limit: number): Promise<Numbered<SnapshotSession>[]> {
    const rows = await this.#query(this.#sql.sessionsFrom, [after, limit]);
    return rows.map((row) => ({
      n: num(row, 'n'),
      item: { key: sessionKey(text(row, 'key')), row: json(row, 'row') as SessionRow },
    }));
  }

  async tasksFrom(after: number, limit: number): Promise<Numbered<StoredTask>[]> {
    const rows = await this.#query(this.#sql.tasksFrom, [after, limit]);
    return rows.map((row) => ({ n: num(row, 'n'), item: storedTask(row) }));
  }

  async repliesFrom(after: number, limit: number): Promise<Numbered<OutboxCopy>[]> {
    return (await this.#query(this.#sql.messagesFrom, [after, limit])).map(numberedCopy);
  }

  async consumers(): Promise<SnapshotConsumer[]> {
    return (await this.#query(this.#sql.consumers)).map(consumerOf);
  }

  /** Of all sessions, within a transaction that sees one state. */
  feedOfSnapshot(after: FeedPosition | null, limit: number): Promise<FeedEvent[]> {
    return this.#page(this.#sql.feedOfSnapshot, after, limit);
  }

  feed(session: SessionKey | null, after: FeedPosition | null, limit: number): Promise<FeedEvent[]> {
    return session === null
      ? this.#page(this.#sql.feed, after, limit)
      : this.#page(this.#sql.feedOfSession, after, limit, session);
  }

  async #page(
    statement: string,
    after: FeedPosition | null,
    limit: number,
    ...session: readonly SessionKey[]
  ): Promise<FeedEvent[]> {
    checkLimit(limit);
    const from = after === null ? start : readPosition(after);
    const bound = [from.era, from.xid, after === null ? -1 : from.ord, limit];
    const rows = await this.#query(statement, [...bound, ...session]);
    if (rows.length === 0 && after !== null) {
      const newest = placeOf(await this.#one(this.#sql.newest));
      if (newest === null || isAfter(from, newest)) {
        throw badCursor(after);
      }
    }
    const events = rows.flatMap((row) => {
      const place = placeOf(row) ?? start;
      const one = eventsOf(row, sessionKey(text(row, 'session')), idOrNull(row, 'task'));
      return one
        .map((event, index) => ({ ...event, place: { ...place, ord: place.ord + index } }))
        .filter((event) => after === null || isAfter(event.place, from));
    });
    return events.slice(0, limit).map(({ place, ...event }) => ({ ...event, position: makePosition(place) }));
  }

  async feedEnd(session: SessionKey | null): Promise<FeedPosition | null> {
    const row = await (session === null
      ? this.#one(this.#sql.feedEnd)
      : this.#one(this.#sql.feedEndOfSession, session));
    const place = placeOf(row);
    return place === null ? null : makePosition(place);
  }

  async processes(): Promise<ProcessRow[]> {
    return (await this.#query(this.#sql.processes, [ownSpace()])).map((row) => ({
      pid: num(row, 'pid'),
      startTime: text(row, 'start_time'),
      session: sessionKey(text(row, 'session')),
      incarnation: incarnation(num(row, 'incarnation')),
      cookie: text(row, 'cookie'),
    }));
  }

  async tokens(): Promise<TokenRow[]> {
    return (await this.#query(this.#sql.tokens)).map((row) => ({
      name: text(row, 'name'),
      digest: text(row, 'digest'),
      scopes: json(row, 'scopes') as TokenRow['scopes'],
      sessions: json(row, 'sessions') as TokenRow['sessions'],
      madeAt: num(row, 'made_at'),
      expiresAt: row['expires_at'] === null ? null : num(row, 'expires_at'),
    }));
  }

  async stats(): Promise<StoreStats> {
    const row = (await this.#one(this.#sql.totals, this.#schema)) ?? {};
    const [queued, running] = [num(row, 'queued'), num(row, 'running')];
    const [completed, failed, cancelled] = [num(row, 'completed'), num(row, 'failed'), num(row, 'cancelled')];
    return {
      tasks: { queued, running, completed, failed, cancelled },
      sessions: num(row, 'sessions'),
      events: num(row, 'events'),
      lateDropped: num(row, 'late'),
      bytes: num(row, 'bytes'),
    };
  }
}

const byNumber = (row: Row): number => num(row, 'n');

const placeOf = (row: Row | null): Place | null =>
  row === null ? null : { era: num(row, 'era'), xid: text(row, 'xid'), ord: num(row, 'ord') };

const summary = (row: Row): SessionSummary => ({
  key: sessionKey(text(row, 'key')),
  row: json(row, 'row') as SessionRow,
  open: num(row, 'queued') + num(row, 'running'),
  queued: num(row, 'queued'),
  changedAt: num(row, 'changed_at'),
});

/** The events of a run, its final among them. */
function eventsOf(row: Row, session: SessionKey, task: TaskId | null): StoredEvent[] {
  const firstSeq = num(row, 'first_seq');
  const stored = json(row, 'events') as [at: number, type: string, data?: unknown][];
  const events = stored.map(([at, type, data = null], index) => ({
    session,
    task,
    seq: firstSeq + index,
    at,
    type,
    data,
  }));
  if (row['ends'] === true && typeof row['ended_at'] === 'number') {
    const data = finalOf(row, 'result');
    events.push({ session, task, seq: num(row, 'last_seq'), at: row['ended_at'], type: 'final', data });
  }
  return events as StoredEvent[];
}
