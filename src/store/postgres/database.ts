/**
 * What the store needs of a Postgres client: statements, by text and values. Our own is `pg`; a test may bring another.
 *
 * Values and rows are plain JavaScript: a bigint column is a number, an xid8 a text.
 */
import type { Row } from '../row.ts';

export type Value = string | number | boolean | null | readonly (string | number | boolean | null)[];

/** `limitMs`: for the answer, where it is shorter than usual. */
export type Query = (text: string, values?: readonly Value[], limitMs?: number) => Promise<readonly Row[]>;

export interface Database {
  /** Commits and all else that writes: one connection, one statement at a time, in the order of the calls. */
  readonly write: Query;
  /** Signs of life, on a connection that nothing else keeps busy. */
  readonly beat: Query;
  /** Looks at the server, on a connection that nothing else keeps busy. */
  readonly probe: Query;
  /** What nodes write to each other, on a connection that nothing else keeps busy. */
  readonly mail: Query;
  /** Any connection. */
  readonly read: Query;
  /** Several statements on one connection, between BEGIN and COMMIT. Silent for `idleMs` between two, it is ended by the server; 0: never. */
  transaction<T>(work: (query: Query) => Promise<T>, idleMs?: number): Promise<T>;
  /**
   * Calls `hear` with the payload of each notification on these channels, until it is stopped. Notifications may be lost; after it was
   * away, `missed` is called.
   */
  listen(
    channels: readonly string[],
    hear: (payload: string, channel: string) => void,
    missed: () => void,
  ): () => Promise<void>;
  /** Ends its connections; statements that are under way are answered first. */
  end(): Promise<void>;
}

/** SQLSTATE, in the error of a statement that the server has refused. */
export const sqlState = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code)
    ? error.code
    : null;
