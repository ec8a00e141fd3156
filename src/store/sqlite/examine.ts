/** Looks into a database file for damage that its header does not show. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { damaged, isSqliteError } from './failure.ts';
import { fileBytes } from './header.ts';

/** Up to this size a file is examined at every start: about 10 ms for a full one. A larger one is `doctor`'s. */
const examinedBytes = 4 * 1024 * 1024;

/** Throws `store_damaged`. Works on a copy, because SQLite would recover or checkpoint the file that it is to judge. */
export function examineSmall(path: string): void {
  const suffixes = ['', '-wal', '-journal'].filter((suffix) => existsSync(`${path}${suffix}`));
  const bytes = suffixes.reduce((sum, suffix) => sum + fileBytes(`${path}${suffix}`), 0);
  if (bytes > examinedBytes) {
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-examine-'));
  try {
    const copy = join(folder, 'copy.db');
    for (const suffix of suffixes) {
      copyFileSync(`${path}${suffix}`, `${copy}${suffix}`);
    }
    const [first] = problemsOf(copy, 'quick_check(1)');
    if (first !== undefined) {
      throw damaged(first);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * All damage SQLite can find, in its own words; empty: none. Reads the whole file (about 200 MB/s), beside a running daemon
 * if need be. For `doctor`.
 */
export const examineSqliteFile = (path: string): readonly string[] => problemsOf(path, 'integrity_check(20)');

function problemsOf(path: string, check: string): string[] {
  try {
    using db = new DatabaseSync(path, { readOnly: true });
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
