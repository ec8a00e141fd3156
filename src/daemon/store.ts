/** Opens the store that the configuration names. What only Postgres needs is loaded only for it. */
import { join } from 'node:path';
import { AppError } from '../core/errors.ts';
import { dataFiles } from '../protocol/folder.ts';
import type { Faults } from '../store/faults.ts';
import type { PostgresStore } from '../store/postgres/store.ts';
import { lockFile, openSqliteStore } from '../store/sqlite/open.ts';
import type { SqliteStore } from '../store/sqlite/store.ts';
import type { DaemonConfig } from './config/resolve.ts';

export interface StoreOptions {
  readonly folder: string;
  readonly config: Pick<DaemonConfig, 'store' | 'node' | 'durability'>;
  readonly faults: Faults;
  /** The process that takes signals for this daemon: others are told it. */
  readonly pid: number;
  /** Aborted: the daemon is to end before it has begun. */
  readonly ending?: AbortSignal | undefined;
}

export interface OpenedStore {
  readonly store: SqliteStore | PostgresStore;
  /** For people, without a password. */
  readonly name: string;
  readonly close: () => Promise<void>;
}

/** Of two daemons on one folder the second touches nothing, whatever its store. Throws `store_*`, or `closing`. */
export async function openStore(options: StoreOptions): Promise<OpenedStore> {
  const { folder, config, faults, pid, ending } = options;
  const { store: place, node, durability } = config;
  const path = join(folder, dataFiles.database);
  if (place.kind === 'sqlite') {
    const store = openSqliteStore({ path, durability, faults, pid });
    return { store, name: path, close: () => Promise.resolve(store.close()) };
  }
  const { lock } = lockFile(path);
  lock.announce(pid);
  try {
    const { openPostgresStore } = await import('../store/postgres/open.ts');
    const hints = node.listenUrl === undefined ? {} : { listenUrl: node.listenUrl };
    const opening = openPostgresStore({ url: place.url, ...hints, faults, pid, shared: true });
    const store = await unlessEnding(opening, ending);
    const close = (): Promise<void> => store.close().finally(() => lock.release());
    return { store, name: place.name, close };
  } catch (error) {
    lock.abandon();
    throw error;
  }
}

/** A server that does not answer keeps nobody waiting who has asked for the end. */
async function unlessEnding(opening: Promise<PostgresStore>, ending?: AbortSignal): Promise<PostgresStore> {
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = (): void => reject(new AppError({ code: 'closing', message: 'the daemon closes before it has a store' }));
  ending?.addEventListener('abort', end, { once: true });
  if (ending?.aborted === true) {
    end();
  }
  try {
    return await Promise.race([opening, ended]);
  } catch (error) {
    void opening.then(
      (store) => store.close(),
      () => {},
    );
    throw error;
  } finally {
    ending?.removeEventListener('abort', end);
  }
}
