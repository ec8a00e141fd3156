/** S08: what a dead daemon left, and what it did not leave. */
import { spawn } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { endLeftover, processesWithCookie, processInfo } from '../../src/supervise/index.ts';
import { parsePs } from '../../src/supervise/platform/ps.ts';
import { isGone, needs, Watched } from './harness.ts';

/** The row that a daemon would have recorded. */
const rowOf = (child: Watched): { pid: number; startTime: string; cookie: string } => {
  const [identity] = child.identities;
  if (identity === undefined) {
    throw new Error('no process');
  }
  return identity;
};

describe('S08: a leftover', () => {
  test('is killed with its group, also when it ignores everything else', async () => {
    await using child = new Watched(['ignore-term', 'ignore-eof', 'child', 'wait']);
    const member = Number(await child.line(0));
    const report = await endLeftover(rowOf(child));
    expect(report.leader).toBe('ended');
    expect(new Set(report.ended)).toEqual(new Set([child.pid, member]));
    expect(report.left).toEqual([]);
    expect(isGone(member)).toBe(true);
    expect(isGone(child.pid)).toBe(true);
  });

  test('S04: is found by its cookie in its own session, after its leader is gone', async (context) => {
    needs(context, 'cookies');
    // The daemon that would have swept has died: nobody saw the leader end.
    await using child = new Watched(['stray', 'exit:0'], { settleQuietMs: 1e9, settleMaxMs: 1e9 });
    const stray = Number(await child.line(0));
    await Watched.reaped(child.pid);
    expect(isGone(stray)).toBe(false);
    const report = await endLeftover(rowOf(child));
    expect(report).toEqual({ leader: 'gone', ended: [stray], left: [] });
    expect(isGone(stray)).toBe(true);
  });

  test('that is gone is reported as gone', async () => {
    await using child = new Watched(['exit:0']);
    await child.exit();
    expect(await endLeftover(rowOf(child))).toEqual({ leader: 'gone', ended: [], left: [] });
  });

  test('is not a stranger that got the pid, which has another start time', async () => {
    await using stranger = new Watched(['say:up', 'wait']);
    await stranger.line(0);
    const report = await endLeftover({ ...rowOf(stranger), startTime: '1', cookie: 'of another' });
    expect(report).toEqual({ leader: 'stranger', ended: [], left: [] });
    expect(isGone(stranger.pid)).toBe(false);
  });

  test('is not a stranger that got the pid and the ticks after a reboot, which has another cookie', async (context) => {
    needs(context, 'cookies');
    await using stranger = new Watched(['say:up', 'wait']);
    await stranger.line(0);
    const report = await endLeftover({ ...rowOf(stranger), cookie: 'of another' });
    expect(report.leader).toBe('stranger');
    expect(isGone(stranger.pid)).toBe(false);
  });

  test('that shows no environment is judged by its start time alone', async (context) => {
    if (process.platform !== 'linux') {
      context.skip('an empty environment is told from an unreadable one on Linux only');
    }
    const bare = spawn('sleep', ['60'], { env: {}, detached: true, stdio: 'ignore' });
    const pid = bare.pid ?? 0;
    const startTime = processInfo(pid)?.startTime ?? '';
    expect((await endLeftover({ pid, startTime: '1', cookie: 'x' })).leader).toBe('stranger');
    expect(isGone(pid)).toBe(false);
    expect(await endLeftover({ pid, startTime, cookie: 'x' })).toEqual({ leader: 'ended', ended: [pid], left: [] });
    expect(isGone(pid)).toBe(true);
  });

  test('that outlives the deadline is named', async () => {
    await using child = new Watched(['say:up', 'wait']);
    await child.line(0);
    // A deadline that has passed before the first look back.
    const report = await endLeftover(rowOf(child), {
      timers: {
        set(ms, fn) {
          if (ms === 5_000) {
            queueMicrotask(fn);
          } else {
            setImmediate(fn);
          }
          return () => {};
        },
      },
    });
    expect([...report.ended, ...report.left]).toEqual([child.pid]);
  });
});

describe('the process table', () => {
  test('shows a cookie in every process that carries it, and in no other', async (context) => {
    needs(context, 'cookies');
    await using child = new Watched(['child', 'wait'], { ids: () => 'to-be-found' });
    const member = Number(await child.line(0));
    const found = processesWithCookie('to-be-found').map((info) => info.pid);
    expect(new Set(found)).toEqual(new Set([child.pid, member]));
    expect(processesWithCookie('to-be-foun')).toEqual([]);
  });

  test('shows start times that differ between processes and stay for each', async () => {
    await using child = new Watched(['say:up', 'wait']);
    await child.line(0);
    expect(processInfo(child.pid)).toEqual(processInfo(child.pid));
    expect(processInfo(child.pid)?.startTime).not.toBe(processInfo(process.pid)?.startTime);
    expect(processInfo(2 ** 22 + 1)).toBeNull();
  });

  test('comes from ps where /proc does not exist', () => {
    const answer =
      '  812     1   812 Ss   Sat Nov 21 03:20:48 2026\n 9134   812   812 Z+   Sat Nov 21 03:20:49 2026\nnonsense\n';
    expect(parsePs(answer)).toEqual([
      { pid: 812, parent: 1, group: 812, startTime: 'Sat Nov 21 03:20:48 2026', zombie: false, stopped: false },
      { pid: 9134, parent: 812, group: 812, startTime: 'Sat Nov 21 03:20:49 2026', zombie: true, stopped: false },
    ]);
  });
});
