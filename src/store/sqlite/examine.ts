/** Looks into a database file for damage that its header does not show. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { damaged, isSqliteError } from './failure.ts';
import { fileBytes, type Found, lookAt } from './header.ts';

/** Up to this size a file is examined at every start: about 10 ms for a full one. A larger one is `doctor`'s. */
const examinedBytes = 4 * 1024 * 1024;

const suffixes = ['', '-wal', '-journal'];

/**
 * A write that a kill cut off (a migration: see `migrate.ts`) has left its rollback journal beside the file. Until SQLite has
 * rolled it back, header and pages may be of neither version.
 */
const isCutOff = (path: string): boolean => fileBytes(path) > 0 && fileBytes(`${path}-journal`) > 0;

/**
 * What kind of file it is, and of which version. Throws `store_damaged`, `store_foreign` or `store_newer`. SQLite looks at
 * copies alone, because it would recover or checkpoint the file that it is to judge.
 */
export function judge(path: string): Found {
  if (isCutOff(path)) {
    return onCopy(path, (copy) => {
      refuseProblems(copy, 'quick_check(1)');
      return lookAt(copy);
    });
  }
  const found = lookAt(path);
  const bytes = suffixes.reduce((sum, suffix) => sum + fileBytes(`${path}${suffix}`), 0);
  if (found.kind === 'ours' && bytes <= examinedBytes) {
    onCopy(path, (copy) => refuseProblems(copy, 'quick_check(1)'));
  }
  return found;
}

/**
 * All damage that SQLite finds, as its messages; empty: none. Reads the whole file (about 200 MB/s), also while a daemon runs.
 * For `doctor`.
 */
export const examineSqliteFile = (path: string): readonly string[] =>
  isCutOff(path)
    ? onCopy(path, (copy) => problemsOf(copy, 'integrity_check(20)', false))
    : problemsOf(path, 'integrity_check(20)', true);

function onCopy<T>(path: string, look: (copy: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-examine-'));
  try {
    const copy = join(folder, 'copy.db');
    for (const suffix of suffixes.filter((one) => existsSync(`${path}${one}`))) {
      copyFileSync(`${path}${suffix}`, `${copy}${suffix}`);
    }
    return look(copy);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function refuseProblems(copy: string, check: string): void {
  const [first] = problemsOf(copy, check, false);
  if (first !== undefined) {
    throw damaged(first);
  }
}

/** A rollback journal can be rolled back only where SQLite may write. */
function problemsOf(path: string, check: string, readOnly: boolean): string[] {
  try {
    using db = new DatabaseSync(path, { readOnly });
    const lines = db
      .prepare(`PRAGMA ${check}`)
      .all()
      .map((row) => String(Object.values(row)[0]));
    return lines.filter((line) => line !== 'ok');
  } catch (error) {
    if (isSqliteError(error)) {
      return [error.message];
    }
    throw error;
  }
}
