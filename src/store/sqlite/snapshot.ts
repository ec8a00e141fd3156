/** One state of a database file, also while a daemon writes to it: the pages that were there when its transaction began. */
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../core/errors.ts';
import type { Snapshot } from '../transfer/snapshot.ts';
import { storeError } from './failure.ts';
import { lookAt } from './header.ts';
import { migrations } from './migrate.ts';
import { Reads } from './reads.ts';

const busyMs = 5_000;

/** Throws `store_failed` where there is no file or an older one, and what `openSqliteStore` throws for a file that is not ours. */
export function sqliteSnapshot(path: string): Snapshot {
  try {
    const found = lookAt(path);
    if (found.kind === 'none') {
      throw new AppError({ code: 'store_failed', message: `there is no database at ${path}` });
    }
    if (found.version < migrations.length) {
      throw new AppError({
        code: 'store_failed',
        message: `${path} is of an older version: start the daemon on it once, which brings it up to date`,
      });
    }
    return snapshotOf(path);
  } catch (error) {
    throw storeError(error);
  }
}

/** Of a file that is known to be ours and up to date. */
export function snapshotOf(path: string): Snapshot {
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyMs });
  db.exec('BEGIN');
  const reads = new Reads(db);
  return {
    kind: 'sqlite',
    tokens: () => reads.tokens(),
    sessionsFrom: (after, limit) => reads.sessionsFrom(after, limit),
    tasksFrom: (after, limit) => reads.tasksFrom(after, limit),
    repliesFrom: (after, limit) => reads.repliesFrom(after, limit),
    consumers: () => reads.consumers(),
    feed: (after, limit) => reads.feed(null, after, limit),
    close: () => db.close(),
  };
}
