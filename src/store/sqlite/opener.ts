/**
 * The row in a database file that says which process has it open.
 *
 * The lock beside the file (`lock.ts`) depends on the file's name: a hard link, a lock file that was deleted, and a copied
 * folder have another one. This row goes with the content. It is in the main file and not only in the write-ahead log, since
 * the log depends on the name as well: it is written by a connection of its own, whose end moves the log into the file. That
 * connection has the file alone, so that of two processes which start at once one sees the row of the other.
 */
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { AppError } from '../../core/errors.ts';
import { isSqliteError } from './failure.ts';
import { migrate, migrations } from './migrate.ts';
import { startOf } from '../process.ts';
import { num, text } from '../row.ts';

interface Opener {
  readonly pid: number;
  readonly process: number;
  readonly started: string;
  readonly path: string;
}

/** The first version whose file says who has it open. */
const sinceVersion = 12;
const busy = 5;
/** Pages are read while their writer may be moving its log into the file, so that a look may fail. */
const looksMax = 20;

interface Claim {
  readonly path: string;
  /** Of its schema. It is brought up to date. */
  readonly version: number;
  /** Whom the refusal names to others. */
  readonly pid: number;
  readonly busyMs: number;
}

/** Writes the row. Throws `store_locked` where the process of the row lives. */
export function claimFile(claim: Claim): void {
  refuseIfOpen(claim);
  try {
    claimWith(claim, 'EXCLUSIVE');
  } catch (error) {
    if (!isBusy(error)) {
      throw error;
    }
    // Some other program has the file open. It is a daemon if the row says so, and else one that only looks at it.
    if (!refuseIfOpen(claim)) {
      throw error;
    }
    claimWith(claim, 'NORMAL');
  }
}

/** Before the file is closed. */
export function unclaimFile(db: DatabaseSync): void {
  db.exec('UPDATE opener SET pid = NULL, process = NULL, started = NULL, path = NULL');
}

/** Writes to the file, in a transaction of the caller, and leaves what it says. SQLite writes nothing where a row gets the value that it has. */
export function touchFile(db: DatabaseSync): void {
  db.exec('UPDATE opener SET pid = -pid; UPDATE opener SET pid = -pid');
}

function claimWith({ path, version, pid, busyMs }: Claim, mode: 'EXCLUSIVE' | 'NORMAL'): void {
  using db = new DatabaseSync(path, { timeout: mode === 'EXCLUSIVE' ? 0 : busyMs });
  db.exec(`PRAGMA locking_mode = ${mode}`);
  if (version < migrations.length) {
    migrate(db, version);
  }
  db.exec('BEGIN IMMEDIATE');
  const other = openerOf(db);
  if (other !== null && lives(other)) {
    throw locked(path, other);
  }
  db.prepare('UPDATE opener SET pid = ?, process = ?, started = ?, path = ?').run(
    pid,
    process.pid,
    startOf(process.pid) ?? '',
    path,
  );
  db.exec('COMMIT');
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}

/** Looks at the file without a lock, and leaves nothing beside it. False: it could not be read without its log. */
function refuseIfOpen({ path, version }: Claim): boolean {
  if (version < sinceVersion) {
    return true;
  }
  const url = pathToFileURL(path);
  url.search = '?immutable=1';
  for (let look = 0; look < looksMax; look += 1) {
    try {
      using db = new DatabaseSync(url, { readOnly: true });
      const other = openerOf(db);
      if (other !== null && lives(other)) {
        throw locked(path, other);
      }
      return true;
    } catch (error) {
      if (error instanceof AppError) {
        throw error;
      }
    }
  }
  return false;
}

function openerOf(db: DatabaseSync): Opener | null {
  const row = db.prepare('SELECT pid, process, started, path FROM opener WHERE pid IS NOT NULL').get();
  return row === undefined
    ? null
    : { pid: num(row, 'pid'), process: num(row, 'process'), started: text(row, 'started'), path: text(row, 'path') };
}

const lives = (opener: Opener): boolean => startOf(opener.process) === opener.started;

const isBusy = (error: unknown): boolean => isSqliteError(error) && (error.errcode & 0xff) === busy;

function locked(path: string, { pid, path: theirs }: Opener): AppError {
  return new AppError({
    code: 'store_locked',
    message:
      path === theirs
        ? `another daemon has ${path} open (pid ${pid})`
        : `${path} is ${theirs}, or a copy of it, which another daemon has open (pid ${pid})`,
  });
}
