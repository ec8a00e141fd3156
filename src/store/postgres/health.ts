/**
 * How the database is: whether it answers, what it says of itself, and how far the feed of all sessions is behind.
 *
 * Owned by the store. Owns: what earlier looks saw of transaction numbers.
 *  postgres-health/1 The lag is never too small: what was committed longer ago than that is in the feed. It needs no right to see
 *                    other users' transactions, and no clock but our own monotonic one.
 */
import { text } from '../row.ts';
import type { StoreHealth } from '../port.ts';
import type { Query } from './database.ts';
import type { Statements } from './sql.ts';

/** Looks that are remembered; of more, every second one is forgotten. */
const seenMax = 512;

interface Seen {
  readonly at: number;
  /** Every transaction that had begun to write by then has a smaller number. */
  readonly before: bigint;
}

export class FeedLag {
  #seen: Seen[] = [];

  /** `oldest`: the number of the oldest open transaction; `next`: that of the next one. Milliseconds. */
  look(at: number, oldest: bigint, next: bigint): number {
    const newest = this.#seen.at(-1);
    if (newest !== undefined && next < newest.before) {
      // Another cluster, or one that was set back.
      this.#seen = [];
    }
    this.#seen.push({ at, before: next });
    const passed = this.#seen.findLastIndex(({ before }) => before <= oldest);
    this.#seen = this.#seen.slice(Math.max(passed, 0));
    if (this.#seen.length > seenMax) {
      this.#seen = this.#seen.filter((_, index) => index % 2 === 0);
    }
    return at - (this.#seen[0]?.at ?? at);
  }
}

export class Health {
  readonly #query: Query;
  readonly #sql: Pick<Statements, 'look' | 'touch'>;
  readonly #lag = new FeedLag();

  constructor(query: Query, sql: Pick<Statements, 'look' | 'touch'>) {
    this.#query = query;
    this.#sql = sql;
  }

  /** `write`: also whether it can be written. A server that has become a standby cannot. */
  async look(write: boolean): Promise<StoreHealth> {
    const sent = performance.now();
    const [row = {}] = await this.#query(this.#sql.look);
    const latencyMs = performance.now() - sent;
    if (write || row['standby'] === true) {
      await this.#query(this.#sql.touch);
    }
    return {
      latencyMs,
      feedLagMs: this.#lag.look(sent, BigInt(text(row, 'oldest')), BigInt(text(row, 'next'))),
      server: `Postgres ${text(row, 'server')}`,
      durable: row['durable'] === true,
    };
  }
}
