/** The supervisor against real children. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cookieName, pickEnvironment, processInfo } from '../../src/supervise/index.ts';
import { isGone, needs, Watched } from './harness.ts';

describe('the start of a child', () => {
  test('gives the child its own group, the listed environment, and a cookie', async () => {
    await using child = new Watched(['env'], { env: { PATH: '/usr/bin:/bin', ONLY: 'this' }, ids: () => 'a-cookie' });
    expect(JSON.parse(await child.line(0))).toEqual({ PATH: '/usr/bin:/bin', ONLY: 'this', [cookieName]: 'a-cookie' });
    expect(processInfo(child.pid)?.group).toBe(child.pid);
    expect(child.identities).toEqual([
      { pid: child.pid, cookie: 'a-cookie', startTime: processInfo(child.pid)?.startTime },
    ]);
  });

  test('reports the identity before anything is written, also of a child that ends at once', async () => {
    await using child = new Watched([], { command: 'true', args: [] });
    expect(child.identities[0]?.startTime).not.toBe('');
    expect(await child.exit()).toMatchObject({ reason: 'exited', code: 0, left: [] });
  });

  test('reports a program that does not exist, and the places of the search', async () => {
    await using child = new Watched([], { command: 'no-such-program', env: { PATH: '/nowhere' } });
    expect(child.exits).toEqual([]);
    const exit = await child.exit();
    expect(exit).toMatchObject({ reason: 'spawn_failed', code: null, left: [] });
    expect(exit.hint).toContain('/nowhere');
    expect(child.identities).toEqual([]);
    expect(child.child.writeLine('x')).toBe(false);
  });

  test('reports a folder that does not exist', async () => {
    await using child = new Watched(['wait'], { cwd: '/no/such/folder' });
    expect((await child.exit()).hint).toContain('/no/such/folder');
  });

  test('reports a file that is not a program, and does not throw', async () => {
    await using child = new Watched([], { command: import.meta.filename, args: [] });
    expect(await child.exit()).toMatchObject({ reason: 'spawn_failed' });
  });

  test('B03 takes no descriptor where too few are left for the pipes', () => {
    const program = join(import.meta.dirname, 'fixtures/few-descriptors.ts');
    const script = 'ulimit -n 64; exec "$0" "$1"';
    const starts = execFileSync('/bin/sh', ['-c', script, process.execPath, program], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly reason: string; readonly leaked: number });
    expect(starts.map(({ leaked }) => leaked)).toEqual(starts.map(() => 0));
    expect(new Set(starts.map(({ reason }) => reason))).toEqual(new Set(['cannot start /bin/sh: EMFILE', 'exited']));
  });

  test('ends a child that could not be recorded', async () => {
    await using child = new Watched(['wait'], {
      onProcess: () => {
        throw new Error('the disk is full');
      },
    });
    expect((await child.exit()).reason).toBe('unrecorded');
    expect(isGone(child.pid)).toBe(true);
  });

  test('passes only variables that are set', () => {
    expect(pickEnvironment(['A', 'B'], { A: '1', C: '3' })).toEqual({ A: '1' });
  });
});

describe('the channel of a child', () => {
  test('C12: carries lines whole and in order, a 1 MB line among short ones', async () => {
    await using child = new Watched(['echo']);
    const sent = Array.from({ length: 200 }, (_, index) =>
      index % 50 === 7 ? 'p'.repeat(1_000_000) : `short ${index}`,
    );
    for (const line of sent) {
      expect(child.child.writeLine(line)).toBe(true);
    }
    await child.until('all lines', () => child.lines.length === sent.length);
    expect(child.lines.every((line, index) => line === sent[index])).toBe(true);
  });

  test('has given a line to the system when writeLine returns: the child reads it while our loop is blocked', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-write-'));
    const path = join(folder, 'read');
    try {
      await using child = new Watched([`keep:${path}`, 'say:up']);
      await child.line(0);
      child.child.writeLine('at once');
      execFileSync('sh', ['-c', `until [ -s '${path}' ]; do :; done`], { timeout: 10_000 });
      expect(readFileSync(path, 'utf8')).toBe('at once\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('breaks when a child stops reading and the bound is passed', async () => {
    await using child = new Watched(['say:up', 'deaf'], { writeMaxBytes: 4_000_000 });
    await child.line(0);
    let written = 0;
    while (written < 100 && child.child.writeLine('x'.repeat(1_000_000))) {
      written += 1;
    }
    expect(written).toBeLessThan(10);
    expect((await child.exit()).reason).toBe('channel_broken');
  });

  test('breaks when a child closes its pipes and lives', async () => {
    await using child = new Watched(['close-stdin', 'say:hung up', 'wait']);
    await child.line(0);
    child.child.writeLine('anybody?');
    expect((await child.exit()).reason).toBe('channel_broken');
  });

  test('C37: breaks at once when a child closes its output and lives', async () => {
    await using child = new Watched(['say:up', 'close-stdout', 'ignore-eof', 'wait']);
    await child.line(0);
    const exit = await child.exit();
    expect(exit).toMatchObject({
      reason: 'channel_broken',
      rung: 'term',
      message: 'it closed its stdout and did not end',
    });
    expect(child.brokens[0]?.message).toContain('channel_broken');
  });

  test('C37: is broken before the child is gone, which may take the whole ladder', async () => {
    await using child = new Watched(['ignore-term', 'say:up', 'close-stdout', 'wait'], { termGraceMs: 500 });
    await child.until('the broken channel', () => child.brokens.length > 0);
    expect(child.exits).toEqual([]);
    expect(child.child.writeLine('anybody?')).toBe(false);
    expect(await child.exit()).toMatchObject({ reason: 'channel_broken', rung: 'kill' });
  });

  test('C37: waits for the exit code of a child that closes its output before its end', async () => {
    await using child = new Watched(['say:up', 'close-stdout', 'exit:7'], {
      settleQuietMs: 10_000,
      settleMaxMs: 10_000,
    });
    expect(await child.exit()).toMatchObject({ reason: 'crashed', code: 7, rung: null, message: null });
  });

  test('C37: waits for the exit code as long as the child speaks on stderr', async () => {
    const waits = { settleQuietMs: 150, settleMaxMs: 10_000 };
    await using child = new Watched(['say:up', 'close-stdout', 'mutter:30', 'exit:7'], waits);
    expect(await child.exit()).toMatchObject({ reason: 'crashed', code: 7, rung: null });
  });

  test('C37: does not wait for ever for a child that speaks on stderr alone', async () => {
    const waits = { settleQuietMs: 10_000, settleMaxMs: 200 };
    await using child = new Watched(['say:up', 'close-stdout', 'mutter:100000'], waits);
    expect(await child.exit()).toMatchObject({ reason: 'channel_broken', rung: 'term' });
  });

  test('C37: holds when the child closes stderr alone', async () => {
    await using child = new Watched(['close-stderr', 'echo'], { settleQuietMs: 1, settleMaxMs: 1 });
    child.child.writeLine('anybody?');
    expect(await child.line(0)).toBe('anybody?');
    child.child.close();
    expect(await child.exit()).toMatchObject({ reason: 'closed', code: 0 });
  });

  test('breaks with the reason of the death when the child died during a write', async () => {
    // On a busy machine thousands of lines wait before its end is seen, and too many would be its end by us.
    await using child = new Watched(['say:up', 'exit:7'], { writeMaxLines: 100_000_000, settleMaxMs: 20_000 });
    await child.line(0);
    while (child.child.writeLine('x') && child.exits.length === 0) {
      await Watched.turns(1);
    }
    expect(await child.exit()).toMatchObject({ reason: 'crashed', code: 7 });
  });
});

describe('the output of a program without lines', () => {
  test('arrives as bytes, from both pipes, and its stdin has ended', async () => {
    const read = { stdout: '', stderr: '' };
    await using child = new Watched([], {
      command: 'sh',
      args: ['-c', 'cat; printf out; printf err >&2'],
      input: 'none',
      onBytes: (chunk, from) => {
        read[from] += chunk.toString();
      },
    });
    expect(await child.exit()).toMatchObject({ reason: 'exited', stderr: 'err' });
    expect(read).toEqual({ stdout: 'out', stderr: 'err' });
    expect(child.frames).toEqual([]);
    expect(child.child.writeLine('x')).toBe(false);
  });
});

test('C37: a program without lines may close its output and work on', async () => {
  await using child = new Watched([], {
    command: 'sh',
    args: ['-c', 'exec >&-; sleep 0.3; exit 3'],
    input: 'none',
    settleQuietMs: 1,
    settleMaxMs: 1,
    onBytes: () => {},
  });
  expect(await child.exit()).toMatchObject({ reason: 'crashed', code: 3, rung: null });
});

describe('S09: an error that a callback throws', () => {
  test('while it reads a line ends that child alone, with a report', async () => {
    await using other = new Watched(['say:up', 'wait']);
    await using child = new Watched(['say:up', 'wait'], {
      onFrame: () => {
        throw new Error('a driver that trips');
      },
    });
    expect(await child.exit()).toMatchObject({ reason: 'unread', left: [] });
    expect(child.exits[0]?.message).toContain('a driver that trips');
    expect(isGone(child.pid)).toBe(true);
    await other.line(0);
    expect(isGone(other.pid)).toBe(false);
  });

  test('while it handles the end is passed to onError, and no step is skipped', async () => {
    const errors: string[] = [];
    await using child = new Watched(['say:up', 'wait'], {
      onBroken: () => {
        throw new Error('first');
      },
      onExit: () => {
        throw new Error('second');
      },
      onError: (error, where) => errors.push(`${where.split(' ')[0] ?? ''}: ${(error as Error).message}`),
    });
    await child.line(0);
    child.child.kill();
    await child.exit();
    expect(errors).toEqual(['onBroken: first', 'onExit: second']);
    expect(isGone(child.pid)).toBe(true);
  });
});

describe('S06: stderr of a child', () => {
  test('of 10 MB blocks no process, and its last 16 KiB are kept', async () => {
    await using child = new Watched(['stderr:10000000', 'say:done', 'exit:1']);
    expect(await child.line(0)).toBe('done');
    const exit = await child.exit();
    expect(exit.stderr.endsWith('last words\n')).toBe(true);
    expect(exit.stderr).toHaveLength(16 * 1024);
  });
});

describe('a child that ends by itself', () => {
  test.each([true, false])('loses nothing that it wrote; it was ready: %s', async (ready) => {
    await using child = new Watched(['lines:300000', 'exit:0'], { ready });
    expect(await child.exit()).toMatchObject({ reason: 'exited', rung: null });
    expect(child.lines).toHaveLength(300_001);
    expect(child.lines.at(-1)).toBe('all');
  });

  test('has crashed when a signal ended it, and its half line is reported as half', async () => {
    await using child = new Watched(['half:not whole', 'die:SIGABRT']);
    expect(await child.exit()).toMatchObject({ reason: 'crashed', signal: 'SIGABRT', code: null });
    expect(child.frames).toEqual([{ kind: 'half', text: 'not whole' }]);
  });

  test('S03: is read further while a stray grandchild writes, then settles', async () => {
    await using child = new Watched(['late:10', 'exit:0'], { settleQuietMs: 5_000, settleMaxMs: 20_000 });
    await child.exit();
    expect(child.lines).toEqual(Array.from({ length: 10 }, (_, index) => `late ${index}`));
  });

  test('S03: settles although a stray grandchild keeps the pipes and is silent, and the grandchild is ended', async (context) => {
    needs(context, 'cookies');
    await using child = new Watched(['stray', 'exit:0']);
    const stray = Number(await child.line(0));
    expect(await child.exit()).toMatchObject({ reason: 'exited', left: [] });
    expect(isGone(stray)).toBe(true);
  });

  test('S03: settles within its limit although a stray grandchild never falls silent', async () => {
    await using child = new Watched(['late:3000', 'exit:0'], { settleMaxMs: 300 });
    expect((await child.exit()).reason).toBe('exited');
    expect(child.lines.length).toBeLessThan(3000);
  });

  test('ends with the rest of its group', async () => {
    await using child = new Watched(['child', 'exit:0']);
    const member = Number(await child.line(0));
    expect((await child.exit()).left).toEqual([]);
    expect(isGone(member)).toBe(true);
  });
});

describe('the kill ladder', () => {
  test('needs only the end of stdin for a child that obeys it', async () => {
    await using child = new Watched(['say:up']);
    await child.line(0);
    child.child.close();
    expect(await child.exit()).toMatchObject({ reason: 'closed', code: 0, rung: 'close' });
  });

  test('sends SIGTERM after the end of stdin', async () => {
    await using child = new Watched(['ignore-eof', 'say:up']);
    await child.line(0);
    child.child.close();
    expect(await child.exit()).toMatchObject({ reason: 'closed', signal: 'SIGTERM', rung: 'term' });
  });

  test('S04: sends SIGKILL to a child that ignores all else', async () => {
    await using child = new Watched(['ignore-eof', 'ignore-term', 'say:up']);
    await child.line(0);
    child.child.close();
    expect(await child.exit()).toMatchObject({ reason: 'closed', signal: 'SIGKILL', rung: 'kill' });
    expect(child.lines).toContain('term ignored');
  });

  test('S04: ends a stopped child', async () => {
    await using child = new Watched(['say:up', 'wait']);
    await child.line(0);
    process.kill(child.pid, 'SIGSTOP');
    child.child.kill();
    expect(await child.exit()).toMatchObject({ reason: 'killed', signal: 'SIGKILL' });
  });

  test('S04: ends children and orphans of the group before it reports the end', async () => {
    await using child = new Watched(['child', 'double-fork', 'ignore-term', 'say:up', 'wait']);
    await child.until('two pids and up', () => child.lines.length === 3);
    const pids = child.lines.filter((line) => /^\d+$/.test(line)).map(Number);
    expect(pids).toHaveLength(2);
    child.child.kill();
    const exit = await child.exit();
    expect(exit.left).toEqual([]);
    expect(pids.map(isGone)).toEqual([true, true]);
    expect(isGone(child.pid)).toBe(true);
  });

  test('S03: settles at once on kill although a stray grandchild keeps the pipes', async () => {
    await using child = new Watched(['stray', 'wait'], { settleMaxMs: 1e9, settleQuietMs: 1e9 });
    const stray = Number(await child.line(0));
    child.child.kill();
    expect(await child.exit()).toMatchObject({ reason: 'killed', left: [] });
    expect(isGone(stray)).toBe(true);
  });

  test('skips on kill the wait for the pipes of a child that has ended', async () => {
    await using child = new Watched(['stray', 'exit:0'], { settleMaxMs: 1e9, settleQuietMs: 1e9 });
    const stray = Number(await child.line(0));
    await Watched.reaped(child.pid);
    child.child.kill();
    expect(child.exits).toEqual([]);
    expect((await child.exit()).reason).toBe('exited');
    expect(isGone(stray)).toBe(true);
  });

  test('reports the end once, whatever is called and however often', async () => {
    await using child = new Watched(['say:up', 'wait']);
    await child.line(0);
    for (let again = 0; again < 3; again += 1) {
      child.child.close();
      child.child.kill();
    }
    expect((await child.exit()).reason).toBe('closed');
    child.child.kill();
    child.child.close();
    await Watched.turns(3);
    expect(child.exits).toHaveLength(1);
  });
});

test('50 starts and kills in every stuck mode leave no process, descriptor or timer', async (context) => {
  if (process.platform !== 'linux') {
    context.skip('descriptors are counted in /proc');
  }
  const modes = [['wait'], ['ignore-term', 'wait'], ['child', 'wait'], ['exit:3'], ['stderr:100000', 'wait']];
  const held = (): string[] => [
    ...readdirSync('/proc/self/fd').map(() => 'descriptor'),
    ...process.getActiveResourcesInfo().filter((name) => name === 'Timeout' || name === 'ProcessWrap'),
  ];
  const round = async (): Promise<number[]> => {
    const children = modes.map((mode) => new Watched(['say:up', ...mode], { termGraceMs: 20 }));
    for (const child of children) {
      await child.until('up', () => child.lines.length > 0);
      child.child.kill();
    }
    for (const child of children) {
      expect((await child.exit()).left).toEqual([]);
    }
    return children.map((child) => child.pid);
  };
  const pids = await round();
  const before = held().length;
  for (let rounds = 1; rounds < 10; rounds += 1) {
    pids.push(...(await round()));
  }
  await Watched.turns(3);
  expect(pids.filter((pid) => !isGone(pid))).toEqual([]);
  // The runner's own timers and files come and go: 45 children would have left many times as many.
  expect(held().length).toBeLessThan(before + 10);
});
