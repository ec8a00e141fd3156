/** Scopes: what is begun in one ends with it. Invariants `scope/1` to `scope/6`, `supervision/5` and `supervision/10`. */
import { describe, expect, test } from 'vitest';
import { PendingWaits, Scope, type ScopeFailure } from '../../src/supervise/index.ts';
import { HandTimers, isGone, Watched } from './harness.ts';

const never = new Promise<void>(() => {});
const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

describe('a scope', () => {
  test('informs its tasks, then ends the scopes within, then its tasks, then its steps', async () => {
    const order: string[] = [];
    const outer = new Scope('outer');
    outer.own('a step', () => order.push('step'), 1_000);
    outer.run(
      'a task',
      async (signal) => {
        await untilAborted(signal).catch(() => order.push('told'));
        await Watched.turns(2);
        order.push('task');
      },
      1_000,
    );
    outer.nest('inner').own('a step', () => order.push('inner step'), 1_000);
    await outer.close();
    expect(order).toEqual(['told', 'inner step', 'task', 'step']);
  });

  test('scope/1: names what has not ended by its deadline, also in inner scopes, and its pending waits', async () => {
    const timers = new HandTimers();
    const waits = new PendingWaits();
    const outer = new Scope('outer', { timers, waits });
    outer.nest('inner').own('a stuck one', () => never, 70);
    outer.own('another', () => never, 80);
    const closing = outer.close();
    await timers.armedWith(70);
    expect(waits.list()).toMatchObject([{ owner: 'inner', name: 'the end of a stuck one' }]);
    timers.fire();
    await timers.armedWith(80);
    timers.fire();
    expect(await closing).toEqual({ cause: undefined, failures: [], left: ['inner: a stuck one', 'another'] });
    expect(waits.size).toBe(0);
  });

  test('supervision/10: skips no other step after one that throws, at its stage or a later one', async () => {
    const order: string[] = [];
    const failures: ScopeFailure[] = [];
    const outer = new Scope('outer', { onFailure: (failure) => failures.push(failure) });
    const trip = (): never => {
      throw new Error('tripped');
    };
    outer.nest('inner').own('first', trip, 1_000);
    outer.nest('other').own('beside', () => order.push('beside'), 1_000);
    outer.own('second', () => Promise.reject(new Error('fell')), 1_000);
    outer.own('third', () => order.push('third'), 1_000);
    const report = await outer.close();
    expect(order).toEqual(['beside', 'third']);
    expect(failures.map(({ part, error }) => `${part}: ${(error as Error).message}`)).toEqual([
      'inner: first: tripped',
      'second: fell',
    ]);
    expect(report.failures).toEqual(failures);
  });

  test('supervision/10: keeps the first cause, whatever errors its cancels provoke', async () => {
    const scope = new Scope('a session');
    const cause = new Error('the disk is full');
    scope.run('writer', () => Promise.reject(cause), 1_000);
    scope.run('reader', (signal) => untilAborted(signal), 1_000);
    scope.run('other', (signal) => untilAborted(signal).catch(() => Promise.reject(new Error('provoked'))), 1_000);
    await Watched.turns(2);
    expect(scope.signal.reason).toBe(cause);
    const report = await scope.close();
    expect(report.cause).toBe(cause);
    // The reader only passed on what it was told; what the other one made of it stands beside the cause.
    expect(report.failures.map(({ part, error }) => `${part}: ${(error as Error).message}`)).toEqual([
      'other: provoked',
    ]);
  });

  test('supervision/10: throws the error that ended the block, though the teardown fails', async () => {
    const block = async (): Promise<void> => {
      await using scope = new Scope('a block');
      scope.own('step', () => Promise.reject(new Error('teardown')), 1_000);
      throw new Error('the first cause');
    };
    await expect(block()).rejects.toThrow(/^the first cause$/);
  });

  test('scope/5: ends at once a part that it gets too late, and begins nothing', async () => {
    const scope = new Scope('over');
    await scope.close();
    let ended = 0;
    let begun = 0;
    scope.own('late', () => (ended += 1), 1_000);
    scope.nest('late scope').own('late', () => (ended += 1), 1_000);
    scope.run(
      'late task',
      () => {
        begun += 1;
        return Promise.resolve();
      },
      1_000,
    );
    await Watched.turns(1);
    expect([ended, begun]).toEqual([2, 0]);
  });

  test('ends a step once, also when the step was ended early', async () => {
    let ended = 0;
    const scope = new Scope('x');
    const end = scope.own('step', () => (ended += 1), 1_000);
    await end();
    await end();
    await scope.close();
    expect(ended).toBe(1);
  });

  test('returns one report for two closes', async () => {
    const scope = new Scope('x');
    expect(scope.close()).toBe(scope.close());
    await scope.close();
  });

  test('skips no step because of a listener to failures', async () => {
    let ended = false;
    const scope = new Scope('x', {
      onFailure: () => {
        throw new Error('a bad listener');
      },
    });
    scope.own('first', () => Promise.reject(new Error('one')), 1_000);
    scope.own('second', () => (ended = true), 1_000);
    await scope.close();
    expect(ended).toBe(true);
  });
});

test('supervision/5: the teardown of 25 children takes the longest ladder, not the sum', async () => {
  const ladder = { closeGraceMs: 200, termGraceMs: 200 };
  const stubborn = Array.from({ length: 25 }, () => {
    const script = `trap '' TERM; echo up; while :; do sleep 300; done`;
    return new Watched([], { command: 'sh', args: ['-c', script], ...ladder });
  });
  await Promise.all(stubborn.map((child) => child.line(0)));
  const scope = new Scope('25 children');
  for (const child of stubborn) {
    scope.own(
      `child ${child.pid}`,
      async () => {
        child.child.close();
        await child.exit();
      },
      10_000,
    );
  }
  const began = performance.now();
  const report = await scope.close();
  const tookMs = performance.now() - began;
  expect(report).toEqual({ cause: undefined, failures: [], left: [] });
  expect(stubborn.map((child) => child.exits[0]?.rung)).toEqual(stubborn.map(() => 'kill'));
  expect(stubborn.filter((child) => !isGone(child.pid))).toEqual([]);
  expect(tookMs).toBeGreaterThanOrEqual(400);
  // The longest ladder and 200 ms; twice that on a machine that others use too. The sum would be 10 s.
  expect(tookMs).toBeLessThan(400 + 2 * 200);
});
