/** A supervised child in a sandbox: what is told of it, and how it ends, is what it is without one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cookieName, descendants, endLeftover, isAlive, processesWithCookie } from '../../src/supervise/index.ts';
import { workerOf } from '../../src/supervise/watchdog/thread-facts.ts';
import { planOf, sandboxLack } from '../support/sandbox.ts';
import { isGone, Watched } from './harness.ts';

describe('a child in a sandbox', () => {
  const sandbox = planOf();
  let folder: string;

  beforeEach((context) => {
    if (sandboxLack !== null) {
      context.skip(sandboxLack);
    }
    folder = mkdtempSync(join(tmpdir(), 'signalbox-sandbox-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('speaks lines both ways, and has its cookie, by which all of its processes are found', async () => {
    await using child = new Watched(['env', 'echo'], { inSandbox: sandbox, ids: () => `cookie-${process.pid}` });
    expect(JSON.parse(await child.line(0))).toMatchObject({ [cookieName]: `cookie-${process.pid}` });
    expect(child.child.writeLine('there and back')).toBe(true);
    expect(await child.line(1)).toBe('there and back');
    expect(processesWithCookie(`cookie-${process.pid}`).length).toBe(3);
  });

  test('has the exit code of the program, and 128 and the number of a signal that ended it', async () => {
    await using ended = new Watched(['exit:7'], { inSandbox: sandbox });
    expect(await ended.exit()).toMatchObject({ reason: 'crashed', code: 7, signal: null, left: [] });
    await using killed = new Watched(['die:SIGKILL'], { inSandbox: sandbox });
    expect(await killed.exit()).toMatchObject({ reason: 'crashed', code: 137, left: [] });
  });

  test('tells of a program, a folder or a sandbox that does not exist as without a sandbox', async () => {
    await using program = new Watched([], { command: '/no/such/program', args: [], inSandbox: sandbox });
    expect(await program.exit()).toMatchObject({
      reason: 'spawn_failed',
      message: 'cannot start /no/such/program: ENOENT',
    });
    await using place = new Watched(['wait'], { cwd: '/no/such/folder', inSandbox: sandbox });
    expect((await place.exit()).hint).toContain('/no/such/folder');
    await using bare = new Watched(['wait'], { inSandbox: { ...sandbox, bubblewrap: '/no/such/bwrap' } });
    expect(await bare.exit()).toMatchObject({ reason: 'spawn_failed', message: 'cannot start /no/such/bwrap: ENOENT' });
  });

  test('C37: breaks when the program closes its output and lives', async () => {
    // Node would shut the socket down, which is seen whoever else holds it.
    const run = { command: '/bin/sh', args: ['-c', 'echo up; exec >&-; exec sleep 1000'] };
    await using child = new Watched([], { ...run, inSandbox: sandbox });
    await child.line(0);
    expect(await child.exit()).toMatchObject({
      reason: 'channel_broken',
      rung: 'term',
      message: 'it closed its stdout and did not end',
      left: [],
    });
  });

  test('has time to end by itself after SIGTERM, and may not use it', async () => {
    await using obeys = new Watched(['ignore-eof', 'say:up'], { inSandbox: sandbox });
    await obeys.line(0);
    obeys.child.kill();
    expect(await obeys.exit()).toMatchObject({ reason: 'killed', rung: 'term', code: 143, left: [] });
    await using ignores = new Watched(['ignore-term', 'ignore-eof', 'say:up'], { inSandbox: sandbox });
    await ignores.line(0);
    ignores.child.kill();
    expect(await ignores.exit()).toMatchObject({ reason: 'killed', rung: 'kill', signal: 'SIGKILL', left: [] });
    expect(ignores.lines).toContain('term ignored');
  });

  test('S04: ends with all that it has started, in other groups and sessions', async () => {
    await using child = new Watched(['stray', 'double-fork', 'child', 'ignore-term', 'ignore-eof', 'say:up'], {
      inSandbox: sandbox,
    });
    await child.until('its processes', () => child.lines.includes('up') && child.lines.length >= 4);
    const inside = descendants(child.pid);
    expect(inside.length).toBeGreaterThanOrEqual(5);
    child.child.kill();
    expect((await child.exit()).left).toEqual([]);
    expect(inside.filter(isAlive)).toEqual([]);
  });

  test('ends with the process that started it, which is killed', async () => {
    const script = join(folder, 'starts.mjs');
    const supervise = fileURLToPath(new URL('../../src/supervise/index.ts', import.meta.url));
    const fixture = fileURLToPath(new URL('fixtures/child.mjs', import.meta.url));
    writeFileSync(
      script,
      `import { spawnAgent, descendants } from ${JSON.stringify(supervise)};
       const child = spawnAgent({
         command: process.execPath, args: [${JSON.stringify(fixture)}, 'ignore-term', 'ignore-eof', 'stray', 'say:up'], env: {},
         inSandbox: ${JSON.stringify(sandbox)},
         onFrame: ({ text }) => text === 'up' && console.log(JSON.stringify([child.identity, ...descendants(child.identity.pid)])),
         onExit: () => {},
       });`,
    );
    const daemon = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = (await once(daemon.stdout, 'data')) as [Buffer];
    const processes = JSON.parse(said.toString()) as { pid: number; startTime: string }[];
    expect(processes.length).toBeGreaterThanOrEqual(4);
    daemon.kill('SIGKILL');
    await once(daemon, 'exit');
    for (const { pid } of processes) {
      await Watched.reaped(pid);
    }
  });

  test('is ended by its row, as what a dead daemon left behind', async () => {
    await using child = new Watched(['ignore-term', 'ignore-eof', 'stray', 'say:up'], { inSandbox: sandbox });
    await child.until('it is up', () => child.lines.includes('up'));
    const inside = descendants(child.pid);
    const [row] = child.identities;
    expect(row).toBeDefined();
    expect(await endLeftover(row ?? { pid: 0, startTime: '', cookie: '' })).toMatchObject({ left: [] });
    expect([...inside.filter(isAlive), ...(isGone(child.pid) ? [] : [child.pid])]).toEqual([]);
  });

  test('shows its program to the hang watch, not the processes that wait around it', async () => {
    await using child = new Watched(['say:up', 'wait'], { inSandbox: sandbox });
    await child.line(0);
    expect(readFileSync(`/proc/${workerOf(child.pid)}/comm`, 'utf8').trim()).not.toBe('bwrap');
    expect(workerOf(process.pid)).toBe(process.pid);
  });

  test('sees and writes what its plan lists, and nothing else', async () => {
    for (const name of ['seen', 'kept', 'hidden']) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'file'), name);
      chmodSync(join(folder, name, 'file'), 0o666);
    }
    const at = (name: string): string => join(folder, name);
    const plan = planOf([
      { kind: 'read', from: at('seen'), at: at('seen') },
      { kind: 'write', from: at('kept'), at: at('kept') },
    ]);
    const steps = [
      `cat ${at('seen')}/file`,
      `echo x >${at('seen')}/file`,
      `echo x >${at('kept')}/file`,
      `cat ${at('hidden')}/file`,
      `echo x >/new`,
      `cat /proc/sys/kernel/core_pattern >/proc/sys/kernel/core_pattern`,
      `cat /proc/${process.pid}/environ`,
      `mount -t tmpfs none /mnt`,
    ];
    const script = steps.map((step) => `(${step}) >/dev/null 2>&1 && echo yes || echo no`).join('\n');
    await using child = new Watched([], { command: '/bin/sh', args: ['-c', script], inSandbox: plan });
    await child.exit();
    expect(child.lines).toEqual(['yes', 'no', 'yes', 'no', 'no', 'no', 'no', 'no']);
    expect(readFileSync(join(at('seen'), 'file'), 'utf8')).toBe('seen');
    expect(readFileSync(join(at('kept'), 'file'), 'utf8')).toBe('x\n');
    expect(existsSync('/new')).toBe(false);
  });

  test('reaches no port of the machine without a network', async () => {
    const server = createServer((socket) => socket.end());
    let connections = 0;
    server.on('connection', () => (connections += 1));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const script = `require('net').connect(${port}, '127.0.0.1').on('connect', () => console.log('open')).on('error', (e) => console.log(e.code))`;
    const run = { command: process.execPath, args: ['-e', script] };
    try {
      await using inside = new Watched([], { ...run, inSandbox: sandbox });
      await inside.exit();
      expect(inside.lines).toEqual(['ECONNREFUSED']);
      await using outside = new Watched([], { ...run, inSandbox: { ...sandbox, network: 'all' } });
      await outside.exit();
      expect(outside.lines).toEqual(['open']);
      expect(connections).toBe(1);
    } finally {
      server.close();
    }
  });
});
