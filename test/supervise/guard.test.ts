/** The guard of a lease (guard/1 to guard/4, launcher/6, supervision/13), on real processes: a launcher, a daemon, its agents. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { SuspensionClock } from '../../src/supervise/guard/clock.ts';
import { monotonicMs, OwnGuard, processInfo, type ProcessEntry } from '../../src/supervise/index.ts';
import { leaseTimes } from '../../src/protocol/lease-times.ts';
import { Guarded, standStill } from './guarded.ts';
import { needs, Watched } from './harness.ts';

// Long enough that the daemon of a busy machine is not taken for a silent one.
const { freezeMs, killMs, ttlMs } = leaseTimes(3_000);
vi.setConfig({ testTimeout: 90_000 });
const stand = (started: readonly ProcessEntry[]): boolean => started.length > 0 && standStill(started);
const gone = (started: readonly ProcessEntry[]): boolean => started.length === 0;

/** Its tools are in its group, in a session of their own, and without a parent. */
const family = 'sleep 300 & setsid sleep 300 & (setsid sh -c "sleep 300 & sleep 300" &) ; echo up; wait';

describe('a lease that is not renewed', () => {
  test('freezes everything that the daemon started, in time, and tells the daemon', async (context) => {
    needs(context, 'cookies');
    await using daemon = await Guarded.start();
    await daemon.agents(family, family, daemon.worker('worker'));
    const sentAt = await daemon.lease(freezeMs, killMs);
    const { since } = await daemon.line('frozen');
    await daemon.seeing(stand);
    expect(since).toBeGreaterThanOrEqual(sentAt + freezeMs);
    expect(daemon.workedAt('worker')).toBeLessThan(sentAt + ttlMs);
    expect(daemon.workedAt('worker')).toBeGreaterThan(sentAt);
    // The daemon lives: past the time of the kill nobody is killed.
    const count = daemon.started().length;
    while (monotonicMs() < sentAt + killMs + (killMs - freezeMs)) {
      await daemon.seeing(stand);
    }
    expect(daemon.started()).toHaveLength(count);
  });

  test('thaws by a renewal: the agents complete their work', async () => {
    await using daemon = await Guarded.start();
    await daemon.agents('echo up; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; done; echo done');
    await daemon.lease(300, 60_000);
    await daemon.line('frozen');
    await daemon.seeing(stand);
    expect(daemon.all('line').map(({ text }) => text)).toEqual(['up']);
    await daemon.lease(60_000, 61_000);
    const { ms } = await daemon.line('thawed');
    expect(ms).toBeGreaterThan(0);
    await daemon.until(() => daemon.all('line').some(({ text }) => text === 'done'));
    await daemon.line('exit');
    expect(daemon.all('frozen')).toHaveLength(1);
  });

  test('is not thawed by a renewal whose time is over as well', async () => {
    await using daemon = await Guarded.start();
    await daemon.agents('echo up; sleep 300');
    await daemon.lease(100, 60_000);
    await daemon.line('frozen');
    await daemon.lease(0, 60_000);
    await daemon.lease(60_000, 61_000);
    await daemon.line('thawed');
    expect(daemon.lines.map(({ type }) => type).filter((type) => type !== 'line')).toEqual([
      'ready',
      'leased',
      'frozen',
      'leased',
      'leased',
      'thawed',
    ]);
  });

  test('leaves a process that was stopped before as it is', async (context) => {
    needs(context, 'cookies');
    await using daemon = await Guarded.start();
    await daemon.agents('sleep 300 & kill -STOP $!; echo up; wait', 'echo up; sleep 300');
    const stopped = daemon
      .started()
      .filter((one) => one.stopped)
      .map(({ pid }) => pid);
    expect(stopped).toHaveLength(1);
    await daemon.lease(100, 60_000);
    await daemon.line('frozen');
    await daemon.seeing(stand);
    daemon.order({ do: 'over' });
    await daemon.line('thawed');
    await daemon.seeing((started) => started.filter((one) => one.stopped).length === 1);
    expect(
      daemon
        .started()
        .filter((one) => one.stopped)
        .map(({ pid }) => pid),
    ).toEqual(stopped);
  });

  test('freezes an agent that forks again and again, and one that is started later', async (context) => {
    needs(context, 'cookies');
    await using daemon = await Guarded.start();
    await daemon.agents('echo up; while :; do setsid sleep 300 & sleep 300 & sleep 0.005; done');
    await daemon.lease(300, 60_000);
    await daemon.line('frozen');
    await daemon.seeing(stand);
    const count = daemon.started().length;
    expect(count).toBeGreaterThan(5);
    daemon.order({ do: 'agents', scripts: ['sleep 300'] });
    await daemon.seeing((started) => started.length > count && stand(started));
    daemon.launcher.kill('SIGTERM');
    await daemon.line('end');
    expect(daemon.started()).toEqual([]);
  });
});

describe('a daemon that gives no sign of life', () => {
  test.each([
    ['is stopped', (daemon: Guarded) => process.kill(daemon.pid, 'SIGSTOP')],
    ['blocks its main loop', (daemon: Guarded) => daemon.order({ do: 'block' })],
  ])('and %s loses its agents before the lease may be taken over', async (_, hold) => {
    await using daemon = await Guarded.start();
    await daemon.agents(family, daemon.worker('worker'));
    const sentAt = await daemon.lease(freezeMs, killMs);
    hold(daemon);
    await daemon.seeing(gone);
    const goneAt = monotonicMs();
    expect(goneAt).toBeGreaterThanOrEqual(sentAt + killMs);
    expect(goneAt).toBeLessThan(sentAt + ttlMs + 500);
    expect(daemon.workedAt('worker')).toBeLessThan(sentAt + ttlMs);
    await daemon.until(() => daemon.stderr.includes('does not answer'));
  });

  test('together with its launcher loses them when the launcher wakes', async () => {
    await using daemon = await Guarded.start();
    await daemon.agents(family);
    const sentAt = await daemon.lease(200, 300);
    process.kill(daemon.pid, 'SIGSTOP');
    daemon.launcher.kill('SIGSTOP');
    while (monotonicMs() < sentAt + 400) {
      await daemon.seeing((started) => !stand(started));
    }
    daemon.launcher.kill('SIGCONT');
    const wokeAt = monotonicMs();
    await daemon.seeing(gone);
    expect(monotonicMs() - wokeAt).toBeLessThan(1_000);
  });
});

describe('a launcher that was held up alone', () => {
  test('reads the renewals that came meanwhile before it judges', async () => {
    await using daemon = await Guarded.start();
    await daemon.agents('echo up; read line; echo $line');
    const sentAt = await daemon.lease(200, 1_700);
    daemon.launcher.kill('SIGSTOP');
    await daemon.lease(60_000, 61_000);
    while (monotonicMs() < sentAt + 2_000) {
      await daemon.seeing((started) => started.length > 0);
    }
    daemon.launcher.kill('SIGCONT');
    await daemon.line('thawed');
    expect(daemon.started()).not.toEqual([]);
    expect(daemon.stderr).not.toMatch(/does not answer/);
  });
});

test('a daemon without a launcher is its own guard', async () => {
  const daemonId = randomUUID();
  const guard = new OwnGuard(daemonId);
  await using agent = new Watched(['say:up', 'wait'], { daemonId });
  await using stranger = new Watched(['say:up', 'wait'], { daemonId: null });
  await Promise.all([agent.line(0), stranger.line(0)]);
  const heard: string[] = [];
  const frozen = new Promise<void>((resolve) => {
    const stop = guard.listen({
      onFrozen: () => (heard.push('frozen'), resolve()),
      onThawed: () => (heard.push('thawed'), stop()),
    });
  });
  const sentAt = monotonicMs();
  guard.lease({ sentAt, freezeAt: sentAt + 20, killAt: sentAt + 40 });
  await frozen;
  while (processInfo(agent.pid)?.stopped !== true || monotonicMs() < sentAt + 100) {
    await Watched.turns(1);
  }
  expect(processInfo(stranger.pid)?.stopped).toBe(false);
  guard.lease({ sentAt: monotonicMs(), freezeAt: Infinity, killAt: Infinity });
  expect(heard).toEqual(['frozen']);
  guard.over();
  while (processInfo(agent.pid)?.stopped !== false) {
    await Watched.turns(1);
  }
  expect(heard).toEqual(['frozen', 'thawed']);
  guard.close();
});

describe('an end while all is frozen', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)('by %s leaves no process', async (name) => {
    await using daemon = await Guarded.start();
    await daemon.agents(family, 'trap "" TERM; echo up; sleep 300');
    await daemon.lease(100, 60_000);
    await daemon.line('frozen');
    await daemon.seeing(stand);
    daemon.launcher.kill(name);
    if (name === 'SIGTERM') {
      expect((await daemon.line('end')).end).toEqual({ kind: 'exit', code: 0 });
    }
    await daemon.seeing(gone);
  });

  test('by the death of the daemon leaves no process', async () => {
    await using daemon = await Guarded.start();
    await daemon.agents(family);
    await daemon.lease(100, 60_000);
    await daemon.line('frozen');
    process.kill(daemon.pid, 'SIGKILL');
    expect((await daemon.line('end')).end.kind).toBe('lost');
    expect(daemon.started()).toEqual([]);
  });
});

describe('the clock of a lease', () => {
  test('counts the time in which the machine was suspended, for what began before', () => {
    let now = 1_000;
    let suspended = 7;
    const clock = new SuspensionClock(
      () => now,
      () => now + suspended,
    );
    now = 1_100;
    expect(clock.since(1_000)).toBe(100);
    suspended += 5_000;
    now = 1_200;
    expect(clock.since(1_000)).toBe(5_200);
    now = 1_300;
    expect(clock.since(1_000)).toBe(5_300);
    expect(clock.since(1_250)).toBe(50);
    // Less than the steps of the clock.
    suspended -= 9;
    expect(clock.since(1_250)).toBe(50);
  });

  test('is the monotonic clock where nothing else is known', () => {
    let now = 5;
    const clock = new SuspensionClock(
      () => now,
      () => null,
    );
    now = 25;
    expect(clock.since(15)).toBe(10);
  });
});
