/** The store between processes: one daemon per file, kills at every fault point, a full disk. Real processes, real files. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sessionKey, taskId } from '../../../src/core/model/ids.ts';
import { admit, end, owner, taskEvent } from '../../../src/testing/store/records.ts';
import { openSqliteStore, storeFaultPoints } from '../../../src/store/index.ts';
import { codeOf } from '../../../src/testing/store/api.ts';
import { root } from '../../tidy/files.ts';

const fixture = (name: string): string => join(root, 'test/store/fixtures', name);

let folder: string;
let path: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-processes-'));
  path = join(folder, 'signalbox.db');
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    await kill(child);
  }
  rmSync(folder, { recursive: true, force: true });
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

interface Holder {
  readonly child: ChildProcess;
  readonly said: string;
}

async function startHolder(at = path): Promise<Holder> {
  const child = spawn(process.execPath, [fixture('holder.ts'), at], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  for await (const said of createInterface({ input: child.stdout })) {
    return { child, said };
  }
  throw new Error('the holder said nothing');
}

describe('the lock of a database', () => {
  test('U3 refuses a second daemon and names the first, and admits the next one however the first has ended', async () => {
    const first = await startHolder();
    expect(first.said).toBe('open');
    const second = await startHolder();
    expect(second.said).toBe(`store_locked another daemon has ${path} open (pid ${first.child.pid})`);
    await kill(first.child);
    const third = await startHolder();
    expect(third.said).toBe('open');
    const exited = once(third.child, 'exit');
    third.child.stdin?.end();
    await exited;
    expect(existsSync(`${path}.pid`)).toBe(false);
    openSqliteStore({ path }).close();
  });

  test('admits exactly one of several daemons that start at the same time', async () => {
    for (let round = 0; round < 3; round += 1) {
      const holders = await Promise.all(Array.from({ length: 4 }, async () => startHolder()));
      const open = holders.filter(({ said }) => said === 'open');
      expect(open.length).toBe(1);
      const refused = holders.filter(({ said }) => said.startsWith(`store_locked another daemon has ${path} open`));
      expect(refused.length).toBe(3);
      await kill(open[0]?.child ?? (holders[0] as Holder).child);
    }
  });

  test('refuses a second store of the same process too, and a refusal does not release it', async () => {
    const store = openSqliteStore({ path });
    expect(await codeOf(() => openSqliteStore({ path }).close())).toBe('store_locked');
    expect((await startHolder()).said).toBe(`store_locked another daemon has ${path} open (pid ${process.pid})`);
    expect(await codeOf(() => openSqliteStore({ path }).close())).toBe('store_locked');
    store.close();
    openSqliteStore({ path }).close();
  });

  describe('W05 refuses the same database under another name, and names the first', () => {
    const inOther = (): string => {
      mkdirSync(join(folder, 'other'));
      return join(folder, 'other', 'signalbox.db');
    };

    test.each<[string, () => string]>([
      [
        'a hard link',
        () => {
          const other = inOther();
          linkSync(path, other);
          return other;
        },
      ],
      [
        'a symbolic link to the file',
        () => {
          const other = inOther();
          symlinkSync(path, other);
          return other;
        },
      ],
      [
        'a symbolic link to the folder',
        () => {
          symlinkSync(folder, join(folder, 'link'));
          return join(folder, 'link', 'signalbox.db');
        },
      ],
      [
        'a deleted lock file',
        () => {
          rmSync(`${path}.lock`);
          rmSync(`${path}.pid`);
          return path;
        },
      ],
      [
        'a copied folder',
        () => {
          const other = inOther();
          for (const name of readdirSync(folder).filter((one) => one.startsWith('signalbox.db'))) {
            copyFileSync(join(folder, name), join(other, '..', name));
          }
          return other;
        },
      ],
    ])('%s', async (_, other) => {
      const first = await startHolder();
      const at = other();
      const before = readdirSync(join(at, '..')).toSorted();
      const second = await startHolder(at);
      expect(second.said).toMatch(/^store_locked .*another daemon has/);
      expect(second.said).toContain(`open (pid ${first.child.pid})`);
      expect(readdirSync(join(at, '..')).filter((name) => !before.includes(name))).toEqual([]);
      await kill(first.child);
      expect((await startHolder(at)).said).toBe('open');
    });

    // As root, or as a user who may be root of a namespace.
    const namespace = [['--mount'], ['--mount', '--map-root-user']].find(
      (flags) => spawnSync('unshare', [...flags, 'mount', '--bind', tmpdir(), tmpdir()]).status === 0,
    );
    test.skipIf(namespace === undefined)('a bind mount (skipped where this user may not mount)', async () => {
      const first = await startHolder();
      const other = join(inOther(), '..');
      const child = spawn(
        'unshare',
        [
          ...(namespace ?? []),
          'sh',
          '-c',
          'mount --bind "$1" "$2" && exec "$3" "$4" "$2/signalbox.db"',
          'sh',
          folder,
          other,
          process.execPath,
          fixture('holder.ts'),
        ],
        { stdio: ['pipe', 'pipe', 'inherit'] },
      );
      children.push(child);
      for await (const said of createInterface({ input: child.stdout })) {
        expect(said).toBe(`store_locked another daemon has ${other}/signalbox.db open (pid ${first.child.pid})`);
        return;
      }
      throw new Error('the second said nothing');
    });

    test('of many that start at once by hard links exactly one opens it', async () => {
      openSqliteStore({ path }).close();
      const names = Array.from({ length: 4 }, (_, n) => {
        mkdirSync(join(folder, `n${n}`));
        const name = join(folder, `n${n}`, 'signalbox.db');
        linkSync(path, name);
        return name;
      });
      const said = await Promise.all(names.map(async (name) => (await startHolder(name)).said));
      expect(said.filter((one) => one === 'open')).toHaveLength(1);
    });
  });

  test('does not block a start when the pid file names another process, or contains nonsense', () => {
    for (const content of [`${process.pid}\n`, '1\n', 'nonsense', '']) {
      writeFileSync(`${path}.pid`, content);
      openSqliteStore({ path }).close();
    }
  });

  test('U3 does not stop a foreign writer, but the store notices it: it reads its rows again, and fences its commits', async () => {
    const store = openSqliteStore({ path });
    const a = await owner(store, 'a');
    const b = await owner(store, 'b');
    await a.commit(admit('t1'), taskEvent('t1', 1));
    await b.commit(admit('t2'), taskEvent('t2', 1));
    using other = new DatabaseSync(path);
    other.exec(`
      UPDATE sessions SET lease = lease + 1 WHERE key = 'a';
      INSERT INTO events SELECT n, 2, 1, 'output', NULL FROM tasks WHERE id = 't2'`);
    expect(await a.commit(taskEvent('t1', 2))).toEqual({ kind: 'fenced' });
    expect(await codeOf(() => b.commit(taskEvent('t2', 2)))).toBe('tape_conflict');
    expect((await b.commit(taskEvent('t2', 3)))?.kind).toBe('committed');
    store.close();
  });
});

describe('T09 a kill in a commit', () => {
  test.each(storeFaultPoints)('at %s leaves the whole commit or nothing', async (point) => {
    const run = spawnSync(process.execPath, [fixture('striker.ts'), path, point], { encoding: 'utf8' });
    expect([run.signal, run.stdout]).toEqual(['SIGKILL', 't1\n']);
    const store = openSqliteStore({ path });
    const tapes = ['t1', 't2'].map((id) => store.tape(sessionKey('a'), taskId(id), 0, 9).map((event) => event.type));
    const whole = ['queued', 'granted', 'final'];
    expect(tapes).toEqual([whole, point === 'store.after-commit' ? whole : []]);
    expect(store.task(taskId('t2'))?.status).toBe(point === 'store.after-commit' ? 'completed' : undefined);
    const { commit } = await owner(store, 'a');
    expect((await commit(admit('t3'), end('t3', 1)))?.kind).toBe('committed');
    store.close();
  });
});

describe('a full disk', () => {
  test('fails the commit, writes nothing of it, and loses nothing that was acknowledged', () => {
    // Files of this process and its children may not grow beyond 4 MiB; Node ignores the signal and gets the error.
    const script = 'ulimit -f "$1" && exec "$2" "$3" "$4"';
    const args = ['-c', script, 'bash', '4096', process.execPath, fixture('filler.ts'), path];
    const run = spawnSync('bash', args, { encoding: 'utf8' });
    expect(run.stderr).toBe('');
    const said = JSON.parse(run.stdout) as { told: unknown; acknowledged: number; stored: number; after: string };
    expect(said.told).toEqual({ code: 'store_failed', retryable: true });
    expect(said.acknowledged).toBeGreaterThan(10);
    expect(said.stored).toBe(said.acknowledged);
    expect(['committed', 'store_failed']).toContain(said.after);
    const store = openSqliteStore({ path });
    const events = said.acknowledged + (said.after === 'committed' ? 1 : 0);
    expect(store.stats().events).toBe(events);
    expect(store.task(taskId('t1'))?.seq).toBe(events);
    store.close();
  });
});

describe('W05 a store whose file was', () => {
  test.each<[string, () => void]>([
    ['deleted', () => rmSync(path)],
    ['truncated', () => truncateSync(path, 4096)],
    ['overwritten in its place', () => writeFileSync(path, Buffer.alloc(statSync(path).size + 4096, 'x'))],
    [
      'replaced by a copy',
      () => {
        copyFileSync(path, `${path}.copy`);
        renameSync(`${path}.copy`, path);
      },
    ],
    ['robbed of its log', () => rmSync(`${path}-wal`)],
    ['moved with its folder', () => renameSync(folder, `${folder}-moved`)],
  ])('%s refuses every write from then on, and what was stored can be read', async (_, spoil) => {
    const store = openSqliteStore({ path });
    const a = await owner(store, 'a');
    await a.commit(admit('t1'), taskEvent('t1', 1));
    spoil();
    try {
      expect(await codeOf(() => store.probe(false))).toBe('store_replaced');
      expect(await codeOf(() => a.commit(admit('t2'), taskEvent('t2', 1)))).toBe('store_replaced');
      expect(await codeOf(() => store.claim(sessionKey('b')))).toBe('store_replaced');
      expect([store.task(taskId('t1'))?.seq, store.task(taskId('t2'))]).toEqual([1, null]);
      store.close();
    } finally {
      rmSync(`${folder}-moved`, { recursive: true, force: true });
    }
  });

  test('looked at for writes is really written to, and says what it said', async () => {
    const store = openSqliteStore({ path });
    const a = await owner(store, 'a');
    await a.commit(admit('t1'), taskEvent('t1', 1));
    const openerRow = (): unknown => {
      using db = new DatabaseSync(path, { readOnly: true });
      return { ...db.prepare('SELECT * FROM opener').get() };
    };
    const before = { size: statSync(`${path}-wal`).size, row: openerRow() };
    store.probe(true);
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(before.size);
    expect(openerRow()).toEqual(before.row);
    expect(before.row).toMatchObject({ pid: process.pid });
    store.close();
  });

  test('moved away accepts writes again when it is back', async () => {
    const store = openSqliteStore({ path });
    const a = await owner(store, 'a');
    renameSync(folder, `${folder}-moved`);
    expect(await codeOf(() => a.commit(admit('t1'), taskEvent('t1', 1)))).toBe('store_replaced');
    renameSync(`${folder}-moved`, folder);
    await a.commit(admit('t1'), taskEvent('t1', 1));
    store.close();
    const again = openSqliteStore({ path });
    expect(again.task(taskId('t1'))?.seq).toBe(1);
    again.close();
  });

  test('replaced by another database leaves that one as it is when it is closed', () => {
    const store = openSqliteStore({ path });
    renameSync(path, `${path}.old`);
    writeFileSync(path, 'another');
    writeFileSync(`${path}-wal`, 'its log');
    store.close();
    expect(readFileSync(`${path}-wal`, 'utf8')).toBe('its log');
  });
});
