/** Export and import of a Postgres schema. */
import { AppError } from '../../core/errors.ts';
import type { Exported } from '../transfer/export.ts';
import { importStore } from '../transfer/import.ts';
import type { Snapshot } from '../transfer/snapshot.ts';
import { connect } from './client.ts';
import type { Database } from './database.ts';
import { openError } from './failure.ts';
import { migrate, quoted } from './migrate.ts';
import { openPostgresStore } from './open.ts';
import { postgresSnapshot } from './snapshot.ts';

interface PostgresPlace {
  readonly url: string;
  readonly schema?: string;
}

/** A page of an export may be large, and its reader slow. */
const open = (url: string): Database => connect({ url, readers: 1, connectMs: 10_000, statementMs: 600_000 });

export const openPostgresSnapshot = ({ url, schema }: PostgresPlace): Promise<Snapshot> =>
  postgresSnapshot(open(url), schema);

/** See `importAt`. */
export async function importIntoPostgres(
  { url, schema = 'signalbox' }: PostgresPlace,
  lines: AsyncIterable<string>,
  progress: (lines: number) => void,
): Promise<Exported> {
  const database = open(url);
  try {
    await refuseUnlessEmpty(database, schema);
    const draft = `${schema}_import`;
    const store = await openPostgresStore({ url, schema: draft });
    let imported: Exported;
    try {
      const snapshot = (): Promise<Snapshot> => openPostgresSnapshot({ url, schema: draft });
      imported = await importStore({ store, lines, progress, snapshot });
    } finally {
      await store.close();
    }
    await database.transaction(async (query) => {
      await refuseUnlessEmpty({ ...database, write: query }, schema);
      await query(`DROP SCHEMA IF EXISTS ${quoted(schema)} CASCADE`);
      await query(`ALTER SCHEMA ${quoted(draft)} RENAME TO ${quoted(schema)}`);
    });
    return imported;
  } catch (error) {
    throw openError(error);
  } finally {
    await database.end();
  }
}

/** A schema in which nothing was ever done, such as one of a daemon that was only started, may be replaced. */
async function refuseUnlessEmpty(database: Database, schema: string): Promise<void> {
  const [there] = await database.write('SELECT to_regnamespace($1) IS NOT NULL AS there', [quoted(schema)]);
  if (there?.['there'] !== true) {
    return;
  }
  const { from } = await migrate(database, schema, { dryRun: true });
  const name = quoted(schema);
  const sql =
    from === 0
      ? 'SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1) AS used'
      : `SELECT EXISTS (SELECT FROM ${name}.sessions) OR EXISTS (SELECT FROM ${name}.tokens)
          OR EXISTS (SELECT FROM ${name}.nodes WHERE state NOT IN ('left', 'dead')) AS used WHERE $1 <> ''`;
  const [row] = await database.write(sql, [schema]);
  if (row?.['used'] === true) {
    throw new AppError({ code: 'store_exists', message: `the schema ${schema} is in use` });
  }
}
