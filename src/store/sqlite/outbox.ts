/** The outbox of the SQLite store, on its connection. Owns nothing but the name by which it knows its own rows in `sending`. */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { checkLimit, readCursor, toPage } from '../cursor.ts';
import { figuresOf, outboxRow, positionOf, positionToText, timeOrNull } from '../outbox-row.ts';
import {
  abandonedProblem,
  expiredProblem,
  settledFields,
  type Outbox,
  type OutboxCopy,
  type OutboxDue,
  type OutboxFigures,
  type OutboxFilter,
  type OutboxIntent,
  type OutboxOutcome,
  type OutboxRow,
} from '../outbox.ts';
import type { FeedPosition, Page } from '../port.ts';
import { num, toJson } from '../row.ts';
import * as sql from './sql-outbox.ts';

/** `read` and `write` check that the store is open and give errors their codes; a `write` is one durable transaction. */
interface OutboxParts {
  readonly db: DatabaseSync;
  readonly read: <T>(work: () => T) => T;
  readonly write: <T>(work: () => T) => T;
}

type Value = string | number | null;

export class SqliteOutbox implements Outbox {
  readonly #parts: OutboxParts;
  readonly #owner = randomUUID();

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  start(consumer: string, at: FeedPosition | null): FeedPosition | null {
    const { db, write } = this.#parts;
    return write(() => {
      const row = db.prepare(sql.consumer).get(consumer);
      if (row !== undefined) {
        return positionOf(row);
      }
      db.prepare(sql.newConsumer).run(consumer, positionToText(at));
      return at;
    });
  }

  advance(consumer: string, from: FeedPosition | null, to: FeedPosition, rows: readonly OutboxIntent[]): boolean {
    const { db, write } = this.#parts;
    return write(() => {
      if (db.prepare(sql.advance).run(consumer, positionToText(from), to).changes === 0) {
        return false;
      }
      this.#add(rows);
      return true;
    });
  }

  #add(rows: readonly OutboxIntent[]): void {
    const add = this.#parts.db.prepare(sql.add);
    for (const { id, door, address, scope, session, task, seq, type, at, data } of rows) {
      add.run(id, door, address, scope, session, task, seq, type, at, toJson(data));
    }
  }

  due(doors: readonly string[], now: number, limit: number): OutboxDue {
    checkLimit(limit);
    const { db, read } = this.#parts;
    const list = JSON.stringify(doors);
    return read(() => ({
      rows: db.prepare(sql.due).all(list, now, limit).map(outboxRow),
      next: timeOrNull(db.prepare(sql.nextTime).get(list, now)),
    }));
  }

  begin(id: string, version: number, at: number, heldUntil: number): OutboxRow | null {
    return this.#change(sql.begin, id, version, at, heldUntil, this.#owner);
  }

  settle(id: string, version: number, outcome: OutboxOutcome, more: readonly OutboxIntent[] = []): OutboxRow | null {
    const { notBefore, heldUntil, pausedUntil, reference, problem } = settledFields(outcome);
    const { db, write } = this.#parts;
    const values = [id, version, outcome.state, outcome.at, notBefore, heldUntil, pausedUntil, reference, problem];
    return write(() => {
      const row = db.prepare(sql.settle).get(...values);
      if (row === undefined) {
        return null;
      }
      this.#add(more);
      return outboxRow(row);
    });
  }

  recover(at: number): number {
    return this.#count(sql.recover, this.#owner, at, abandonedProblem);
  }

  expire(before: number, at: number): number {
    return this.#count(sql.expire, before, at, expiredProblem);
  }

  resend(id: string, at: number): OutboxRow | null {
    return this.#change(sql.resend, id, at);
  }

  drop(id: string, at: number): OutboxRow | null {
    return this.#change(sql.drop, id, at);
  }

  row(id: string): OutboxRow | null {
    const { db, read } = this.#parts;
    const row = read(() => db.prepare(sql.row).get(id));
    return row === undefined ? null : outboxRow(row);
  }

  list(filter: OutboxFilter, cursor: string | null, limit: number): Page<OutboxRow> {
    checkLimit(limit);
    const before = cursor === null ? Number.MAX_SAFE_INTEGER : readCursor('r', cursor);
    const { db, read } = this.#parts;
    const states = filter.state === undefined ? null : JSON.stringify(filter.state);
    const rows = read(() => db.prepare(sql.list).all(before, limit + 1, states, filter.session ?? null));
    return toPage(rows, limit, 'r', (row) => num(row, 'n'), outboxRow);
  }

  figures(): OutboxFigures {
    const { db, read } = this.#parts;
    return read(() => figuresOf(db.prepare(sql.figures).all(), db.prepare(sql.oldestDue).get()));
  }

  restore(copies: readonly OutboxCopy[]): void {
    const { db, write } = this.#parts;
    write(() => {
      const restore = db.prepare(sql.restore);
      for (const { row, pausedUntil } of copies) {
        const { id, door, address, scope, session, task, seq, type, at, data, state, version, attempts } = row;
        const { since, begunAt, notBefore, heldUntil, reference, problem, changedAt } = row;
        const intent = [id, door, address, scope, session, task, seq, type, at, toJson(data)];
        const times = [since, begunAt, notBefore, heldUntil, pausedUntil];
        restore.run(...intent, state, version, attempts, ...times, reference, problem, changedAt);
      }
    });
  }

  prune(before: number, limit: number): number {
    checkLimit(limit);
    return this.#count(sql.prune, before, limit);
  }

  #change(statement: string, ...values: readonly Value[]): OutboxRow | null {
    const { db, write } = this.#parts;
    const row = write(() => db.prepare(statement).get(...values));
    return row === undefined ? null : outboxRow(row);
  }

  #count(statement: string, ...values: readonly Value[]): number {
    const { db, write } = this.#parts;
    return write(() => Number(db.prepare(statement).run(...values).changes));
  }
}
