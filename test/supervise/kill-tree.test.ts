/** S03, S04: whoever left the group is found and ended; whoever only looks like it is not touched. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { cookieName, daemonIdName, ProcessScanner, processInfo } from '../../src/supervise/index.ts';
import { belonging, killTree, killTreeNow } from '../../src/supervise/process/kill-tree.ts';
import { system } from '../../src/supervise/platform/index.ts';
import { isGone, needs, Watched } from './harness.ts';

const sh = (script: string): { readonly command: string; readonly args: readonly string[] } => ({
  command: 'sh',
  args: ['-c', script],
});
const path = process.env['PATH'] ?? '';

/** A process that is nobody's: of this test, in a group of its own. */
class Stranger implements AsyncDisposable {
  readonly #child: ReturnType<typeof spawn>;

  constructor(env: { readonly [name: string]: string } = {}) {
    this.#child = spawn('sleep', ['300'], { env: { PATH: path, ...env }, detached: true, stdio: 'ignore' });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get startTime(): string {
    return processInfo(this.pid)?.startTime ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      return;
    }
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

describe('S04: a tool in its own session', () => {
  test('ends with its agent when the agent is killed', async (context) => {
    needs(context, 'cookies');
    await using child = new Watched([], sh('setsid sleep 300 </dev/null >/dev/null 2>&1 & echo $!; wait'));
    const tool = Number(await child.line(0));
    await Watched.inGroupOfItsOwn(tool);
    child.child.kill();
    expect((await child.exit()).left).toEqual([]);
    expect(isGone(tool)).toBe(true);
  });

  test('ends with its agent when the agent crashes, is closed, or exits', async (context) => {
    needs(context, 'cookies');
    for (const [end, reason] of [
      ['kill -ABRT $$', 'crashed'],
      ['read x', 'closed'],
      ['exit 0', 'exited'],
    ] as const) {
      await using child = new Watched([], sh(`setsid sleep 300 <&- >&- 2>&- & echo $!; ${end}`));
      const tool = Number(await child.line(0));
      if (reason === 'closed') {
        child.child.close();
      }
      expect(await child.exit()).toMatchObject({ reason, left: [] });
      expect(isGone(tool)).toBe(true);
    }
  });

  test('ends although it cleared its environment, because its agent was its parent when the ladder began', async () => {
    await using child = new Watched([], sh('setsid env -i sleep 300 <&- >&- 2>&- & echo $!; wait'));
    const tool = Number(await child.line(0));
    await Watched.inGroupOfItsOwn(tool);
    child.child.kill();
    expect((await child.exit()).left).toEqual([]);
    expect(isGone(tool)).toBe(true);
  });

  test('ends although it cleared its environment, because its parent still carries the cookie', async (context) => {
    needs(context, 'cookies');
    // The leader leaves; who is left of it has a child of its own that carries nothing.
    const script = 'setsid sh -c "setsid env -i sleep 300 & echo \\$!; wait" <&- & sleep 0.05; exit 0';
    await using child = new Watched([], { ...sh(script), settleQuietMs: 300 });
    const tool = Number(await child.line(0));
    expect((await child.exit()).left).toEqual([]);
    expect(isGone(tool)).toBe(true);
  });

  test('ends although the known process of its group is gone before the signal', async (context) => {
    needs(context, 'process-list');
    // As one that forks and leaves, again and again: only its group stays the same.
    await using child = new Watched([], sh('setsid sh -c "sleep 300 & echo \\$!" <&- & sleep 300'));
    const tool = Number(await child.line(0));
    const group = processInfo(tool)?.group ?? 0;
    await Watched.reaped(group);
    const seen = {
      pid: 2 ** 22 + 1,
      parent: 1,
      group,
      startTime: '1',
      zombie: false,
      stopped: false,
      cookie: 'x',
      daemonId: null,
      bare: false,
    };
    let looks = 0;
    const scanner = new ProcessScanner(() => {
      looks += 1;
      return Promise.resolve(looks === 1 ? [seen] : []);
    });
    await killTree({ cookie: 'x' }, { scanner });
    while (!isGone(tool)) {
      await Watched.turns(1);
    }
  });

  test('ends although it was starting another program during the search', async (context) => {
    needs(context, 'cookies');
    const tool = new Stranger({ [cookieName]: 'soon to be seen' });
    let looks = 0;
    const scanner = new ProcessScanner(async () => {
      looks += 1;
      const entries = await system.entries();
      if (looks > 1) {
        return entries;
      }
      return entries.map((entry) => (entry.pid === tool.pid ? { ...entry, cookie: null, bare: true } : entry));
    });
    expect(await killTree({ cookie: 'soon to be seen' }, { scanner })).toEqual({ ended: [tool.pid], left: [] });
  });

  test('that another user owns is named at once', async (context) => {
    needs(context, 'cookies');
    if (process.getuid?.() !== 0) {
      context.skip('only root can start a process of another user');
    }
    // As another user: `sleep` runs as nobody, the asking side too, so that it may not signal root's.
    await using stranger = new Stranger({ [cookieName]: 'of-root' });
    const program = `
      import { killTree } from ${JSON.stringify(new URL('../../src/supervise/process/kill-tree.ts', import.meta.url).href)};
      process.setuid(65534);
      const known = new Map([[${stranger.pid}, ${JSON.stringify(stranger.startTime)}]]);
      const began = performance.now();
      const report = await killTree({ known }, { deadlineMs: 60_000 });
      console.log(JSON.stringify({ ...report, quick: performance.now() - began < 30_000 }));
    `;
    const other = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(other.stdout), 'line')) as [string];
    expect(JSON.parse(line)).toEqual({ ended: [], left: [stranger.pid], quick: true });
    expect(isGone(stranger.pid)).toBe(false);
  });
});

describe('S08: a stranger', () => {
  test('with the pid of a known descendant, and another start time, is not touched', async () => {
    await using stranger = new Stranger();
    const known = new Map([[stranger.pid, '1']]);
    expect(await killTree({ known })).toEqual({ ended: [], left: [] });
    expect(killTreeNow({ known })).toEqual([]);
    expect(isGone(stranger.pid)).toBe(false);
  });

  test('with the number of the agent’s group, and another start time, is not touched', async () => {
    await using stranger = new Stranger();
    expect(await killTree({ group: { id: stranger.pid, leaderSince: '1' } })).toEqual({ ended: [], left: [] });
    expect(isGone(stranger.pid)).toBe(false);
  });

  test('that got the pid between the search and the signal is not touched', async () => {
    await using stranger = new Stranger();
    // The look saw a descendant under this pid; before the signal it has ended, and the pid has been given away.
    const seen = {
      parent: 1,
      group: stranger.pid,
      zombie: false,
      stopped: false,
      cookie: 'x',
      daemonId: null,
      bare: false,
    };
    let looks = 0;
    const scanner = new ProcessScanner(() => {
      looks += 1;
      return Promise.resolve(looks === 1 ? [{ ...seen, pid: stranger.pid, startTime: '1' }] : []);
    });
    expect(await killTree({ cookie: 'x' }, { scanner })).toEqual({ ended: [stranger.pid], left: [] });
    expect(looks).toBe(2);
    expect(isGone(stranger.pid)).toBe(false);
  });

  test('that got the number of a group between the search and the signal is not touched', async () => {
    await using stranger = new Stranger();
    // The look saw a member of a group without a leader; before the signal it has ended, and the number has been given away.
    const seen = { pid: 2 ** 22 + 1, parent: 1, group: stranger.pid, startTime: '1', zombie: false, stopped: false };
    let looks = 0;
    const scanner = new ProcessScanner(() => {
      looks += 1;
      return Promise.resolve(looks === 1 ? [{ ...seen, cookie: 'x', daemonId: null, bare: false }] : []);
    });
    expect(await killTree({ cookie: 'x' }, { scanner })).toEqual({ ended: [seen.pid], left: [] });
    expect(isGone(stranger.pid)).toBe(false);
  });

  test('with another cookie, or with ours in the value of another variable, is not touched', async (context) => {
    needs(context, 'cookies');
    await using stranger = new Stranger({
      [cookieName]: 'mine-not',
      NOTE: `${cookieName}=mine`,
      [`X${cookieName}`]: 'mine',
    });
    expect(await killTree({ cookie: 'mine' })).toEqual({ ended: [], left: [] });
    expect(isGone(stranger.pid)).toBe(false);
  });

  test('is not to be confused with the calling process and its ancestors, whatever they carry', async (context) => {
    needs(context, 'cookies');
    const entries = system.entriesNow().map((one) => ({ ...one, daemonId: 'all-of-us' }));
    const found = new Set(belonging({ daemonId: 'all-of-us' }, entries).map(({ pid }) => pid));
    expect(found.has(process.pid)).toBe(false);
    expect(found.has(process.ppid)).toBe(false);
    expect(found.has(1)).toBe(false);
  });

  test('that is older than the process of its parent link is not its child', () => {
    const entry = { group: 0, zombie: false, stopped: false, cookie: null, daemonId: null, bare: false };
    const entries = [
      { ...entry, pid: 900_001, parent: 0, startTime: '500', cookie: 'x' },
      { ...entry, pid: 900_002, parent: 900_001, startTime: '499' },
      { ...entry, pid: 900_003, parent: 900_001, startTime: '500' },
    ];
    expect(belonging({ cookie: 'x' }, entries).map(({ pid }) => pid)).toEqual([900_001, 900_003]);
  });
});

describe('one search of the processes for all kills', () => {
  test('serves 200 kills of a tree at once in at most two searches before any signal', async () => {
    let looks = 0;
    const scanner = new ProcessScanner(() => {
      looks += 1;
      return system.entries();
    });
    await Promise.all(Array.from({ length: 200 }, (_, index) => killTree({ cookie: `nobody ${index}` }, { scanner })));
    expect(looks).toBeLessThanOrEqual(2);
  });

  test('begins after the call that gets its answer', async () => {
    const order: string[] = [];
    let finish: () => void = () => {};
    const scanner = new ProcessScanner(() => {
      order.push('look');
      return new Promise((resolve) => {
        finish = () => resolve([]);
      });
    });
    const begun = async (count: number): Promise<void> => {
      while (scanner.looks < count) {
        await Watched.turns(1);
      }
    };
    const first = scanner.look();
    await begun(1);
    const second = scanner.look().then(() => order.push('second'));
    const third = scanner.look().then(() => order.push('third'));
    finish();
    await first;
    await begun(2);
    finish();
    await Promise.all([second, third]);
    expect(order).toEqual(['look', 'look', 'second', 'third']);
  });

  test('fails only for its callers', async () => {
    let looks = 0;
    const scanner = new ProcessScanner(() => {
      looks += 1;
      return looks === 1 ? Promise.reject(new Error('no /proc')) : Promise.resolve([]);
    });
    await expect(scanner.look()).rejects.toThrow('no /proc');
    expect(await scanner.look()).toEqual([]);
  });
});

test('a child carries the cookie of its daemon as well as its own', async (context) => {
  needs(context, 'cookies');
  await using child = new Watched(['env'], { env: { PATH: path }, ids: () => 'its-own', daemonId: 'the-daemon' });
  expect(JSON.parse(await child.line(0))).toEqual({
    PATH: path,
    [cookieName]: 'its-own',
    [daemonIdName]: 'the-daemon',
  });
  expect(system.marks(child.pid)).toEqual({ cookie: 'its-own', daemonId: 'the-daemon' });
});
