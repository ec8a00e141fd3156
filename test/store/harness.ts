/** A harness for each of the two stores. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreHarness } from '../../src/store/contract.ts';
import { MemoryDisk, openMemoryStore, openSqliteStore, type SqliteStore } from '../../src/store/index.ts';

export function memoryHarness(): StoreHarness {
  const disk = new MemoryDisk();
  return {
    open: (options = {}) => openMemoryStore({ disk, ...options }),
    dispose() {},
  };
}

export function sqliteHarness(): StoreHarness & { readonly path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-store-'));
  const path = join(folder, 'signalbox.db');
  const opened: SqliteStore[] = [];
  return {
    path,
    open(options = {}) {
      const store = openSqliteStore({ path, durability: 'process', ...options });
      opened.push(store);
      return store;
    },
    dispose() {
      for (const store of opened) store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const harnesses = { sqlite: sqliteHarness, memory: memoryHarness } as const;
