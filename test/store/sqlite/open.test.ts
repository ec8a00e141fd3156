/** What a data folder may hold when a daemon starts. A file that is refused stays byte for byte as it was, and alone. */
import { createHash, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sessionKey, taskId } from '../../../src/core/model/ids.ts';
import { codeOf } from '../../../src/testing/store/api.ts';
import {
  admit,
  owner,
  sessionRecord,
  taskEvent,
  queuedEvent,
  progress,
  wholeTask,
} from '../../../src/testing/store/records.ts';
import { examineSqliteFile, openSqliteStore, type SqliteStore } from '../../../src/store/index.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-open-'));
  path = join(folder, 'data', 'signalbox.db');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Everything in the data folder, by name and content. */
const contents = (): string[] =>
  readdirSync(dirname(path))
    .sort()
    .map(
      (name) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(join(dirname(path), name)))
          .digest('hex')}`,
    );

async function refused(): Promise<string> {
  const before = contents();
  const code = await codeOf(() => openSqliteStore({ path }).close());
  expect(contents()).toEqual(before);
  // And a second try finds what the first one found.
  expect(await codeOf(() => openSqliteStore({ path }).close())).toBe(code);
  return code;
}

async function fill(store: SqliteStore, tasks: number): Promise<void> {
  const { commit } = await owner(store, 'a');
  await commit(sessionRecord(sessionKey('a')));
  for (let n = 0; n < tasks; n += 1) {
    await commit(...wholeTask(`t${n}`));
  }
}

/** A closed store with some tasks in it. */
async function made(tasks = 20): Promise<void> {
  const store = openSqliteStore({ path, durability: 'process' });
  await fill(store, tasks);
  store.close();
  for (const name of ['signalbox.db.lock']) {
    rmSync(join(dirname(path), name));
  }
}

/** What a daemon leaves that is killed: the file and its log as they are while it is open. */
async function killed(before: (store: SqliteStore) => void = () => {}): Promise<void> {
  const live = join(folder, 'live.db');
  const store = openSqliteStore({ path: live, durability: 'process' });
  await fill(store, 20);
  before(store);
  const { commit } = await owner(store, 'b');
  for (let n = 0; n < 60; n += 1) {
    await commit(admit(`b${n}`), taskEvent(`b${n}`, 1, queuedEvent));
  }
  mkdirSync(dirname(path));
  for (const suffix of ['', '-wal']) {
    copyFileSync(`${live}${suffix}`, `${path}${suffix}`);
  }
  store.close();
  const alone = join(folder, 'alone.db');
  renameSync(path, alone);
  using db = new DatabaseSync(alone);
  db.exec("UPDATE opener SET started = 'before the process that has this pid now'");
  db.close();
  renameSync(alone, path);
}

function patch(at: number, bytes: Uint8Array): void {
  const content = readFileSync(path);
  content.set(bytes, at);
  writeFileSync(path, content);
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

describe('a SQLite store', () => {
  test('is created where no file exists, is readable by its owner only, and leaves no log when it is closed', async () => {
    const store = openSqliteStore({ path });
    await fill(store, 1);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    for (const suffix of ['', '-wal', '-shm']) {
      expect(statSync(`${path}${suffix}`).mode & 0o077).toBe(0);
    }
    store.close();
    expect(readdirSync(dirname(path))).toEqual(['signalbox.db', 'signalbox.db.lock']);
  });

  test('treats an empty file as a missing one', async () => {
    mkdirSync(dirname(path));
    writeFileSync(path, '');
    const store = openSqliteStore({ path });
    await fill(store, 1);
    store.close();
    expect(await codeOf(() => openSqliteStore({ path }).close())).toBe('none');
  });

  test('removes the draft of a creation that was cut off', async () => {
    mkdirSync(dirname(path));
    writeFileSync(`${path}.new`, randomBytes(5_000));
    openSqliteStore({ path }).close();
    expect(existsSync(`${path}.new`)).toBe(false);
  });

  test('reads from its log what a killed daemon committed', async () => {
    await killed();
    const store = openSqliteStore({ path });
    expect(store.stats().tasks).toEqual({ queued: 60, running: 0, completed: 20, failed: 0, cancelled: 0 });
    store.close();
  });

  test('has all commits before the first torn one when the end of its log is torn', async () => {
    await killed();
    truncateSync(`${path}-wal`, statSync(`${path}-wal`).size - 2_000);
    const store = openSqliteStore({ path });
    const { tasks } = store.stats();
    expect(tasks.queued).toBe(59);
    expect(store.task(taskId('b58'))?.seq).toBe(1);
    store.close();
  });

  test('has every commit when a checkpoint was cut off after its first page', async () => {
    await killed();
    // The first page as the checkpoint would have written it: it counts pages that stand in the log alone.
    const whole = join(folder, 'whole.db');
    for (const suffix of ['', '-wal']) {
      copyFileSync(`${path}${suffix}`, `${whole}${suffix}`);
    }
    using db = new DatabaseSync(whole);
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    patch(0, readFileSync(whole).subarray(0, 4_096));
    expect(statSync(path).size).toBeLessThan(statSync(whole).size);
    const store = openSqliteStore({ path });
    expect(store.stats().tasks).toEqual({ queued: 60, running: 0, completed: 20, failed: 0, cancelled: 0 });
    store.close();
  });

  test('keeps its settings: every commit waits for the disk, or does not, as `durability` says', () => {
    for (const durability of ['power', 'process'] as const) {
      const store = openSqliteStore({ path: join(folder, durability, 'x.db'), durability });
      expect(store.settings()).toEqual({
        journal: 'wal',
        synchronous: durability === 'power' ? 2 : 1,
        checkpointPages: 10_000,
      });
      // A claim does not wait, and the next commit does again.
      store.claim(sessionKey('a'));
      expect(store.settings().synchronous).toBe(durability === 'power' ? 2 : 1);
      store.close();
    }
  });
});

describe('a SQLite store, without a change to the file,', () => {
  test('refuses a file with a newer schema', async () => {
    await made();
    patch(60, u32(2_000_000));
    expect(await refused()).toBe('store_newer');
  });

  test('refuses another program’s database', async () => {
    mkdirSync(dirname(path));
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE theirs (a); INSERT INTO theirs VALUES ('precious')");
    db.close();
    expect(await refused()).toBe('store_foreign');
  });

  test.each([
    ['text', Buffer.from('This is a diary, not a database.\n'.repeat(300))],
    ['random bytes', randomBytes(8_192)],
    ['a few bytes', Buffer.from('SQLite format 3\0')],
    ['zeros', Buffer.alloc(40_960)],
  ])('refuses a file of %s', async (_, content) => {
    mkdirSync(dirname(path));
    writeFileSync(path, content);
    expect(await refused()).toBe('store_damaged');
  });

  test.each([
    ['a garbage page size', 16, Buffer.from([0x12, 0x34])],
    ['garbage payload fractions', 21, Buffer.from([1, 2, 3])],
    ['a garbage first page', 100, randomBytes(2_000)],
    ['a garbage page in the middle', 5 * 4_096, randomBytes(4_096)],
  ])('refuses a file with %s', async (_, at, bytes) => {
    await made();
    patch(at, bytes);
    expect(await refused()).toBe('store_damaged');
  });

  test('refuses a file with a garbage page in the middle, also when a log exists', async () => {
    await killed((store) => store.checkpoint());
    patch(6 * 4_096, randomBytes(4_096));
    expect(await refused()).toBe('store_damaged');
  });

  test.each([1, 4_096, 20_000])('refuses a file that has lost its last %d bytes', async (lost) => {
    await made();
    truncateSync(path, statSync(path).size - lost);
    expect(await refused()).toBe('store_damaged');
  });

  test('refuses a large file that has lost pages which its log no longer holds', async () => {
    await killed((store) => {
      const session = sessionKey('big');
      const { lease } = store.claim(session);
      const records = [admit('big'), taskEvent('big', 1, progress('x'.repeat(6_000_000)))];
      store.commit([{ session, lease, records }]);
      store.checkpoint();
    });
    truncateSync(path, statSync(path).size - 1_000_000);
    expect(await refused()).toBe('store_damaged');
  });

  test('refuses a large file that has lost its end', async () => {
    await made();
    using db = new DatabaseSync(path);
    db.exec('CREATE TABLE big (a); INSERT INTO big VALUES (zeroblob(6000000)); PRAGMA wal_checkpoint(TRUNCATE)');
    db.close();
    truncateSync(path, statSync(path).size - 4_096);
    expect(await refused()).toBe('store_damaged');
  });

  test('refuses a log whose file is missing', async () => {
    await killed();
    rmSync(path);
    expect(await refused()).toBe('store_damaged');
  });

  test('refuses a folder in the place of the file', async () => {
    mkdirSync(path, { recursive: true });
    const code = await codeOf(() => openSqliteStore({ path }).close());
    expect(code).toBe('store_failed');
    expect(readdirSync(dirname(path))).toEqual(['signalbox.db']);
  });

  test('refuses a data folder that cannot be created', async () => {
    writeFileSync(dirname(path), 'a file');
    expect(await codeOf(() => openSqliteStore({ path }).close())).toBe('store_failed');
    expect(readFileSync(dirname(path), 'utf8')).toBe('a file');
  });
});

describe('a file that cannot be read', () => {
  // Root may read anything, so this says what it can only where the mode means something.
  test.runIf(process.getuid?.() !== 0)('is refused', async () => {
    await made();
    chmodSync(path, 0);
    expect(await codeOf(() => openSqliteStore({ path }).close())).toBe('store_failed');
  });
});

describe('the examination of a file', () => {
  test('finds nothing in a sound file, also while its daemon runs, and finds the damage in a damaged one', async () => {
    const store = openSqliteStore({ path, durability: 'process' });
    await fill(store, 50);
    expect(examineSqliteFile(path)).toEqual([]);
    store.close();
    expect(examineSqliteFile(path)).toEqual([]);
    patch(5 * 4_096, randomBytes(4_096));
    expect(examineSqliteFile(path).length).toBeGreaterThan(0);
    appendFileSync(path, 'x');
    rmSync(path);
    expect(examineSqliteFile(path).length).toBe(1);
  });
});
