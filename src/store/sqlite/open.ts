/**
 * Opens the database file of a data folder: lock, look, create or migrate, then the connection with its settings.
 * A file that is refused has not been opened by SQLite at all, and is left byte for byte as it was.
 */
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { noFaults, type Faults } from '../faults.ts';
import { judge } from './examine.ts';
import { storeError } from './failure.ts';
import { claimFile } from './opener.ts';
import { takeLock, type StoreLock } from './lock.ts';
import { migrate, migrations } from './migrate.ts';
import { SqliteStore, type Durability } from './store.ts';

interface SqliteStoreOptions {
  /** The database file; its folder is made (mode 0700) when it is not there. */
  readonly path: string;
  /** Default `power`. */
  readonly durability?: Durability;
  readonly faults?: Faults;
  /** Whom `store_locked` names to others: the process to signal. Default: this one. */
  readonly pid?: number;
}

/** Pages (4 KiB) of write-ahead log before a commit has to move them itself: 40 MiB. 1,000, the default, halves throughput. */
const checkpointPages = 10_000;
/** KiB of page cache. */
const cacheKib = 16_384;
/** Milliseconds to wait, with the whole process, for another program that writes to the file just now. */
const busyMs = 1_000;

/**
 * Throws `store_locked` (another daemon has it; the message names its pid), `store_newer`, `store_foreign`,
 * `store_damaged`, or `store_failed` when the disk refuses.
 */
export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  const durability = options.durability ?? 'power';
  const pid = options.pid ?? process.pid;
  const { path, lock } = lockFile(resolve(options.path));
  try {
    const found = judge(path);
    if (found.kind === 'none') {
      create(path);
    }
    claimFile({ path, version: found.kind === 'ours' ? found.version : migrations.length, pid, busyMs });
    lock.announce(pid);
    const db = connect(path);
    try {
      configure(db, durability);
      return new SqliteStore({ db, path, durability, faults: options.faults ?? noFaults, release: lock.release });
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    lock.abandon();
    throw storeError(error);
  }
}

/** Throws `store_locked`. The lock stands beside the file itself, as SQLite's log does, by whatever links the file is reached. */
export function lockFile(given: string): { readonly path: string; readonly lock: StoreLock } {
  try {
    mkdirSync(dirname(given), { recursive: true, mode: 0o700 });
    const path = realFile(given);
    return { path, lock: takeLock(path) };
  } catch (error) {
    throw storeError(error);
  }
}

function realFile(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return join(realpathSync(dirname(path)), basename(path));
    }
    throw error;
  }
}

const connect = (path: string): DatabaseSync => new DatabaseSync(path, { timeout: busyMs });

/** Made beside its place and moved there: a database file that exists is whole. */
function create(path: string): void {
  const draft = `${path}.new`;
  const clear = (): void => {
    for (const suffix of ['', '-journal']) {
      rmSync(`${draft}${suffix}`, { force: true });
    }
  };
  clear();
  try {
    using db = connect(draft);
    chmodSync(draft, 0o600);
    migrate(db, 0);
  } catch (error) {
    clear();
    throw error;
  }
  renameSync(draft, path);
  syncFolder(dirname(path));
}

/** So that the name is as durable as what it names. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function configure(db: DatabaseSync, durability: Durability): void {
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${durability === 'power' ? 'FULL' : 'NORMAL'};
    PRAGMA wal_autocheckpoint = ${checkpointPages};
    PRAGMA journal_size_limit = ${checkpointPages * 4_096};
    PRAGMA cache_size = -${cacheKib};
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
  `);
}
