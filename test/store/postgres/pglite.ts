/** The store on PGlite: Postgres as a library, with one connection. It starts in a second, and has no server to bring. */
import type { PGlite } from '@electric-sql/pglite';
import type { Database, Query } from '../../../src/store/postgres/database.ts';
import type { Row } from '../../../src/store/row.ts';

export function pgliteDatabase(db: PGlite): Database {
  const query: Query = async (text, values = []) => (await db.query<Row>(text, [...values])).rows;
  return {
    write: query,
    beat: query,
    mail: query,
    probe: query,
    read: query,
    transaction: (work) =>
      db.transaction((tx) => work(async (text, values = []) => (await tx.query<Row>(text, [...values])).rows)),
    listen: (channels, hear) => {
      const listening = Promise.all(channels.map((channel) => db.listen(channel, (payload) => hear(payload, channel))));
      return async () => {
        await Promise.all((await listening).map((stop) => stop()));
      };
    },
    // The library outlives the stores that are opened on it.
    end: () => Promise.resolve(),
  };
}
