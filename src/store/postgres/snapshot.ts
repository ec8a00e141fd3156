/** One state of a Postgres schema, also while a daemon writes to it: what a read-only, repeatable transaction sees. */
import { AppError } from '../../core/errors.ts';
import type { Snapshot } from '../transfer/snapshot.ts';
import type { Database } from './database.ts';
import { openError } from './failure.ts';
import { migrate, migrations, quoted } from './migrate.ts';
import { Reads } from './reads.ts';
import { statements } from './sql.ts';

/** The database is ended with the snapshot. Throws what `openPostgresStore` throws, and `store_failed` for an older schema. */
export async function postgresSnapshot(database: Database, schema = 'signalbox'): Promise<Snapshot> {
  const ended = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<Reads>();
  try {
    const { from } = await migrate(database, schema, { dryRun: true });
    if (from < migrations.length) {
      const found = from === 0 ? `there is no schema ${schema}` : `the schema ${schema} is of an older version`;
      throw new AppError({ code: 'store_failed', message: `${found}: start the daemon on it once` });
    }
  } catch (error) {
    await database.end();
    throw openError(error);
  }
  const done = database
    .transaction(async (query) => {
      await query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      begun.resolve(new Reads(query, statements(quoted(schema)), schema));
      await ended.promise;
      // Whoever reads it may take his time; it holds no lock that another one waits for.
    }, 0)
    .catch((error: unknown) => begun.reject(openError(error)));
  const reads = await begun.promise;
  return {
    kind: 'postgres',
    tokens: () => reads.tokens(),
    sessionsFrom: (after, limit) => reads.sessionsFrom(after, limit),
    tasksFrom: (after, limit) => reads.tasksFrom(after, limit),
    repliesFrom: (after, limit) => reads.repliesFrom(after, limit),
    consumers: () => reads.consumers(),
    feed: (after, limit) => reads.feedOfSnapshot(after, limit),
    close: async () => {
      ended.resolve();
      await done;
      await database.end();
    },
  };
}
