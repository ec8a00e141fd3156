/** `supervision/12`: what a platform lacks is named, and what answers for it is read right. */
import { describe, expect, test } from 'vitest';
import { platformLacks } from '../../src/supervise/index.ts';
import { descendantsOf } from '../../src/supervise/platform/common.ts';
import { system } from '../../src/supervise/platform/index.ts';
import { parseStat } from '../../src/supervise/platform/linux.ts';
import { parseMarks, parsePs, posix } from '../../src/supervise/platform/ps.ts';
import { Watched } from './harness.ts';

describe('supervision/12: a gap of the platform', () => {
  test('does not exist on Linux with /proc', () => {
    expect(platformLacks('linux', true)).toEqual([]);
  });

  test.each([
    ['linux', false, ['process-list']],
    ['darwin', false, ['cookies']],
    ['freebsd', false, ['cookies']],
  ] as const)('on %s (/proc: %s) is named, with a reason and an effect', (platform, procMounted, names) => {
    const lacks = platformLacks(platform, procMounted);
    expect(lacks.map(({ name }) => name)).toEqual(names);
    for (const { reason, effect } of lacks) {
      expect([reason, effect].every((text) => /^[A-Z/].+\.$/i.test(text))).toBe(true);
    }
  });

  test('is detected for this machine', () => {
    expect(platformLacks()).toEqual(platformLacks(process.platform));
  });
});

describe('the process table of Linux', () => {
  test('reads a command name with spaces and parentheses without a shift of the fields', () => {
    const rest = 'S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 1000 100';
    for (const name of ['sh', 'a b', ') S 2 9 (', '((()']) {
      expect(parseStat(7, `7 (${name}) ${rest}`)).toEqual({
        pid: 7,
        parent: 1,
        group: 7,
        startTime: '4711',
        zombie: false,
        stopped: false,
      });
    }
    expect(parseStat(7, '7 (sh) Z 1 7')).toBeNull();
    expect(parseStat(7, '')).toBeNull();
  });

  test('finds descendants with the kernel’s list as by parent links', async () => {
    await using child = new Watched(['child', 'child', 'say:up', 'wait']);
    await child.until('up', () => child.lines.includes('up'));
    const pids = (list: readonly { readonly pid: number }[]): number[] =>
      list.map(({ pid }) => pid).sort((one, other) => one - other);
    const found = pids(system.descendants(child.pid));
    expect(found).toEqual(pids(descendantsOf(child.pid, system.all())));
    expect(found).toContain(Number(child.lines[0]));
    expect(system.descendants(2 ** 22 + 1)).toEqual([]);
  });
});

describe('the answer of ps', () => {
  test('is parsed', () => {
    const answer =
      '  812     1   812 Ss   Sat Nov 21 03:20:48 2026\n 9134   812   812 Z+   Sat Nov 21 03:20:49 2026\n  900   812   900 T    Sat Nov 21 03:20:50 2026\nnonsense\n';
    expect(parsePs(answer)).toEqual([
      { pid: 812, parent: 1, group: 812, startTime: 'Sat Nov 21 03:20:48 2026', zombie: false, stopped: false },
      { pid: 9134, parent: 812, group: 812, startTime: 'Sat Nov 21 03:20:49 2026', zombie: true, stopped: false },
      { pid: 900, parent: 812, group: 900, startTime: 'Sat Nov 21 03:20:50 2026', zombie: false, stopped: true },
    ]);
  });

  test('shows marks behind the command', () => {
    const answer = [
      '  812 sleep 300 PATH=/bin SIGNALBOX_COOKIE=c-1 SIGNALBOX_DAEMON_ID=n-1',
      '  813 node NOTSIGNALBOX_COOKIE=c-2 x',
      '  814 sh SIGNALBOX_DAEMON_ID=n-2',
      '',
    ].join('\n');
    expect([...parseMarks(answer)]).toEqual([
      [812, { cookie: 'c-1', daemonId: 'n-1' }],
      [814, { cookie: null, daemonId: 'n-2' }],
    ]);
  });

  test('matches /proc for real processes', async (context) => {
    await using child = new Watched(['child', 'wait'], { ids: () => 'seen-by-ps', daemonId: 'node-by-ps' });
    const member = Number(await child.line(0));
    const info = posix.info(member);
    if (info === null) {
      context.skip('ps is not installed');
    }
    expect(info).toMatchObject({ pid: member, parent: child.pid, group: child.pid, zombie: false });
    expect(posix.descendants(child.pid).map(({ pid }) => pid)).toEqual([member]);
    expect(posix.info(2 ** 22 + 1)).toBeNull();
    expect(posix.marks(member)).toEqual({ cookie: 'seen-by-ps', daemonId: 'node-by-ps' });
    for (const entries of [posix.entriesNow(), await posix.entries()]) {
      const pids = entries.filter((one) => one.cookie === 'seen-by-ps').map(({ pid }) => pid);
      expect(new Set(pids)).toEqual(new Set([child.pid, member]));
      expect(entries.find(({ pid }) => pid === member)).toMatchObject({ parent: child.pid, daemonId: 'node-by-ps' });
    }
  });
});
