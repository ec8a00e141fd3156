/** An agent's claim on the processor, asked of the system. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { describe, expect, test } from 'vitest';
import { pause, realTimers } from '../../src/supervise/index.ts';
import { needs, Watched } from './harness.ts';

const shared = '/proc/sys/kernel/sched_autogroup_enabled';
const sharedBySession = existsSync(shared) && readFileSync(shared, 'utf8').trim() === '1';

const groupOf = (pid: number): string => readFileSync(`/proc/${pid}/autogroup`, 'utf8').trim();

describe('an agent with niceness', () => {
  test('has the niceness of the daemon plus the steps, in all its threads and children', async (context) => {
    needs(context);
    const wanted = Math.min(19, getPriority() + 5);
    await using child = new Watched(['child'], { nice: 5 });
    const tool = Number(await child.line(0));
    expect(getPriority(tool)).toBe(wanted);
    const threads = readdirSync(`/proc/${child.pid}/task`).map(Number);
    expect(threads.length).toBeGreaterThan(1);
    expect(threads.map((thread) => getPriority(thread))).toEqual(threads.map(() => wanted));
  });

  test('keeps the niceness of the daemon where none is configured', async () => {
    await using child = new Watched(['say:up']);
    await child.line(0);
    expect(getPriority(child.pid)).toBe(getPriority());
  });

  test.runIf(sharedBySession)(
    'counts less against other process sessions too, also where many begin faster than the kernel accepts requests',
    async () => {
      const nicenesses = `nice ${Math.min(19, getPriority() + 5)}`;
      await using children = new AsyncDisposableStack();
      const all = Array.from({ length: 6 }, () => children.use(new Watched(['wait'], { nice: 5 })));
      for (const { pid } of all) {
        while (!groupOf(pid).endsWith(nicenesses)) {
          await pause(realTimers, 5);
        }
      }
      expect(all.map(({ pid }) => groupOf(pid))).toEqual(all.map(() => expect.stringContaining(nicenesses)));
    },
  );

  test('does not fail when it has ended at once', async () => {
    await using child = new Watched([], { command: 'true', args: [], nice: 5 });
    expect(await child.exit()).toMatchObject({ reason: 'exited', code: 0, left: [] });
  });
});
