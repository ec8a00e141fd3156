/** Export and import of the store that a configuration names. */
import { join } from 'node:path';
import { dataFiles } from '../protocol/folder.ts';
import { exportStore, type Exported } from '../store/transfer/export.ts';
import { importAt, snapshotAt, type StorePlace } from '../store/transfer/place.ts';
import type { DaemonConfig } from './config/resolve.ts';

export type { Exported };

export interface StoreOf {
  readonly folder: string;
  readonly config: Pick<DaemonConfig, 'store'>;
}

/** Lines so far. */
type Progress = (lines: number) => void;

const placeOf = ({ folder, config: { store } }: StoreOf): StorePlace =>
  store.kind === 'postgres' ? { url: store.url } : { path: join(folder, dataFiles.database) };

/** For people, without a password. */
export const storeName = ({ folder, config: { store } }: StoreOf): string =>
  store.kind === 'postgres' ? store.name : join(folder, dataFiles.database);

/** One state of it, also while a daemon works. `write` gets some lines at a time. */
export async function exportFrom(
  store: StoreOf,
  write: (text: string) => Promise<void>,
  progress: Progress,
): Promise<Exported> {
  const snapshot = await snapshotAt(placeOf(store));
  try {
    return await exportStore(snapshot, write, progress);
  } finally {
    await snapshot.close();
  }
}

/** Throws `store_exists` where there is a database already, `bad_export`, and what opening a store throws. */
export const importInto = (store: StoreOf, lines: AsyncIterable<string>, progress: Progress): Promise<Exported> =>
  importAt(placeOf(store), lines, progress);
