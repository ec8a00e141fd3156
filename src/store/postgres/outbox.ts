/**
 * The outbox of the Postgres store.
 *
 * Owns nothing. Called by: the sender of one daemon. What it writes goes over the connection of commits.
 *  postgres-outbox/1 Each change is one statement. That no two rows hold one address is a unique index: of two nodes that begin at once,
 *                    the index refuses one.
 */
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
import { num, toJson, type Row } from '../row.ts';
import { sqlState, type Database, type Value } from './database.ts';
import type { Member } from './membership.ts';
import type { Statements } from './sql.ts';

interface OutboxParts {
  readonly database: Database;
  readonly sql: Statements;
  readonly member: Member;
  /** Throws `closing` once the store is closed, and gives errors their codes. */
  readonly guard: <T>(work: () => Promise<T>) => Promise<T>;
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const uniqueViolation = '23505';

export class PostgresOutbox implements Outbox {
  readonly #parts: OutboxParts;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  async start(consumer: string, at: FeedPosition | null): Promise<FeedPosition | null> {
    const [row] = await this.#write(this.#parts.sql.startConsumer, [consumer, positionToText(at)]);
    // Another node has made it at this moment: the next statement sees it.
    return row === undefined ? this.start(consumer, at) : positionOf(row);
  }

  async advance(
    consumer: string,
    from: FeedPosition | null,
    to: FeedPosition,
    rows: readonly OutboxIntent[],
  ): Promise<boolean> {
    const values = [consumer, positionToText(from), to, listOf(rows)];
    return (await this.#write(this.#parts.sql.advanceConsumer, values)).length > 0;
  }

  async due(doors: readonly string[], now: number, limit: number): Promise<OutboxDue> {
    checkLimit(limit);
    const { sql } = this.#parts;
    const [rows, next] = await Promise.all([
      this.#read(sql.dueMessages, [doors, now, limit]),
      this.#read(sql.nextMessage, [doors, now]),
    ]);
    return { rows: rows.map(outboxRow), next: timeOrNull(next[0]) };
  }

  begin(id: string, version: number, at: number, heldUntil: number): Promise<OutboxRow | null> {
    const { guard, database, sql, member } = this.#parts;
    return guard(async () => {
      try {
        return firstOf(await database.write(sql.beginMessage, [id, version, at, heldUntil, member.inc]));
      } catch (error) {
        if (sqlState(error) === uniqueViolation) {
          return null;
        }
        throw error;
      }
    });
  }

  async settle(
    id: string,
    version: number,
    outcome: OutboxOutcome,
    more: readonly OutboxIntent[] = [],
  ): Promise<OutboxRow | null> {
    const { notBefore, heldUntil, pausedUntil, reference, problem } = settledFields(outcome);
    const { state, at } = outcome;
    const fields = [notBefore, heldUntil, pausedUntil, reference, problem];
    return firstOf(await this.#write(this.#parts.sql.settleMessage, [id, version, state, at, ...fields, listOf(more)]));
  }

  async recover(at: number): Promise<number> {
    return (await this.#write(this.#parts.sql.recoverMessages, [at, abandonedProblem])).length;
  }

  async expire(before: number, at: number): Promise<number> {
    return (await this.#write(this.#parts.sql.expireMessages, [before, at, expiredProblem])).length;
  }

  async resend(id: string, at: number): Promise<OutboxRow | null> {
    return firstOf(await this.#write(this.#parts.sql.resendMessage, [id, at]));
  }

  async drop(id: string, at: number): Promise<OutboxRow | null> {
    return firstOf(await this.#write(this.#parts.sql.dropMessage, [id, at]));
  }

  async row(id: string): Promise<OutboxRow | null> {
    return firstOf(await this.#read(this.#parts.sql.message, [id]));
  }

  async list(filter: OutboxFilter, cursor: string | null, limit: number): Promise<Page<OutboxRow>> {
    checkLimit(limit);
    const before = cursor === null ? Number.MAX_SAFE_INTEGER : readCursor('r', cursor);
    const values = [before, limit + 1, filter.state ?? null, filter.session ?? null];
    const rows = await this.#read(this.#parts.sql.messages, values);
    return toPage(rows, limit, 'r', (row) => num(row, 'n'), outboxRow);
  }

  async figures(): Promise<OutboxFigures> {
    const { sql } = this.#parts;
    const [counts, oldest] = await Promise.all([this.#read(sql.messageFigures), this.#read(sql.oldestDue)]);
    return figuresOf(counts, oldest[0]);
  }

  async restore(copies: readonly OutboxCopy[]): Promise<void> {
    const list = copies.map(({ row, pausedUntil }) => ({
      ...row,
      data: toJson(row.data),
      begun_at: row.begunAt,
      not_before: row.notBefore,
      held_until: row.heldUntil,
      paused_until: pausedUntil,
      changed_at: row.changedAt,
    }));
    await this.#write(this.#parts.sql.restoreMessages, [JSON.stringify(list)]);
  }

  async prune(before: number, limit: number): Promise<number> {
    checkLimit(limit);
    return (await this.#write(this.#parts.sql.pruneMessages, [before, limit])).length;
  }

  #write(statement: string, values: readonly Value[]): Promise<readonly Row[]> {
    return this.#parts.guard(() => this.#parts.database.write(statement, values));
  }

  #read(statement: string, values: readonly Value[] = []): Promise<readonly Row[]> {
    return this.#parts.guard(() => this.#parts.database.read(statement, values));
  }
}

const firstOf = ([row]: readonly Row[]): OutboxRow | null => (row === undefined ? null : outboxRow(row));

const listOf = (rows: readonly OutboxIntent[]): string =>
  JSON.stringify(rows.map((row) => ({ ...row, data: toJson(row.data) })));
