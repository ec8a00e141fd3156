/** The medium that outlives a crash, and the store that one daemon sees of it. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionKey, TaskId } from '../src/core/model/ids.ts';
import type { Faults, ProcessRow, SessionCommit, Store, TaskFilter, TokenRow } from '../src/store/index.ts';
import { MemoryDisk, openMemoryStore, openSqliteStore } from '../src/store/index.ts';

/** `late`: a store in memory whose every answer comes by a promise, and later. */
export type StoreKind = 'memory' | 'sqlite' | 'late';

/** A crash of the process is simulated, not one of the machine: a file in memory does, and its syncs take no time. */
const ramFolder = '/dev/shm';

export interface Medium {
  open(faults?: Faults): Store;
  dispose(): void;
}

export function openMedium(kind: StoreKind): Medium {
  if (kind !== 'sqlite') {
    const disk = new MemoryDisk();
    return { open: (faults) => openMemoryStore(faults === undefined ? { disk } : { disk, faults }), dispose() {} };
  }
  const folder = mkdtempSync(join(existsSync(ramFolder) ? ramFolder : tmpdir(), 'signalbox-sim-'));
  const path = join(folder, 'signalbox.db');
  return {
    open: (faults) =>
      openSqliteStore(faults === undefined ? { path, durability: 'process' } : { path, durability: 'process', faults }),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

interface Watch {
  /** Throws once the daemon has crashed: a dead process reads and writes nothing. May throw an error of the store as well. */
  enter(method: keyof Store): void;
  committing(commits: readonly SessionCommit[]): void;
  committed(commits: readonly SessionCommit[], outcomes: Awaited<ReturnType<Store['commit']>>): void;
}

/** A store as its daemon sees it: everything goes past the watch. */
export class WatchedStore implements Store {
  readonly kind: string;
  readonly nodes = null;
  readonly outbox: Store['outbox'];
  readonly #inner: Store;
  readonly #watch: Watch;

  constructor(inner: Store, watch: Watch) {
    this.kind = inner.kind;
    this.#inner = inner;
    this.outbox = inner.outbox;
    this.#watch = watch;
  }

  commit(commits: readonly SessionCommit[]): ReturnType<Store['commit']> {
    const inner = this.#past('commit');
    this.#watch.committing(commits);
    const outcomes = inner.commit(commits);
    if (outcomes instanceof Promise) {
      throw new Error('the simulator drives stores that answer at once');
    }
    this.#watch.committed(commits, outcomes);
    return outcomes;
  }

  #past(method: keyof Store): Store {
    this.#watch.enter(method);
    return this.#inner;
  }

  claim(session: SessionKey): ReturnType<Store['claim']> {
    return this.#past('claim').claim(session);
  }

  openSessions(cursor: string | null, limit: number): ReturnType<Store['openSessions']> {
    return this.#past('openSessions').openSessions(cursor, limit);
  }

  task(id: TaskId): ReturnType<Store['task']> {
    return this.#past('task').task(id);
  }

  tasks(filter: TaskFilter, cursor: string | null, limit: number): ReturnType<Store['tasks']> {
    return this.#past('tasks').tasks(filter, cursor, limit);
  }

  mergedTasks(entry: TaskId): ReturnType<Store['mergedTasks']> {
    return this.#past('mergedTasks').mergedTasks(entry);
  }

  taskByIdempotencyKey(source: string, key: string): ReturnType<Store['taskByIdempotencyKey']> {
    return this.#past('taskByIdempotencyKey').taskByIdempotencyKey(source, key);
  }

  session(key: SessionKey): ReturnType<Store['session']> {
    return this.#past('session').session(key);
  }

  sessions(cursor: string | null, limit: number): ReturnType<Store['sessions']> {
    return this.#past('sessions').sessions(cursor, limit);
  }

  tape(session: SessionKey, task: TaskId | null, after: number, limit: number): ReturnType<Store['tape']> {
    return this.#past('tape').tape(session, task, after, limit);
  }

  feed(session: SessionKey | null, after: string | null, limit: number): ReturnType<Store['feed']> {
    return this.#past('feed').feed(session, after, limit);
  }

  feedEnd(session: SessionKey | null): ReturnType<Store['feedEnd']> {
    return this.#past('feedEnd').feedEnd(session);
  }

  recordProcess(row: ProcessRow): ReturnType<Store['recordProcess']> {
    return this.#past('recordProcess').recordProcess(row);
  }

  forgetProcess(pid: number, startTime: string): ReturnType<Store['forgetProcess']> {
    return this.#past('forgetProcess').forgetProcess(pid, startTime);
  }

  processes(): ReturnType<Store['processes']> {
    return this.#past('processes').processes();
  }

  addToken(row: TokenRow): ReturnType<Store['addToken']> {
    return this.#past('addToken').addToken(row);
  }

  removeToken(name: string): ReturnType<Store['removeToken']> {
    return this.#past('removeToken').removeToken(name);
  }

  tokens(): ReturnType<Store['tokens']> {
    return this.#past('tokens').tokens();
  }

  stats(): ReturnType<Store['stats']> {
    return this.#past('stats').stats();
  }

  checkpoint(): ReturnType<Store['checkpoint']> {
    return this.#past('checkpoint').checkpoint();
  }

  close(): ReturnType<Store['close']> {
    return this.#past('close').close();
  }
}
