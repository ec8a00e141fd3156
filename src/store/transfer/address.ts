/**
 * Where a store is, for export and import.
 *
 *  store-address/1 An import fills a draft beside its place (a file, a schema), which takes the place by one rename when it is whole and verified. So
 *          what is at the place is never half of an import, and one that was cut off continues in its draft.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { AppError } from '../../core/errors.ts';
import { openSqliteStore } from '../sqlite/open.ts';
import { sqliteSnapshot } from '../sqlite/snapshot.ts';
import type { Exported } from './export.ts';
import { importStore } from './import.ts';
import type { Snapshot } from './snapshot.ts';

/** `url`: of Postgres. */
export type StoreAddress = { readonly path: string } | { readonly url: string; readonly schema?: string };

export async function snapshotAt(address: StoreAddress): Promise<Snapshot> {
  if ('path' in address) {
    return sqliteSnapshot(address.path);
  }
  const { openPostgresSnapshot } = await import('../postgres/transfer.ts');
  return openPostgresSnapshot(address);
}

/** Throws `store_exists` where there is a database with anything in it, and what `importStore` throws. */
export async function importAt(
  address: StoreAddress,
  lines: AsyncIterable<string>,
  progress: (lines: number) => void = () => {},
): Promise<Exported> {
  if (!('path' in address)) {
    const { importIntoPostgres } = await import('../postgres/transfer.ts');
    return importIntoPostgres(address, lines, progress);
  }
  const { path } = address;
  if (existsSync(path)) {
    throw new AppError({ code: 'store_exists', message: `there is a database at ${path}` });
  }
  const draft = `${path}.import`;
  const store = openSqliteStore({ path: draft });
  let imported: Exported;
  try {
    imported = await importStore({ store, lines, progress, snapshot: () => store.snapshot() });
  } finally {
    store.close();
  }
  renameSync(draft, path);
  rmSync(`${draft}.lock`, { force: true });
  return imported;
}
