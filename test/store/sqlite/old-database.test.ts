/** A database that an earlier commit left in the middle of its work; see fixtures/d49ef9d/README.md. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { functionDriver } from '../../../src/agents/index.ts';
import { sessionKey, taskId } from '../../../src/core/model/ids.ts';
import { createSignalbox } from '../../../src/runtime/index.ts';
import { examineSqliteFile, openSqliteStore } from '../../../src/store/index.ts';
import type { Store } from '../../../src/store/port.ts';
import { migrations } from '../../../src/store/sqlite/migrate.ts';
import { expectSound } from '../../support/box.ts';

interface OldTask {
  readonly id: string;
  readonly session: string;
  readonly status: string;
  readonly reason: string | null;
  readonly seq: number;
  readonly admittedAt: number;
  readonly endedAt: number | null;
  readonly payload: { readonly [name: string]: unknown };
}

interface OldEvent {
  readonly seq: number;
  readonly at: number;
}

interface AsServed {
  readonly tasks: readonly (Omit<OldTask, 'id'> & { readonly row: { readonly id: string; readonly ord: number } })[];
  readonly tapes: { readonly [task: string]: readonly OldEvent[] };
  readonly sessions: { readonly [key: string]: readonly OldEvent[] };
}

const fixture = new URL('../fixtures/d49ef9d/', import.meta.url);
const unpack = (name: string): Buffer => gunzipSync(readFileSync(new URL(name, fixture)));
const served = JSON.parse(unpack('as-served.json.gz').toString()) as AsServed;
const oldTasks: readonly OldTask[] = served.tasks.map(({ row, ...task }) => ({ ...task, id: row.id }));
const openTasks = oldTasks.filter((task) => task.endedAt === null);

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The path of a copy that may be written. */
function copy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-old-'));
  folders.push(folder);
  const path = join(folder, 'signalbox.db');
  writeFileSync(path, unpack('database.gz'));
  return path;
}

/** Kills a process in the middle of a migration, after SQLite has begun to write the file itself. */
async function killedWhileMigrating(path: string): Promise<void> {
  const migrate = new URL('../../../src/store/sqlite/migrate.ts', import.meta.url).href;
  const program = `
    import { DatabaseSync } from 'node:sqlite';
    import { migrate } from ${JSON.stringify(migrate)};
    const db = new DatabaseSync(${JSON.stringify(path)});
    // Pages leave the cache for the file, as those of a large database do.
    db.exec('PRAGMA cache_size = 1');
    migrate(db, 0, [(open) => {
      open.exec('CREATE TABLE draft AS SELECT * FROM events; DELETE FROM processes; PRAGMA user_version = 3;');
      open.exec('CREATE TABLE another AS SELECT * FROM draft');
      process.kill(process.pid, 'SIGKILL');
    }]);`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program]);
  await once(child, 'exit');
  expect([child.signalCode, statSync(`${path}-journal`).size > 0]).toEqual(['SIGKILL', true]);
}

const openCopy = (): Store => openSqliteStore({ path: copy() });

describe('the database of an earlier commit', () => {
  it('is migrated once, when it is opened', () => {
    const path = copy();
    openSqliteStore({ path }).close();
    const db = new DatabaseSync(path);
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: migrations.length });
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    db.close();
    const before = readFileSync(path);
    openSqliteStore({ path }).close();
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('opens completely after a kill cut off its migration, and `doctor` finds no damage in it', async () => {
    const path = copy();
    await killedWhileMigrating(path);
    expect(examineSqliteFile(path)).toEqual([]);
    const store = openSqliteStore({ path });
    for (const { id, status, seq } of oldTasks) {
      expect(store.task(taskId(id))).toMatchObject({ status, seq });
    }
    store.close();
    expect(examineSqliteFile(path)).toEqual([]);
  });

  it('holds every task with its status, times and request', async () => {
    const store = openCopy();
    expect(oldTasks).toHaveLength(42);
    for (const { id, session, status, reason, seq, admittedAt, endedAt, payload } of oldTasks) {
      const now = await store.task(taskId(id));
      expect(now).toMatchObject({ session, status, reason, seq, admittedAt, endedAt, payload });
    }
    await store.close();
  });

  it('holds every tape with all of its events, and with `final` last if the task has ended', async () => {
    const store = openCopy();
    const places = (events: readonly OldEvent[]) => events.map(({ seq, at }) => ({ seq, at }));
    for (const { id, session } of oldTasks) {
      const tape = await store.tape(sessionKey(session), taskId(id), 0, 10_000);
      expect(places(tape)).toEqual(places(served.tapes[id] ?? []));
      const stored = await store.task(taskId(id));
      if (stored !== null && stored.endedAt !== null) {
        expectSound(stored, tape);
      } else {
        expect(tape.map(({ type }) => type)).not.toContain('final');
      }
    }
    for (const [key, events] of Object.entries(served.sessions)) {
      expect(places(await store.tape(sessionKey(key), null, 0, 10_000))).toEqual(places(events));
    }
    await store.close();
  });

  it('says of a parked session, and of its tape, who parked it and why', async () => {
    const store = openCopy();
    const parked = { kind: 'operator', reason: 'the repository moves', by: { kind: 'person', name: 'ada' } };
    expect((await store.session(sessionKey('parked')))?.row.parked).toEqual(parked);
    const tape = await store.tape(sessionKey('parked'), null, 0, 100);
    expect(tape.find(({ type }) => type === 'parked')?.data).toEqual(parked);
    await store.close();
  });

  it('keeps the order of each session, with an integer for each place and for each admission', async () => {
    const store = openCopy();
    const sessions = new Set(oldTasks.map(({ session }) => session));
    for (const session of sessions) {
      const old = served.tasks.filter((task) => task.session === session).map(({ row }) => row);
      const now = await Promise.all(old.map(async ({ id }) => (await store.task(taskId(id)))?.row));
      const rows = now.filter((row) => row !== undefined);
      const byPlace = rows.toSorted((a, b) => a.position - b.position).map(({ id }) => id);
      const wanted = old.toSorted((a, b) => a.ord - b.ord || (a.id < b.id ? -1 : 1));
      expect(byPlace).toEqual(wanted.map(({ id }) => id));
      expect(rows.map(({ admission }) => admission)).toEqual(rows.map((_, at) => at + 1));
      expect(rows.every(({ position }) => Number.isSafeInteger(position))).toBe(true);
    }
    await store.close();
  });

  it('lets its open tasks run to their end', async () => {
    const store = openCopy();
    const box = createSignalbox({
      store,
      agent: functionDriver(async function* (prompt) {
        yield `you said: ${prompt}`;
      }),
      runners: { waits: async ({ attempt }) => ({ attempt }) },
    });
    await box.ready;
    await box.unpark('parked');
    const ended: { [status: string]: number } = {};
    for (const { id, payload } of openTasks) {
      const task = await box.result(id);
      expectSound(task, await box.tape(task.session, id, 0, 10_000));
      ended[task.status] = (ended[task.status] ?? 0) + 1;
      expect(task.status, String(payload['prompt'])).toBe(task.reason === 'node_restarted' ? 'failed' : 'completed');
    }
    // One had been sent under `onLost: 'fail'`; the other with that policy had not started.
    expect(ended).toEqual({ completed: openTasks.length - 1, failed: 1 });
    await box.close();
  });

  it('still answers an idempotency key with its first task', async () => {
    const store = openCopy();
    for (const { id, payload } of oldTasks.filter((task) => task.payload['idempotencyKey'] !== null)) {
      expect(await store.taskByIdempotencyKey(String(payload['source']), String(payload['idempotencyKey']))).toBe(id);
    }
    await store.close();
  });
});
