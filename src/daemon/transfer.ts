/** Export and import of the store that a configuration names. */
import { join } from 'node:path';
import { dataFiles } from '../protocol/folder.ts';
import { exportStore, type Exported } from '../store/transfer/export.ts';
import { importAt, snapshotAt, type StoreAddress } from '../store/transfer/address.ts';
import type { StorePlace } from './config/store.ts';

export type { Exported };

interface StoreOf {
  readonly folder: string;
  readonly place: StorePlace;
}

/** Lines so far. */
type Progress = (lines: number) => void;

const addressOf = ({ folder, place }: StoreOf): StoreAddress =>
  place.kind === 'postgres' ? { url: place.url } : { path: join(folder, dataFiles.database) };

/** For people, without a password. */
export const storeName = ({ folder, place }: StoreOf): string =>
  place.kind === 'postgres' ? place.name : join(folder, dataFiles.database);

/** One state of it, also while a daemon works. `write` gets some lines at a time. */
export async function exportFrom(
  store: StoreOf,
  write: (text: string) => Promise<void>,
  progress: Progress,
): Promise<Exported> {
  const snapshot = await snapshotAt(addressOf(store));
  try {
    return await exportStore(snapshot, write, progress);
  } finally {
    await snapshot.close();
  }
}

/** Throws `store_exists` where there is a database already, `bad_export`, and what opening a store throws. */
export const importInto = (store: StoreOf, lines: AsyncIterable<string>, progress: Progress): Promise<Exported> =>
  importAt(addressOf(store), lines, progress);
