/** Working folders: real folders, real lock files, real processes. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scriptedDriver } from '../../src/agents/index.ts';
import { sessionKey } from '../../src/core/model/ids.ts';
import { folderOwner, ForeignLocks, lockFolder } from '../../src/runtime/workspace/folder-lock.ts';
import { AgentPool, type PoolClaim } from '../../src/runtime/agent/pool.ts';
import { defaultLimits } from '../../src/runtime/options.ts';
import { folderName, Workspaces } from '../../src/runtime/workspace/workspaces.ts';
import { processInfo } from '../../src/supervise/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type Box, openBox } from '../support/box.ts';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-work-')));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const here = new ForeignLocks(() => performance.now());

const lockOf = (folder: string): string => join(dirname(folder), `.${basename(folder)}.signalbox-lock`);

/** Claims of a pool in which nothing but folders is scarce, unless `maxAgents` is small. */
function poolOf(workspaces: Workspaces, clock = new ManualClock(), { maxAgents } = { maxAgents: 100 }) {
  const pool = new AgentPool({ limits: { ...defaultLimits, maxAgents, maxStarting: 100 }, clock, workspaces });
  /** Everything that happened to a claim, in order. */
  const claim = (session: string) => {
    const log: string[] = [];
    const one: PoolClaim = pool.claim({
      session: sessionKey(session),
      needsFolder: true,
      task: () => null,
      granted: (folder) => void log.push(`granted ${basename(folder ?? '')}`),
      waits: (wait) => void log.push(wait.for === 'folder' ? `blocked by ${wait.owner}` : wait.for),
      failed: (error) => {
        log.push(`failed ${String(error)}`);
        one.release();
      },
      asked: (what) => void log.push(what),
    });
    one.open(false);
    return Object.assign(one, { log });
  };
  return { pool, claim };
}

describe('the folder of a session', () => {
  it('workspaces/3: is not made where the data folder was moved away, and is when that is back', () => {
    const data = join(root, 'data');
    mkdirSync(data);
    const workspaces = new Workspaces({ root: join(data, 'workspaces') });
    const folder = workspaces.nameOf(sessionKey('a'));
    renameSync(data, `${data}-moved`);
    expect(() => workspaces.take(folder, sessionKey('a'))).toThrow('was removed or moved');
    expect(existsSync(data)).toBe(false);
    renameSync(`${data}-moved`, data);
    const lock = workspaces.take(folder, sessionKey('a'));
    expect([existsSync(folder), 'pid' in lock]).toEqual([true, false]);
  });

  it('belongs to one session, with a readable name that no other key has', () => {
    const places = new Workspaces({ root });
    const names = ['github:acme/app', 'github:acme/App', 'github:acme-app', 'x'.repeat(200), '🚂', '..'].map((key) =>
      folderName(key),
    );
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) {
      expect(name).toMatch(/^[a-z0-9-]{1,60}$/);
    }
    expect(names[0]).toMatch(/^github-acme-app-[0-9a-f]{10}$/);
    expect(places.folderOf('github:acme/app')).toBe(join(root, names[0] ?? ''));
  });

  it('is the one of the first rule that fits', () => {
    const rules = [
      { session: 'github:acme/app', folder: '/srv/app' },
      { session: 'github:acme/*', folder: '/srv/acme/{session}' },
      { session: '*.test', folder: '/srv/test' },
    ];
    const places = new Workspaces({ root, rules });
    expect(places.folderOf('github:acme/app')).toBe('/srv/app');
    expect(places.folderOf('github:acme/other')).toBe(`/srv/acme/${folderName('github:acme/other')}`);
    expect(places.folderOf('a.test')).toBe('/srv/test');
    expect(places.folderOf('axtest')).toBe(join(root, folderName('axtest')));
  });

  it('workspaces/3: is readable by its owner only when it is created, and unchanged when it exists', () => {
    const open = join(root, 'open');
    mkdirSync(open, { mode: 0o755 });
    const rules = [{ session: 'open', folder: open }];
    const places = new Workspaces({ root: join(root, 'deep', 'er'), rules });
    const { claim } = poolOf(places);
    for (const session of ['open', 'made']) {
      claim(session);
    }
    expect(statSync(places.folderOf('made')).mode & 0o777).toBe(0o700);
    expect(statSync(join(root, 'deep')).mode & 0o777).toBe(0o700);
    expect(statSync(open).mode & 0o777).toBe(0o755);
  });

  it('is refused when it is the root of the file system, or cannot be created', () => {
    const rules = [
      { session: 'root', folder: '/' },
      { session: 'proc', folder: '/proc/signalbox/folder' },
    ];
    const { claim, pool } = poolOf(new Workspaces({ root, rules }));
    for (const session of ['root', 'proc']) {
      expect(claim(session).log).toEqual([expect.stringMatching(/^failed /)]);
    }
    expect(pool.running).toBe(0);
  });

  it('pool/2: is not made for a session that waits for a slot', () => {
    const workspaces = new Workspaces({ root });
    const clock = new ManualClock();
    const pool = new AgentPool({ limits: { ...defaultLimits, maxAgents: 1 }, clock, workspaces });
    const claims = ['one', 'two'].map((session) => {
      const nothing = (): void => {};
      const owner = {
        needsFolder: true,
        task: () => null,
        granted: nothing,
        waits: nothing,
        failed: nothing,
        asked: nothing,
      };
      const claim = pool.claim({ session: sessionKey(session), ...owner });
      claim.open(false);
      return claim;
    });
    expect(readdirSync(root).filter((name) => !name.startsWith('.'))).toEqual([folderName('one')]);
    claims[0]?.release();
    expect(readdirSync(root).toSorted()).toEqual(
      [`.${folderName('two')}.signalbox-lock`, folderName('one'), folderName('two')].toSorted(),
    );
  });
});

describe('a folder of two sessions', () => {
  const shared = () => poolOf(new Workspaces({ root, rules: [{ session: '*', folder: join(root, 'shared') }] }));

  it('belongs to the first; the second waits, sees who has it, and gets it when it is free', () => {
    const { claim } = shared();
    const [first, second, third] = [claim('one'), claim('two'), claim('three')];
    expect([first.log, second.log, third.log]).toEqual([
      ['granted shared'],
      ['blocked by session one'],
      ['blocked by session one'],
    ]);
    second.release();
    first.release();
    expect(second.log).toHaveLength(1);
    expect(third.log.at(-1)).toBe('granted shared');
    third.release();
    third.release();
    expect(readdirSync(root)).toEqual(['shared']);
  });

  it('is asked for only while its owner is idle', () => {
    const { claim } = shared();
    const first = claim('one');
    claim('two');
    expect(first.log).toEqual(['granted shared']);
    first.uses('idle', 1);
    expect(first.log).toEqual(['granted shared', 'make-room']);
    first.uses('background', 2);
    first.declined();
    claim('three');
    expect(first.log).toHaveLength(2);
  });

  it('workspaces/1: is the same folder under any name: a link, or a path with dots', () => {
    mkdirSync(join(root, 'real'));
    symlinkSync(join(root, 'real'), join(root, 'link'));
    const rules = [
      { session: 'one', folder: join(root, 'real', 'below') },
      { session: 'two', folder: join(root, 'link', 'below') },
      { session: 'three', folder: `${root}/real/../real/below` },
    ];
    const { claim } = poolOf(new Workspaces({ root, rules }));
    claim('one');
    expect([claim('two').log, claim('three').log]).toEqual([['blocked by session one'], ['blocked by session one']]);
  });
});

describe('a folder that another process has', () => {
  const sleeper = (): Promise<{ readonly pid: number; end(): Promise<void> }> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, ['-e', "console.log('up');setInterval(() => {}, 1000)"]);
      const gone = new Promise<void>((over) => child.once('exit', () => over()));
      child.stdout.once('data', () => resolve({ pid: child.pid ?? 0, end: () => (child.kill('SIGKILL'), gone) }));
    });

  it('is waited for, with the name of its owner, and is free when that process has ended in any way', async () => {
    const other = await sleeper();
    const clock = new ManualClock();
    const places = new Workspaces({ root, clock, random: () => 0 });
    const folder = places.folderOf('one');
    mkdirSync(folder);
    const holder = { pid: other.pid, startTime: processInfo(other.pid)?.startTime ?? '', session: 'theirs' };
    writeFileSync(lockOf(folder), JSON.stringify(holder));
    const { claim } = poolOf(places, clock);
    const given = claim('one');
    expect(given.log).toEqual([`blocked by session theirs of process ${other.pid}`]);
    given.release();
    expect(clock.armed).toBe(0);
    const one = claim('one');
    clock.advance(60_000);
    expect(one.log).toHaveLength(1);
    await other.end();
    clock.advance(60_000);
    expect(one.log.at(-1)).toMatch(/^granted /);
    one.release();
    expect(existsSync(lockOf(folder))).toBe(false);
    expect(clock.armed).toBe(0);
  });

  it('pool/2: is left unlocked while its session waits for a slot, and another process may take it again', async () => {
    const other = await sleeper();
    const clock = new ManualClock();
    const rules = [{ session: 'other *', folder: join(root, 'theirs') }];
    const places = new Workspaces({ root, rules, clock, random: () => 0 });
    const lock = lockOf(places.folderOf('other one'));
    const theirs = JSON.stringify({
      pid: other.pid,
      startTime: processInfo(other.pid)?.startTime ?? '',
      session: 'theirs',
    });
    writeFileSync(lock, theirs);
    const { claim } = poolOf(places, clock, { maxAgents: 1 });
    const busy = claim('busy');
    const one = claim('other one');
    const two = claim('other two');
    rmSync(lock);
    clock.advance(60_000);
    expect(existsSync(lock)).toBe(false);
    // The second one waits for the first.
    const blocked = `blocked by session theirs of process ${other.pid}`;
    expect([one.log, two.log]).toEqual([[blocked, 'slot'], [blocked]]);
    writeFileSync(lock, theirs);
    busy.release();
    expect(one.log).toEqual([blocked, 'slot', blocked]);
    rmSync(lock);
    clock.advance(60_000);
    expect(one.log.at(-1)).toBe('granted theirs');
    expect(existsSync(lock)).toBe(true);
    await other.end();
  });

  it('goes back to the line when another process takes it before the agent is started', async () => {
    const other = await sleeper();
    const clock = new ManualClock();
    const places = new Workspaces({ root, clock, random: () => 0 });
    const pool = new AgentPool({ limits: { ...defaultLimits, maxAgents: 1 }, clock, workspaces: places });
    const log: string[] = [];
    const claim = (session: string): PoolClaim => {
      const one = pool.claim({
        session: sessionKey(session),
        needsFolder: true,
        task: () => null,
        granted: () => void log.push(`${session} granted`),
        waits: (wait) => void log.push(`${session} waits for ${wait.for}`),
        failed: () => {},
        asked: () => {},
      });
      one.open(false);
      return one;
    };
    const first = claim('first');
    const second = claim('second');
    claim('third');
    const folder = places.folderOf('second');
    mkdirSync(folder);
    const holder = { pid: other.pid, startTime: processInfo(other.pid)?.startTime ?? '', session: 'theirs' };
    writeFileSync(lockOf(folder), JSON.stringify(holder));
    first.release();
    expect(log).toEqual([
      'first granted',
      'second waits for slot',
      'third waits for slot',
      'third granted',
      'second waits for folder',
    ]);
    expect(second.wait).toMatchObject({ for: 'folder', owner: `session theirs of process ${other.pid}` });
    await other.end();
  });

  it('is free when another process has the number of the owner now', () => {
    const folder = join(root, 'one');
    mkdirSync(folder);
    writeFileSync(lockOf(folder), JSON.stringify({ pid: process.pid, startTime: '1', session: 'long gone' }));
    const lock = lockFolder(
      folder,
      {
        pid: process.pid,
        startTime: processInfo(process.pid)?.startTime ?? '',
        session: 'one',
      },
      here,
    );
    expect(lock).toHaveProperty('release');
    expect(readdirSync(root).toSorted()).toEqual(['.one.signalbox-lock', 'one']);
  });

  it('is not taken by a file that its agent has put into it', () => {
    const folder = join(root, 'planted');
    mkdirSync(folder);
    const living = { pid: process.ppid, startTime: processInfo(process.ppid)?.startTime ?? '', session: 'nobody' };
    writeFileSync(join(folder, '.signalbox-lock'), JSON.stringify(living));
    const mine = { pid: process.pid, startTime: processInfo(process.pid)?.startTime ?? '', session: 'one' };
    expect(lockFolder(folder, mine, here)).toHaveProperty('release');
  });

  it('is locked elsewhere where nothing may be written beside it', () => {
    const parent = mkdtempSync(join(root, 'closed-'));
    // Root may write into any folder, but not into that of the kernel.
    const folder = process.getuid?.() === 0 ? '/sys/kernel' : join(parent, 'one');
    if (process.getuid?.() !== 0) {
      mkdirSync(folder);
      chmodSync(parent, 0o555);
    }
    try {
      const mine = { pid: process.pid, startTime: processInfo(process.pid)?.startTime ?? '', session: 'one' };
      const lock = lockFolder(folder, mine, here);
      assert.ok('release' in lock);
      expect([lockFolder(folder, { ...mine, session: 'two' }, here), folderOwner(folder, here)]).toEqual([mine, mine]);
      lock.release();
      expect(folderOwner(folder, here)).toBe(null);
    } finally {
      chmodSync(parent, 0o755);
    }
  });

  it('is not confused by a lock that is half a file, empty, or a folder', () => {
    const mine = { pid: process.pid, startTime: processInfo(process.pid)?.startTime ?? '', session: 'one' };
    for (const put of [
      (path: string) => writeFileSync(path, '{"pid":'),
      (path: string) => writeFileSync(path, ''),
      (path: string) => mkdirSync(path),
    ]) {
      const folder = mkdtempSync(join(root, 'odd-'));
      put(lockOf(folder));
      const lock = lockFolder(folder, mine, here);
      expect(lock).toHaveProperty('release');
      if ('release' in lock) {
        lock.release();
      }
    }
  });

  /** Processes that have loaded the lock and wait for `go`; `body` may use `folder`, `lockFolder` and `mine(session)`. */
  async function racers(count: number, folder: string, body: string): Promise<readonly string[]> {
    const url = (path: string): string => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);
    const source = `
      import { closeSync, openSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
      import { ForeignLocks, lockFolder } from ${url('runtime/workspace/folder-lock.ts')};
      import { processInfo } from ${url('supervise/index.ts')};
      const folder = ${JSON.stringify(folder)};
      const { startTime } = processInfo(process.pid);
      const here = new ForeignLocks(() => performance.now());
      const mine = (session) => ({ pid: process.pid, startTime, session });
      process.stdin.once('data', () => {${body}});
      console.log('ready');
      process.stdin.on('end', () => process.exit());
    `;
    const children = Array.from({ length: count }, () =>
      spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', source], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    );
    const says = (child: (typeof children)[number], word: RegExp): Promise<string> =>
      new Promise((resolve) => {
        let text = '';
        const read = (part: Buffer): void => {
          text += part.toString();
          if (!word.test(text)) {
            return;
          }
          child.stdout.off('data', read);
          resolve(text);
        };
        child.stdout.on('data', read);
      });
    await Promise.all(children.map((child) => says(child, /ready/)));
    const verdicts = children.map((child) => says(child, /verdict: .*\n/));
    for (const child of children) {
      child.stdin.write('go\n');
    }
    const said = await Promise.all(verdicts);
    await Promise.all(
      children.map((child) => {
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.stdin.end();
        return gone;
      }),
    );
    return said.map((text) => /verdict: (.*)\n/.exec(text)?.[1] ?? '');
  }

  it('goes to exactly one of a dozen processes that want it at once', async () => {
    const folder = join(root, 'wanted');
    mkdirSync(folder);
    // A dead one's lock stands there, so that all have to take it away first.
    writeFileSync(lockOf(folder), JSON.stringify({ pid: process.pid, startTime: '1', session: 'dead' }));
    const body = `console.log('verdict: ' + ('release' in lockFolder(folder, mine('s'), here) ? 'got' : 'not'));`;
    const verdicts = await racers(12, folder, body);
    expect(verdicts.filter((verdict) => verdict === 'got')).toHaveLength(1);
    expect(readdirSync(root).toSorted()).toEqual(['.wanted.signalbox-lock', 'wanted']);
  });

  it('never has two owners, however often the lock of a dead one is taken over', async () => {
    const folder = join(root, 'fought-for');
    mkdirSync(folder);
    // Each holder leaves its lock behind, as somebody's who is dead.
    const verdicts = await racers(
      8,
      folder,
      `
        let verdict = 'alone';
        for (let round = 0; round < 200; ) {
          if (!('release' in lockFolder(folder, mine('round ' + round), here))) continue;
          try {
            closeSync(openSync(folder + '/held', 'wx'));
            unlinkSync(folder + '/held');
          } catch (error) {
            verdict = String(error);
          }
          round += 1;
          const dead = folder + '/' + process.pid;
          writeFileSync(dead, JSON.stringify({ pid: process.pid, startTime: 'gone', session: String(round) }));
          renameSync(dead, ${JSON.stringify(lockOf(folder))});
        }
        console.log('verdict: ' + verdict);
      `,
    );
    expect(new Set(verdicts)).toEqual(new Set(['alone']));
    expect(readdirSync(root).toSorted()).toEqual(['.fought-for.signalbox-lock', 'fought-for']);
  });
});

describe('a folder in the runtime', () => {
  const agent = scriptedDriver({ chunkMs: 0 });
  const sessionEvents = async (one: Box, session: string, type: string): Promise<unknown[]> =>
    (await one.box.tape(session, null, 0, 1_000)).filter((event) => event.type === type).map(({ data }) => data);

  it('is where the agent of its session starts, is locked while the agent lives, and is free afterwards', async () => {
    const workspaces = new Workspaces({ root });
    await using one = await openBox({ agent, workspaces });
    const task = await one.send({ session: 'a', prompt: '[[tool:Bash:pwd]] [[text:x]]' });
    await one.ended(task);
    const folder = workspaces.folderOf('a');
    const [pid] = (await one.box.store.processes()).map((row) => row.pid);
    expect(realpathSync(`/proc/${pid}/cwd`)).toBe(folder);
    expect(existsSync(lockOf(folder))).toBe(true);
    await one.box.close({ graceMs: 0 });
    expect(existsSync(lockOf(folder))).toBe(false);
    expect(existsSync(folder)).toBe(true);
  });

  it('is used by two sessions in turn: the tape names the owner, no attempt is lost, and they never run together', async () => {
    const workspaces = new Workspaces({ root, rules: [{ session: '*', folder: join(root, 'shared') }] });
    await using one = await openBox({ agent, workspaces });
    const first = await one.send({ session: 'a', prompt: '[[forever:5]]' });
    await one.event(first, 'turn-started');
    const second = await one.send({ session: 'b', prompt: '[[text:mine]]', maxAttempts: 1 });
    const third = await one.send({ session: 'c', prompt: '[[text:too]]', maxAttempts: 1 });
    expect(await sessionEvents(one, 'b', 'throttled')).toMatchObject([{ reason: 'folder_in_use', level: 'all' }]);
    const explained = await one.box.explain(second);
    expect(explained?.summary).toContain(`folder_in_use): ${join(root, 'shared')} is used by session a`);
    expect((await one.box.store.processes()).map((row) => String(row.session))).toEqual(['a']);
    await one.box.cancel(first);
    expect(await one.ended(second)).toMatchObject({ status: 'completed', row: { attempts: 1 } });
    expect(await one.ended(third)).toMatchObject({ status: 'completed', row: { attempts: 1 } });
    expect(await sessionEvents(one, 'b', 'unthrottled')).toHaveLength(1);
  });

  it('S09: that cannot be created stops its session, and no other', async () => {
    writeFileSync(join(root, 'file'), '');
    const workspaces = new Workspaces({ root, rules: [{ session: 'bad', folder: join(root, 'file', 'below') }] });
    await using one = await openBox({ agent, workspaces });
    const bad = await one.send({ session: 'bad', maxAttempts: 1 });
    await one.event(bad, 'attempt-retried');
    expect((await one.box.task(bad))?.endedAt).toBeNull();
    expect((await sessionEvents(one, 'bad', 'agent-exited')).slice(0, 1)).toMatchObject([
      { reason: 'spawn_failed', data: { message: expect.stringContaining(join(root, 'file')) } },
    ]);
    expect(await one.ended(await one.send({ session: 'good' }))).toMatchObject({ status: 'completed' });
  });
});

describe('a folder that other containers and machines see', () => {
  const rules = [{ session: '*', folder: '' }];
  const placeOf = (name: string, clock: ManualClock): Workspaces =>
    new Workspaces({
      root,
      rules: rules.map((rule) => ({ ...rule, folder: join(root, 'shared') })),
      clock,
      random: () => 0,
      others: new ForeignLocks(() => clock.now(), `boot ${name}`, name),
    });
  const session = sessionKey('one');

  it("folder-lock/4: is its owner's as long as that renews the lock, and free when it has been silent for its time", () => {
    const [clock, otherClock] = [new ManualClock(), new ManualClock()];
    const [near, far] = [placeOf('near', clock), placeOf('far', otherClock)];
    const folder = near.nameOf(session);
    expect('pid' in near.take(folder, session)).toBe(false);
    const owner = far.take(folder, session);
    assert('pid' in owner);
    expect(far.describe(owner)).toBe(
      `session one of process ${process.pid} in another container or machine (near), until it has not renewed its lock for 60 s`,
    );
    let got: string | null = null;
    far.waitFor(folder, session, (lock) => {
      got = lock === null ? 'failed' : 'taken';
    });
    for (let second = 0; second < 300; second += 1) {
      clock.advance(1_000);
      otherClock.advance(1_000);
    }
    expect(got).toBeNull();
    otherClock.advance(40_000);
    expect(got).toBeNull();
    otherClock.advance(40_000);
    expect(got).toBe('taken');
  });

  it('is missed by the owner that was taken for gone', () => {
    const [clock, otherClock] = [new ManualClock(), new ManualClock()];
    const lost: string[] = [];
    const near = new Workspaces({
      root,
      clock,
      others: new ForeignLocks(() => clock.now(), 'boot near', 'near'),
      onLost: ({ message }) => lost.push(message),
    });
    const far = placeOf('far', otherClock);
    const folder = far.nameOf(session);
    near.take(folder, session);
    far.take(folder, session);
    otherClock.advance(60_000);
    expect('pid' in far.take(folder, session)).toBe(false);
    clock.advance(60_000);
    expect(lost).toEqual([`the lock of the folder ${folder} is gone: another process may work in it`]);
    expect(clock.armed).toBe(0);
  });

  it('is free at once when the machine of its owner has been started again', () => {
    const clock = new ManualClock();
    const at = (boot: string) =>
      new Workspaces({ root, clock, others: new ForeignLocks(() => clock.now(), `${boot} pid:[4026531836]`, 'here') });
    const folder = at('first').nameOf(session);
    at('first').take(folder, session);
    expect('pid' in at('second').take(folder, session)).toBe(false);
  });

  const flags = [
    ['--pid', '--fork', '--kill-child'],
    ['--pid', '--fork', '--kill-child', '--map-root-user'],
  ].find((some) => spawnSync('unshare', [...some, 'true']).status === 0);

  it.skipIf(flags === undefined)(
    'has one owner in three namespaces of processes, and another when that is killed',
    async () => {
      const shared = join(root, 'shared');
      const fixture = fileURLToPath(new URL('fixtures/folder-holder.ts', import.meta.url));
      const start = async () => {
        const child = spawn('unshare', [...(flags ?? []), process.execPath, fixture, shared, '1000'], {
          stdio: ['pipe', 'pipe', 'inherit'],
        });
        const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
        const next = async (): Promise<string> => String((await lines.next()).value);
        return { child, next, said: await next() };
      };
      const three = [await start(), await start(), await start()];
      const [first, second, third] = three;
      expect(first?.said).toBe('taken');
      expect(second?.said).toMatch(/in another container or machine/);
      expect(third?.said).toMatch(/in another container or machine/);
      first?.child.kill('SIGKILL');
      expect(await Promise.race([second?.next(), third?.next()])).toBe('taken');
      three.forEach(({ child }) => child.kill('SIGKILL'));
    },
  );
});
