/** Agents that end, or never begin: real processes under a clock of the test's own. */
import { describe, expect, it } from 'vitest';
import { functionDriver, processDriver, scriptedDriver } from '../../src/agents/index.ts';
import type { AgentDriver } from '../../src/agents/port.ts';
import { type SessionKey, sessionKey } from '../../src/core/model/ids.ts';
import { Crashes } from '../../src/runtime/throttle/crashes.ts';
import type { StoredEvent } from '../../src/store/port.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type Box, openBox } from '../support/box.ts';

const key: SessionKey = sessionKey('test:one');
const random = (): number => 0;

/** The session's own events, as soon as there are as many of the type. */
async function events(one: Box, type: string, count: number, session = 'test:one'): Promise<readonly StoredEvent[]> {
  for (;;) {
    const more = Promise.withResolvers<void>();
    const stop = one.box.listen({ session: sessionKey(session) }, () => more.resolve());
    const found = (await one.box.tape(session, null, 0, 1_000)).filter((event) => event.type === type);
    if (found.length >= count) {
      stop();
      return found;
    }
    await more.promise;
    stop();
  }
}

const exiting = processDriver({ command: process.execPath, args: ['-e', 'process.exit(3)'] });

describe('S11: an agent that keeps ending', () => {
  it('is started again at once, then after longer and longer waits, and not while the breaker is open', async () => {
    const clock = new ManualClock();
    await using one = await openBox({
      clock,
      random,
      agent: exiting,
      limits: { maxCrashes: 4, crashThrottleMs: 60_000 },
    });
    await one.send({ maxAttempts: 100 });
    const waits: number[] = [];
    for (let crash = 1; crash <= 4; crash += 1) {
      await events(one, 'agent-exited', crash);
      await one.quiet();
      const throttle = (await one.box.session('test:one'))?.throttle ?? null;
      waits.push(throttle === null ? 0 : (throttle.until ?? 0) - clock.wall());
      expect(throttle?.reason).toBe([undefined, 'agent_crashed', 'agent_crashed', 'agent_crash_loop'][crash - 1]);
      if (crash < 4) {
        clock.advance(waits.at(-1) ?? 0);
      }
    }
    expect(waits).toEqual([0, 500, 1_000, 60_000]);
    expect((await events(one, 'throttled', 3)).map(({ data }) => data)).toMatchObject([
      { reason: 'agent_crashed', level: 'all' },
      { reason: 'agent_crashed', level: 'all' },
      { reason: 'agent_crash_loop', level: 'all' },
    ]);
    const tasks = await one.box.tasks({}, null, 1);
    expect((await one.box.explain(tasks.items[0]?.row.id ?? ''))?.summary).toMatch(
      /^All work of the session is throttled \(agent_crash_loop\) until /,
    );
    clock.advance(59_999);
    await one.quiet();
    expect(await events(one, 'agent-starting', 4)).toHaveLength(4);
    // One start finds out; it fails, and the throttle is twice as long.
    clock.advance(1);
    await events(one, 'agent-exited', 5);
    await one.quiet();
    const { until } = (await one.box.session('test:one'))?.throttle ?? {};
    expect((until ?? 0) - clock.wall()).toBe(120_000);
    await one.box.stop('test:one', 'session');
  });

  it('works again after the trial: the breaker closes, and the next crash is the first in a row', async () => {
    const clock = new ManualClock();
    const driver = scriptedDriver({ chunkMs: 0 });
    await using one = await openBox({
      clock,
      random,
      agent: driver,
      limits: { maxCrashes: 2, crashThrottleMs: 60_000 },
    });
    const dying = await one.send({ prompt: '[[die:3]]', maxAttempts: 2 });
    expect(await one.ended(dying)).toMatchObject({ status: 'failed', reason: 'agent_lost' });
    await events(one, 'throttled', 1);
    const next = await one.send({ prompt: '[[text:back]]' });
    await one.quiet();
    expect(await events(one, 'agent-starting', 2)).toHaveLength(2);
    clock.advance(60_000);
    expect(await one.ended(next)).toMatchObject({ status: 'completed' });
    const again = await one.send({ prompt: '[[die:3]]', maxAttempts: 1 });
    await one.ended(again);
    expect((await one.box.session('test:one'))?.throttle).toBeNull();
  });

  it('is resumed by the operator who has mended it', async () => {
    const clock = new ManualClock();
    await using one = await openBox({ clock, random, agent: exiting, limits: { maxCrashes: 1 } });
    await one.send({ maxAttempts: 100 });
    await events(one, 'throttled', 1);
    await one.quiet();
    expect(await one.box.restartAgent('test:one')).toEqual({ kind: 'ok' });
    await events(one, 'agent-exited', 2);
    await one.box.stop('test:one', 'session');
  });

  it('that the daemon ends, or that exits between two turns, has not crashed', async () => {
    const clock = new ManualClock();
    await using one = await openBox({ clock, random, limits: { maxCrashes: 1 } });
    await one.background();
    await one.stage.turn();
    await one.box.restartAgent('test:one');
    await events(one, 'agent-exited', 1);
    (await one.stage.turn()).finish();
    expect((await one.box.session('test:one'))?.throttle ?? null).toBeNull();
  });
});

describe('the count of crashes', () => {
  it('crashes/1: makes each crash after the first in a row wait longer; crashes/3: starts again after a turn that ended', () => {
    const crashes = new Crashes(10, 60_000).of(key);
    const waits = Array.from({ length: 5 }, (_, at) => crashes.crashed(at * 10_000, random).ms);
    expect(waits).toEqual([0, 500, 1_000, 2_000, 4_000]);
    crashes.worked();
    expect(crashes.crashed(100_000, random).ms).toBe(0);
    // Half an hour later it is the first again.
    expect(crashes.crashed(1_900_000, random).ms).toBe(0);
  });

  it('survives the removal of the session from memory while the breaker is open', () => {
    const all = new Crashes(2, 60_000);
    all.of(key).crashed(0, random);
    all.of(key).crashed(1, random);
    expect(all.of(key).openUntil(50_000)).toBe(60_001);
    expect(all.of(key).openUntil(60_001)).toBeNull();
    expect(all.of(sessionKey('another')).openUntil(50_000)).toBeNull();
  });
});

describe('S09: a start that throws', () => {
  const good = functionDriver(async function* () {
    yield 'fine';
  });
  /** Starts in one session fail as a machine without processes, memory or disk lets them fail. */
  const failing = (error: () => never): AgentDriver => ({
    ...good,
    name: 'failing',
    provider: 'function',
    start: (start) => (start.session === 'bad' ? error() : good.start(start)),
  });

  it.each([
    ['EAGAIN', () => Object.assign(new Error('spawn EAGAIN'), { code: 'EAGAIN' })],
    ['ENOSPC', () => Object.assign(new Error('no space left on device, mkdir'), { code: 'ENOSPC' })],
  ])(
    '%s: stops that session for a while, is recorded on its tape, and does not stop the others',
    async (code, make) => {
      const clock = new ManualClock();
      const agent = failing(() => {
        throw make();
      });
      await using one = await openBox({ clock, random, agent, limits: { maxCrashes: 3 } });
      const bad = await one.send({ session: 'bad', maxAttempts: 100 });
      const [exited] = await events(one, 'agent-exited', 1, 'bad');
      expect(exited?.data).toMatchObject({ reason: 'spawn_failed', data: { code } });
      await events(one, 'throttled', 1, 'bad');
      const others = await Promise.all(['a', 'b', 'c'].map((session) => one.send({ session })));
      for (const other of others) {
        expect(await one.ended(other)).toMatchObject({ status: 'completed' });
      }
      expect(await one.box.task(bad)).toMatchObject({ status: 'running' });
      expect(one.errors.length).toBeGreaterThan(0);
      await one.box.stop('bad', 'session');
    },
  );

  it('B03 a task waits for a missing program, burns no attempt, and expires; the tape of the session names the program', async () => {
    const agent = processDriver({ command: '/no/such/program' });
    const clock = new ManualClock();
    await using one = await openBox({ clock, random, agent });
    const task = await one.send({ maxAttempts: 1, expiresIn: 60_000 });
    await one.event(task, 'attempt-retried');
    expect(await one.box.task(task)).toMatchObject({ endedAt: null, row: { attempts: 1 } });
    clock.advance(60_000);
    expect(await one.ended(task)).toMatchObject({ status: 'failed', reason: 'expired' });
    const [exited] = await events(one, 'agent-exited', 1);
    expect(exited?.data).toMatchObject({ reason: 'spawn_failed' });
    expect(JSON.stringify(exited?.data)).toContain('/no/such/program');
  });
});

it('S12: an unknown conversation is reset, and the tape and the next prompt say so', async () => {
  const known = new Set<string>();
  const prompts: string[] = [];
  const agent = functionDriver(
    async function* (prompt, { conversation }) {
      known.add(conversation);
      prompts.push(prompt);
      yield 'fine';
    },
    { knows: (conversation) => known.has(conversation) },
  );
  await using one = await openBox({ agent });
  await one.ended(await one.send({ prompt: 'first' }));
  const before = (await one.box.session('test:one'))?.row.conversation;
  await one.box.restartAgent('test:one');
  await events(one, 'agent-exited', 1);
  await one.ended(await one.send({ prompt: 'second' }));
  expect((await one.box.session('test:one'))?.row.conversation).toBe(before);
  known.clear();
  await one.box.restartAgent('test:one');
  await events(one, 'agent-exited', 2);
  await one.ended(await one.send({ prompt: 'third' }));
  expect((await events(one, 'conversation-reset', 1)).map(({ data }) => data)).toEqual([{ conversation: before }]);
  expect((await one.box.session('test:one'))?.row.conversation).not.toBe(before);
  await one.ended(await one.send({ prompt: 'fourth' }));
  expect(prompts[1]).toBe('second');
  expect(prompts[2]).toContain('could not be resumed');
  expect(prompts[2]).toContain('third');
  expect(prompts[3]).toBe('fourth');
});
