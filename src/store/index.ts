export { openMemoryStore, type MemoryStore } from './memory/store.ts';
export { MemoryDisk } from './memory/disk.ts';
export { examineSqliteFile } from './sqlite/examine.ts';
export { openSqliteStore } from './sqlite/open.ts';
export type { Durability, SqliteStore } from './sqlite/store.ts';
export { CommitRejected } from './errors.ts';
export { noFaults, storeFaultPoints, type Faults } from './faults.ts';
export type * from './port.ts';
