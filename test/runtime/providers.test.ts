import { describe, expect, it } from 'vitest';
import { functionDriver, scriptedDriver } from '../../src/agents/index.ts';
import { failureRules, type FailureClass, type ProviderFailure } from '../../src/agents/failures.ts';
import { readEvent, type SentEvent } from '../../src/protocol/events/read.ts';
import { Providers, type ProvidersParts } from '../../src/runtime/throttle/providers.ts';
import { throttleRules, stricter } from '../../src/runtime/throttle/rules.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type Box, openBox } from '../support/box.ts';

const failure = (kind: FailureClass, retryAfterMs: number | null = null): ProviderFailure => ({
  class: kind,
  retryAfterMs,
  status: null,
  message: `${kind} it says`,
});

/** Without chance: every wait is as long as it can be. */
const random = (): number => 0;

function providers(clock = new ManualClock()): {
  readonly one: Providers;
  readonly clock: ManualClock;
  readonly changes: (string | null)[];
} {
  const changes: (string | null)[] = [];
  const parts: ProvidersParts = {
    clock,
    random,
    changed: (name) => {
      const throttle = one.throttleOf(name);
      changes.push(throttle === null ? null : `${throttle.level} ${throttle.reason}`);
    },
  };
  const one = new Providers(parts);
  return { one, clock, changes };
}

describe('a provider', () => {
  it('that reports a limit is throttled completely, then lets interactive work probe, then all work', () => {
    const { one, clock, changes } = providers();
    one.failed('p', failure('rate_limit'), clock.now());
    expect(one.view('p')).toMatchObject({
      state: 'throttled',
      level: 'all',
      throttlesInRow: 1,
      until: clock.wall() + 5_000,
    });
    clock.advance(5_000);
    expect(one.view('p')).toMatchObject({ state: 'probing', level: 'background' });
    clock.advance(5_000);
    expect(one.view('p')).toMatchObject({ state: 'free', level: null, reason: null, until: null });
    expect(changes).toEqual(['all rate_limit', 'background rate_limit', null]);
  });

  it('gets no turn before the end of its own hint, however long it is', () => {
    const { one, clock } = providers();
    one.failed('p', failure('rate_limit', 900_000), clock.now());
    expect(one.view('p').until).toBe(clock.wall() + 900_000);
    clock.advance(899_999);
    expect(one.view('p').level).toBe('all');
  });

  it('is throttled until a whole millisecond, also where the clocks differ by a fraction', () => {
    class Clock extends ManualClock {
      override wall(): number {
        return Math.floor(super.wall());
      }
    }
    const { one, clock } = providers(new Clock());
    one.failed('p', failure('rate_limit', 900_000), clock.now());
    clock.advance(0.3);
    one.failed('p', failure('rate_limit'), clock.now());
    expect(one.view('p').until).toBe(clock.wall() + 900_000);
  });

  it('is throttled twice as long each time that a probe fails, up to the bound of its class', () => {
    const { one, clock } = providers();
    const waits: number[] = [];
    for (let count = 0; count < 8; count += 1) {
      one.failed('p', failure('overloaded'), clock.now());
      waits.push((one.view('p').until ?? 0) - clock.wall());
      clock.advance(waits.at(-1) ?? 0);
    }
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 120_000, 120_000]);
  });

  it('providers/1: gets one throttle for a hundred turns that fail together, and only a longer hint makes it longer', () => {
    const { one, clock } = providers();
    const sentAt = clock.now();
    clock.advance(10);
    for (let turn = 0; turn < 100; turn += 1) {
      one.failed('p', failure('rate_limit'), sentAt);
    }
    expect(one.view('p')).toMatchObject({ throttlesInRow: 1, failures: 100, until: clock.wall() + 5_000 });
    one.failed('p', failure('rate_limit', 3_000), sentAt);
    expect(one.view('p').until).toBe(clock.wall() + 5_000);
    one.failed('p', failure('rate_limit', 30_000), sentAt);
    expect(one.view('p')).toMatchObject({ throttlesInRow: 1, until: clock.wall() + 30_000 });
  });

  it('that fails once lets interactive work continue, and is throttled completely when it fails again and again', () => {
    const { one, clock, changes } = providers();
    for (let turn = 0; turn < 3; turn += 1) {
      clock.advance(1);
      one.failed('p', failure('server_error'), clock.now());
    }
    expect(changes).toEqual(['background server_error', 'all server_error']);
    expect(one.view('p').throttlesInRow).toBe(3);
  });

  it('that fails in a hundred turns at once counts as failed once', () => {
    const { one, clock } = providers();
    const sentAt = clock.now();
    clock.advance(10);
    for (let turn = 0; turn < 100; turn += 1) {
      one.failed('p', failure('server_error'), sentAt);
    }
    expect(one.view('p')).toMatchObject({ level: 'background', throttlesInRow: 1 });
  });

  it('that reports a limit after a smaller failure is throttled completely, and a smaller failure does not undo that', () => {
    const { one, clock, changes } = providers();
    const sentAt = clock.now();
    clock.advance(1);
    one.failed('p', failure('server_error'), sentAt);
    one.failed('p', failure('rate_limit'), sentAt);
    one.failed('p', failure('server_error'), sentAt);
    expect(changes).toEqual(['background server_error', 'all rate_limit']);
    expect(one.view('p').until).toBe(clock.wall() + 5_000);
  });

  it('providers/3: throttles background work for a retry by the agent, and never prolongs a throttle of all work', () => {
    const { one, clock, changes } = providers();
    one.retrying('p', failure('overloaded', 7_000), clock.now());
    expect(one.view('p')).toMatchObject({ level: 'background', until: clock.wall() + 7_000 });
    one.failed('p', failure('overloaded'), clock.now());
    const { until } = one.view('p');
    one.retrying('p', failure('overloaded', 60_000), clock.now());
    expect(one.view('p')).toMatchObject({ level: 'all', until });
    expect(changes).toEqual(['background overloaded', 'all overloaded']);
  });

  it('is free again with the first turn that completes while it is probed, and its count is reset', () => {
    const { one, clock } = providers();
    one.failed('p', failure('rate_limit'), clock.now());
    // Sent before the throttle: it says nothing of the limit.
    one.succeeded('p');
    expect(one.view('p').state).toBe('throttled');
    clock.advance(5_000);
    one.succeeded('p');
    expect(one.view('p')).toMatchObject({ state: 'free', throttlesInRow: 0 });
    one.failed('p', failure('rate_limit'), clock.now());
    expect(one.view('p').until).toBe(clock.wall() + 5_000);
  });

  it('that had no failure for long has its count reset, and so has one that is resumed', () => {
    const { one, clock } = providers();
    one.failed('p', failure('auth'), clock.now());
    one.failed('p', failure('auth'), clock.now() + 1);
    expect(one.view('p').throttlesInRow).toBe(2);
    clock.advance(3_600_000);
    one.failed('p', failure('auth'), clock.now());
    expect(one.view('p').throttlesInRow).toBe(1);
    expect(one.resume('p')).toBe(true);
    expect(one.resume('p')).toBe(false);
    expect(one.view('p')).toMatchObject({ state: 'free', throttlesInRow: 0 });
    expect(clock.armed).toBe(0);
  });

  it('is throttled alone: another one is not throttled', () => {
    const { one, clock } = providers();
    one.failed('p', failure('quota'), clock.now());
    expect(one.throttleOf('q')).toBeNull();
    expect(one.list().map(({ name }) => name)).toEqual(['p']);
    one.close();
    expect(clock.armed).toBe(0);
  });
});

it('the stricter of two throttles counts, and the longer of two equal ones', () => {
  const all = { level: 'all', reason: 'a', until: 10 } as const;
  const back = { level: 'background', reason: 'b', until: 99 } as const;
  expect(stricter(all, back)).toBe(all);
  expect(stricter(back, all)).toBe(all);
  expect(stricter(all, { ...all, until: 20 })).toMatchObject({ until: 20 });
  expect(stricter({ ...all, until: null }, { ...all, until: 20 })).toMatchObject({ until: null });
  expect(stricter(null, back)).toBe(back);
  expect(stricter(null, null)).toBeNull();
});

/** A turn of the session that fails, as its agent says it. */
async function failing(one: Box, task: string, kind: FailureClass, retryAfterMs: number | null = null): Promise<void> {
  (await one.stage.turn()).refuse(failure(kind, retryAfterMs));
  await one.event(task, 'turn-ended');
}

const classes = Object.keys(failureRules) as readonly FailureClass[];

describe('S13: the sessions of a provider', () => {
  it.each(classes.filter((kind) => failureRules[kind].transient))(
    '%s: retry the turn when the wait is over, without a lost attempt, and the tape has the reason',
    async (kind) => {
      const clock = new ManualClock();
      await using one = await openBox({ clock, random });
      // A first task without a login fails at once.
      await one.send({});
      (await one.stage.turn()).finish();
      const task = await one.send({ maxAttempts: 1 });
      await failing(one, task, kind);
      expect(await one.box.session('test:one')).toMatchObject({ throttle: { level: 'all', reason: kind } });
      expect(one.stage.unplayed).toBe(0);
      const wait = throttleRules[kind]?.firstMs ?? 0;
      clock.advance(wait - 1);
      await one.quiet();
      expect(one.stage.unplayed).toBe(0);
      clock.advance(1);
      (await one.stage.turn()).finish('the answer');
      const ended = await one.ended(task);
      expect(ended).toMatchObject({ status: 'completed', row: { attempts: 1, retries: 1 } });
      const tape = await one.tape(task);
      expect(tape.find(({ type }) => type === 'turn-ended')?.data).toMatchObject({
        outcome: 'failed',
        failure: { class: kind, hint: failureRules[kind].hint, message: `${kind} it says` },
      });
      expect(tape.find(({ type }) => type === 'turn-retried')?.data).toMatchObject({ reason: kind, retry: 1 });
      const session = await one.box.tape('test:one', null, 0, 100);
      expect(session.map(({ type }) => type)).toEqual(expect.arrayContaining(['throttled', 'unthrottled']));
    },
  );

  it.each(classes.filter((kind) => !failureRules[kind].transient))(
    '%s: end the task as failed with class and hint, and do not take an error text for an answer',
    async (kind) => {
      await using one = await openBox();
      const task = await one.send({});
      await failing(one, task, kind);
      expect(await one.ended(task)).toMatchObject({
        status: 'failed',
        reason: kind,
        final: { answer: { failure: { class: kind, hint: failureRules[kind].hint } } },
      });
    },
  );

  it('wait before the failed turn is reported: no retry starts at once, and the other sessions wait too', async () => {
    const clock = new ManualClock();
    await using one = await openBox({ clock, random });
    await one.send({ session: 'a', prompt: 'a' });
    const first = await one.stage.turn();
    await one.send({ session: 'b', prompt: 'b' });
    const second = await one.stage.turn();
    await one.send({ session: 'b', prompt: 'later' });
    first.refuse(failure('rate_limit', 20_000));
    await one.quiet();
    // Whoever runs goes on; nobody is interrupted for the provider.
    expect(second.context.signal.aborted).toBe(false);
    second.finish();
    await one.send({ session: 'c', prompt: 'opened while it is throttled' });
    clock.advance(19_999);
    await one.quiet();
    expect(one.stage.prompts).toEqual(['a', 'b']);
    expect(await one.box.session('c')).toMatchObject({ throttle: { cause: 'provider', detail: 'function' } });
    clock.advance(1);
    const prompts = [await one.stage.turn(), await one.stage.turn(), await one.stage.turn()];
    const said = prompts.map(({ prompt }) => prompt.split('\n').at(-1));
    expect(new Set(said)).toEqual(new Set(['a', 'later', 'opened while it is throttled']));
    for (const turn of prompts) {
      turn.finish();
    }
  });

  it('run interactive work first when the throttle ends: background work waits for the first success', async () => {
    const clock = new ManualClock();
    await using one = await openBox({ clock, random });
    const first = await one.send({ session: 'a', prompt: 'a' });
    await failing(one, first, 'rate_limit');
    await one.send({ session: 'b', lane: 'background', prompt: 'background' });
    clock.advance(5_000);
    const probe = await one.stage.turn();
    expect(probe.prompt).toContain('a');
    await one.quiet();
    expect(one.stage.unplayed).toBe(0);
    probe.finish();
    (await one.stage.turn()).finish();
    expect(one.stage.prompts.at(-1)).toBe('background');
  });

  it.each([
    ['auth', 60],
    ['quota', 60],
    ['network', 8],
    ['server_error', 1],
    ['overloaded', 1],
  ] as const)('B01: 12 background tasks outlast %s of %i hours, and name it meanwhile', async (kind, hours) => {
    const clock = new ManualClock();
    let down = false;
    const agent = functionDriver(async function* () {
      yield { kind: 'thinking' as const, text: 'hm' };
      return down ? { outcome: 'failed' as const, failure: failure(kind) } : { text: 'answered' };
    });
    await using one = await openBox({ clock, random, agent });
    const sessions = ['a', 'b', 'c'];
    for (const session of sessions) {
      await one.ended(await one.send({ session }));
    }
    down = true;
    const tasks: string[] = [];
    for (let sent = 0; sent < 12; sent += 1) {
      tasks.push(await one.background({ session: sessions[sent % sessions.length] ?? 'a', maxAttempts: 3 }));
    }
    for (let minutes = 0; minutes < hours * 60; minutes += 5) {
      await one.quiet();
      clock.advance(300_000);
    }
    await one.quiet();
    for (const task of tasks) {
      expect(await one.box.task(task)).toMatchObject({ endedAt: null });
      expect((await one.box.explain(task))?.summary).toContain(kind);
    }
    down = false;
    const ends = Promise.all(tasks.map((task) => one.ended(task)));
    // The longest wait of a provider is an hour; its first success lets the others follow.
    for (let minutes = 0; minutes < 120; minutes += 5) {
      clock.advance(300_000);
      await one.quiet();
    }
    for (const end of await ends) {
      expect(end).toMatchObject({ status: 'completed', row: { attempts: 1 } });
    }
  });

  it('S13: never use up a task: it is retried as often as it takes', async () => {
    const clock = new ManualClock();
    await using one = await openBox({ clock, random });
    const task = await one.send({ maxAttempts: 1, onLost: 'fail' });
    for (let turn = 0; turn < 12; turn += 1) {
      (await one.stage.turn()).refuse(failure('overloaded'));
      await one.quiet();
      clock.advance(300_000);
    }
    (await one.stage.turn()).finish();
    expect(await one.ended(task)).toMatchObject({ status: 'completed', row: { retries: 12, attempts: 1 } });
    // Nobody urgent came: the agent must not be told so.
    expect(one.stage.prompts).toEqual([
      'hello',
      ...Array(12).fill(
        '[signalbox] An earlier turn on this task failed before its end. Continue from where it stopped. The task was:\n\nhello',
      ),
    ]);
  });

  it('throttle only background work while their agent retries by itself', async () => {
    const clock = new ManualClock();
    await using one = await openBox({ clock, random });
    await one.send({ session: 'a' });
    const turn = await one.stage.turn();
    turn.context.retrying({ class: 'overloaded', status: 529 });
    await one.send({ session: 'b', lane: 'background', prompt: 'background' });
    await one.send({ session: 'c', prompt: 'interactive' });
    const urgent = await one.stage.turn();
    expect(urgent.prompt).toBe('interactive');
    await one.quiet();
    expect(one.stage.unplayed).toBe(0);
    clock.advance(2_000);
    const back = await one.stage.turn();
    expect(back.prompt).toBe('background');
    for (const each of [turn, urgent, back]) {
      each.finish();
    }
  });

  it('whose conversations are too long for the model throttle their background work until a turn completes', async () => {
    const clock = new ManualClock();
    await using one = await openBox({ clock, random, conversation: { onFull: 'fail' } });
    const task = await one.background({ prompt: 'too long' });
    await one.background({ prompt: 'next in line' });
    await failing(one, task, 'context');
    expect(await one.ended(task)).toMatchObject({ status: 'failed', reason: 'context' });
    expect(await one.box.session('test:one')).toMatchObject({ throttle: { level: 'background', cause: 'context' } });
    await one.send({ prompt: 'compact it' });
    (await one.stage.turn()).finish();
    const next = await one.stage.turn();
    expect(next.prompt).toBe('next in line');
    next.finish();
  });

  it.each([1e300, Number.POSITIVE_INFINITY, 100.75])(
    'with the hint %d are throttled for a month at most, and the throttle is explained',
    async (hint) => {
      await using one = await openBox();
      const task = await one.send({});
      (await one.stage.turn()).refuse(failure('rate_limit', hint));
      await one.event(task, 'turn-retried');
      const ended = (await one.tape(task)).findLast(({ type }) => type === 'turn-ended');
      expect(readEvent(ended as SentEvent)).toMatchObject({
        kind: 'known',
        data: { failure: { class: 'rate_limit' } },
      });
      const waits = (await one.box.explain(task))?.summary ?? '';
      const until = Date.parse(/until (\S+Z)/.exec(waits)?.[1] ?? '');
      expect(until - Date.now()).toBeLessThan(32 * 86_400_000);
      expect(until).toBeGreaterThan(0);
    },
  );

  it('stay in memory until the throttle is lifted, and not longer: the tape has both', async () => {
    const clock = new ManualClock();
    await using one = await openBox({ clock, random, limits: { agentIdleMs: 10 } });
    const task = await one.send({});
    for (let turn = 0; turn < 2; turn += 1) {
      (await one.stage.turn()).refuse(failure('overloaded'));
      await one.quiet();
      if (turn === 0) {
        clock.advance(60_000);
      }
    }
    await one.box.cancel(task);
    await one.ended(task);
    clock.advance(10);
    expect((await one.box.stats()).sessionsLive).toBe(1);
    clock.advance(120_000);
    await one.quiet();
    expect((await one.box.stats()).sessionsLive).toBe(0);
    const told = (await one.box.tape('test:one', null, 0, 100)).filter(({ type }) => type.endsWith('throttled'));
    expect(told.map(({ type, data }) => `${type} ${(data as { level?: string }).level ?? ''}`.trim())).toEqual([
      'throttled all',
      'throttled background',
      'unthrottled',
      'throttled all',
      'throttled background',
      'unthrottled',
    ]);
  });
});

describe('S13: a real process behind the agent protocol', () => {
  it.each([
    ['429,60000', 'rate_limit'],
    ['529', 'overloaded'],
    ['500', 'server_error'],
    ['401', 'auth'],
    ['drop', 'network'],
    ['quota', 'quota'],
  ] as const)('api:%s throttles its session as %s, and the turn is retried after a resume', async (api, kind) => {
    await using one = await openBox({ agent: scriptedDriver({ chunkMs: 0 }), random });
    // It has worked before: a first task without a login fails at once.
    await one.ended(await one.send({ prompt: '[[text:ready]]' }));
    const task = await one.send({ prompt: `[[api:${api}]]`, maxAttempts: 1 });
    expect((await one.event(task, 'turn-ended')).data).toMatchObject({ failure: { class: kind } });
    await one.event(task, 'turn-retried');
    expect(await one.box.session('test:one')).toMatchObject({ throttle: { level: 'all', reason: kind } });
    expect(await one.box.providers()).toMatchObject([{ name: 'scripted', state: 'throttled', reason: kind }]);
    expect(await one.box.resumeProvider('scripted')).toEqual({ kind: 'ok' });
    await one.event(task, 'turn-retried', ({ data }) => data.retry === 2);
    await one.box.cancel(task);
    expect(await one.ended(task)).toMatchObject({ status: 'cancelled', row: { attempts: 1 } });
  });

  it('api:401 fails the first task of a session at once, with the words of the agent; the next one waits', async () => {
    await using one = await openBox({ agent: scriptedDriver({ chunkMs: 0 }), random });
    const first = await one.send({ prompt: '[[api:401]]' });
    const second = await one.send({ prompt: '[[api:401]]' });
    const ended = await one.ended(first);
    expect(ended).toMatchObject({ status: 'failed', reason: 'auth' });
    expect(ended.final?.answer?.failure).toMatchObject({ login: true, hint: expect.stringContaining('Log in') });
    expect(await one.box.resumeProvider('scripted')).toEqual({ kind: 'ok' });
    await one.event(second, 'turn-retried');
    expect((await one.box.task(second))?.endedAt).toBeNull();
  });

  it.each([
    ['400', 'invalid_request'],
    ['404', 'model'],
    ['413', 'context'],
  ] as const)('api:%s ends its task as failed with the reason %s', async (api, kind) => {
    await using one = await openBox({ agent: scriptedDriver({ chunkMs: 0 }) });
    const task = await one.send({ prompt: `[[api:${api}]]` });
    expect(await one.ended(task)).toMatchObject({ status: 'failed', reason: kind });
  });
});
