/** A harness for each of the two stores. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '../../src/store/port.ts';
import type { NodesHarness, StoreHarness } from '../../src/testing/store/api.ts';
import { factsOf } from '../../src/testing/store/members.ts';
import { lateStore, shuffled } from '../../src/testing/store/late.ts';
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
  let eras = 0;
  return {
    openShared: (options: { readonly faults?: Faults } = {}): MemoryStore =>
      openMemoryStore({ disk, shared: true, ...options }),
    open: (options: { readonly faults?: Faults } = {}): MemoryStore => openMemoryStore({ disk, ...options }),
    failOver(): void {
      eras += 1;
      disk.failOver(disk.standby(), `era ${eras}`);
    },
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

/** The store in memory behind a network that mixes up all answers, and loses some of those to commits. */
export function lateHarness() {
  const inner = memoryHarness();
  let seed = 0;
  const late = (store: Store): Store => {
    seed += 1;
    let commits = 0;
    const loses = (): boolean => (commits += 1) % 5 === 0;
    return lateStore(store, shuffled(seed), { loses });
  };
  return {
    open(options: { readonly faults?: Faults } = {}): Store {
      return late(inner.open(options));
    },
    openShared(options: { readonly faults?: Faults } = {}): Store {
      return late(inner.openShared(options));
    },
    failOver: () => inner.failOver(),
    dispose: () => inner.dispose(),
  };
}

/** Each store that it opens is a node, the only one. */
export function joined(harness: NodesHarness): StoreHarness {
  let starts = 0;
  return {
    async open(options) {
      const store = await harness.openShared(options);
      starts += 1;
      await store.nodes?.join(starts, factsOf('alone'));
      return store;
    },
    dispose: () => harness.dispose(),
  };
}

export const harnesses = { sqlite: sqliteHarness, memory: memoryHarness } as const;
