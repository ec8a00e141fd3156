/**
 * The store's connections, by `pg`: one for what writes, one for signs of life, one for what nodes
 * write to each other, a few for readers. Statements have no names, and no setting of a
 * connection is relied on: they pass any pooler in transaction mode.
 *
 *  postgres-client/1 A connection on which a statement got no answer is never used again.
 *  postgres-client/2 A reader whose answer got lost is asked again, a few times, on other connections.
 */
import pg from 'pg';
import { sqlState, type Database, type Query, type Value } from './database.ts';
import { AnswerLost, isAnswerLost, NotSent, said } from './failure.ts';
import { listen } from './listener.ts';
import type { Row } from '../row.ts';

export interface ConnectionOptions {
  readonly url: string;
  /** For notifications. Default: `url`. */
  readonly listenUrl?: string;
  /** Readers; commits have a connection of their own. */
  readonly readers: number;
  /** For a connection, ms. */
  readonly connectMs: number;
  /** For the answer to one statement, ms. */
  readonly statementMs: number;
}

/** OID of int8 (https://www.postgresql.org/docs/current/datatype-oid.html): all our numbers are below 2^53. */
const int8 = 20;

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
};

export function connect({ url, listenUrl = url, readers, connectMs, statementMs }: ConnectionOptions): Database {
  const connectionString = withCheckedServer(url);
  const poolOf = (max: number, limitMs = connectMs): pg.Pool => {
    const pool = new pg.Pool({
      connectionString,
      max,
      connectionTimeoutMillis: limitMs,
      query_timeout: statementMs,
      keepAlive: true,
      application_name: 'signalbox',
      types,
    });
    // An idle connection has ended: the next statement opens another.
    pool.on('error', () => {});
    // Of one in use its statement tells. An error may come with the greeting, in the moment between the pool's hands and ours.
    pool.on('connect', (client) => client.on('error', () => {}));
    return pool;
  };
  const writers = poolOf(1);
  const beating = poolOf(1, Math.min(connectMs, beatConnectMs));
  const mailing = poolOf(1);
  const probing = poolOf(1);
  const reading = poolOf(readers);
  return {
    write: (text, values) => using(writers, (query) => query(text, values)),
    beat: (text, values, limitMs) =>
      within(
        limitMs,
        using(beating, (query) => query(text, values, limitMs)),
      ),
    mail: (text, values) => using(mailing, (query) => query(text, values)),
    probe: (text, values) => using(probing, (query) => query(text, values)),
    read: (text, values) => again(() => using(reading, (query) => query(text, values))),
    transaction: (work, idleMs = idleMaxMs) =>
      using(writers, async (query) => {
        await query('BEGIN');
        await query(`SET LOCAL idle_in_transaction_session_timeout = ${idleMs}`);
        try {
          const result = await work(query);
          await query('COMMIT');
          return result;
        } catch (error) {
          if (!isAnswerLost(error)) {
            await query('ROLLBACK');
          }
          throw error;
        }
      }),
    end: async () => {
      await Promise.all([writers.end(), beating.end(), mailing.end(), probing.end(), reading.end()]);
    },
    listen: (channels, hear, missed) =>
      listen({ connectionString: withCheckedServer(listenUrl), channels, hear, missed }),
  };
}

/** As `pg` 8 reads these modes, said in full: it warns of another meaning to come, and a server stays checked then. */
const withCheckedServer = (url: string): string =>
  url.includes('uselibpqcompat=')
    ? url
    : url.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/, '$1verify-full');

/** What we write takes milliseconds between two statements. A server that loses us there must give our locks to others. */
const idleMaxMs = 5_000;

/** A sign of life that finds no connection for so long is worth another try on another. */
const beatConnectMs = 2_000;

/** Rejects when there is no answer in time: also while there is no connection yet. */
function within<T>(limitMs: number | undefined, answer: Promise<T>): Promise<T> {
  if (limitMs === undefined) {
    return answer;
  }
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new AnswerLost(`none for ${limitMs} ms`)), limitMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** As many as a pool of readers may have idle connections that a restart of the server has cut. */
const readsMax = 5;

async function again<T>(read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await read();
    } catch (error) {
      if (tries === readsMax || !isAnswerLost(error)) {
        throw error;
      }
    }
  }
}

async function using<T>(pool: pg.Pool, work: (query: Query) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw new NotSent(said(error), { cause: error });
  });
  let broken = false;
  try {
    return await work(async (text, values = [], limitMs) => {
      try {
        const limit = limitMs === undefined ? {} : { query_timeout: limitMs };
        const result = await client.query<Row, Value[]>({ text, values: [...values], ...limit });
        return result.rows;
      } catch (error) {
        const told = sqlState(error) === null ? lostOf(error) : error;
        broken ||= isAnswerLost(told);
        throw told;
      }
    });
  } finally {
    client.release(broken);
  }
}

/** What is not from the server is from the connection, but for a mistake of ours in what was to be sent. */
const lostOf = (error: unknown): unknown =>
  error instanceof TypeError || error instanceof RangeError ? error : new AnswerLost(said(error), { cause: error });
