/** The store between processes: one daemon per file, kills at every fault point, a full disk. Real processes, real files. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

async function startHolder(): Promise<Holder> {
  const child = spawn(process.execPath, [fixture('holder.ts'), path], { stdio: ['pipe', 'pipe', 'inherit'] });
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
      const holders = await Promise.all(Array.from({ length: 4 }, startHolder));
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
