/** A harness for each of the two stores. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  MemoryDisk,
  openMemoryStore,
  type MemoryStore,
  openSqliteStore,
  type Faults,
  type SqliteStore,
} from '../../src/store/index.ts';

export function memoryHarness() {
  const disk = new MemoryDisk();
  return {
    open: (options: { readonly faults?: Faults } = {}): MemoryStore => openMemoryStore({ disk, ...options }),
    dispose(): void {},
  };
}

export function sqliteHarness() {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-store-'));
  const path = join(folder, 'signalbox.db');
  const opened: SqliteStore[] = [];
  return {
    path,
    open(options: { readonly faults?: Faults } = {}): SqliteStore {
      const store = openSqliteStore({ path, durability: 'process', ...options });
      opened.push(store);
      return store;
    },
    dispose(): void {
      for (const store of opened) {
        store.close();
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const harnesses = { sqlite: sqliteHarness, memory: memoryHarness } as const;
