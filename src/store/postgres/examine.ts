/** Looks at a Postgres database, or migrates it, without becoming the daemon that works on it. */
import type { StoreHealth } from '../port.ts';
import { connect } from './client.ts';
import type { Database } from './database.ts';
import { openError } from './failure.ts';
import { Health } from './health.ts';
import { migrate, quoted, type MigrationReport } from './migrate.ts';
import { checkServer } from './open.ts';
import { statements } from './sql.ts';

interface DatabaseOptions {
  readonly url: string;
  readonly schema?: string;
}

const connectMs = 10_000;
const statementMs = 30_000;

/**
 * Migrations are made for a version beside an older one, so a daemon may be at work. Throws as `openPostgresStore` does;
 * `dryRun` changes nothing.
 */
export const migratePostgres = (options: DatabaseOptions & { readonly dryRun: boolean }): Promise<MigrationReport> =>
  on(options, (database, schema) => migrate(database, schema, { dryRun: options.dryRun }));

/** Throws as `openPostgresStore` does, and changes nothing. */
export const examinePostgres = (options: DatabaseOptions): Promise<StoreHealth & MigrationReport> =>
  on(options, async (database, schema) => {
    const report = await migrate(database, schema, { dryRun: true });
    const health = await new Health(database.probe, statements(quoted(schema))).look(false);
    return { ...health, ...report };
  });

async function on<T>(
  { url, schema = 'signalbox' }: DatabaseOptions,
  work: (database: Database, schema: string) => Promise<T>,
): Promise<T> {
  const database = connect({ url, readers: 1, connectMs, statementMs });
  try {
    await checkServer(database);
    return await work(database, schema);
  } catch (error) {
    throw openError(error);
  } finally {
    await database.end();
  }
}
