/** Brings a store to the schema of this version, or says what that takes, without a daemon. */
import { join } from 'node:path';
import { dataFiles } from '../protocol/folder.ts';
import type { StoreHealth } from '../store/port.ts';
import { judge } from '../store/sqlite/examine.ts';
import { migrations } from '../store/sqlite/migrate.ts';
import { openSqliteStore } from '../store/sqlite/open.ts';
import type { StorePlace } from './config/store.ts';

/** Migrations that the store has, or had, and those of this version. */
export interface Migrated {
  readonly from: number;
  readonly to: number;
}

/** Throws `store_*`. A SQLite file that is not there has no migration, and is not made by a dry run. */
export async function migrateStore(folder: string, place: StorePlace, dryRun: boolean): Promise<Migrated> {
  if (place.kind === 'postgres') {
    const { migratePostgres } = await import('../store/postgres/examine.ts');
    return migratePostgres({ url: place.url, dryRun });
  }
  const path = join(folder, dataFiles.database);
  const found = judge(path);
  const from = found.kind === 'ours' ? found.version : 0;
  if (!dryRun) {
    // Opening it is what migrates it, alone on the file.
    openSqliteStore({ path }).close();
  }
  return { from, to: migrations.length };
}

/** How a Postgres database is, for `doctor`. Throws `store_*`. */
export async function examineDatabase(url: string): Promise<StoreHealth & Migrated> {
  const { examinePostgres } = await import('../store/postgres/examine.ts');
  return examinePostgres({ url });
}
