/**
 * One daemon per database file.
 *
 * Owns: `FILE.lock`, an empty SQLite database on which the holder keeps a RESERVED lock for life, and `FILE.pid`, which says who
 * that is. The lock is the operating system's (`fcntl`), so it goes with the process however that ends, and a pid that was
 * given to a stranger means nothing to it; of starts at the same time exactly one gets it. `FILE.pid` only feeds the message.
 */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../core/errors.ts';
import { isSqliteError } from './failure.ts';

export interface StoreLock {
  /** Writes `FILE.pid`. `pid`: whom the message names to others. */
  readonly announce: (pid: number) => void;
  /** The store is closed. */
  readonly release: () => void;
  /** The file was refused: as `release`, and leaves nothing beside it that was not there before. */
  readonly abandon: () => void;
}

const busy = 5;

/** Throws `store_locked`. */
export function takeLock(path: string): StoreLock {
  const file = `${path}.lock`;
  const fresh = statSync(file, { throwIfNoEntry: false }) === undefined;
  const db = new DatabaseSync(file, { timeout: 0 });
  try {
    db.exec('BEGIN IMMEDIATE');
  } catch (error) {
    db.close();
    throw isSqliteError(error) && (error.errcode & 0xff) === busy ? locked(path) : error;
  }
  const pidFile = `${path}.pid`;
  // The file of another daemon, whose lock file was deleted, stays.
  let announced = false;
  const end = (removeLock: boolean): void => {
    if (announced) {
      rmSync(pidFile, { force: true });
    }
    // A lock file that is removed while others may be opening it is two locks; it stays, except where no store came of it.
    if (removeLock) {
      rmSync(file, { force: true });
    }
    db.close();
  };
  return {
    announce(pid) {
      announced = true;
      writeFileSync(`${pidFile}.new`, `${pid}\n`, { mode: 0o600 });
      renameSync(`${pidFile}.new`, pidFile);
    },
    release: () => end(false),
    abandon: () => end(fresh),
  };
}

function locked(path: string): AppError {
  const pid = holder(`${path}.pid`);
  return new AppError({
    code: 'store_locked',
    message: `another daemon has ${path} open${pid === null ? '' : ` (pid ${pid})`}`,
  });
}

/** Null while the holder is just starting or ending: the file is not there, or still names a dead process. */
function holder(pidFile: string): number | null {
  let pid: number;
  try {
    pid = Number(readFileSync(pidFile, 'utf8').trim());
  } catch {
    return null;
  }
  return Number.isSafeInteger(pid) && pid > 0 && isAlive(pid) ? pid : null;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Another user's process may not be signalled, but it is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
