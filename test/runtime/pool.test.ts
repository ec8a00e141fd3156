/** Who may start an agent, and when: the shell of the slots. What the slots decide is tested in `test/core/slots`. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scriptedDriver } from '../../src/agents/index.ts';
import { sessionKey, taskId } from '../../src/core/model/ids.ts';
import { AgentPool, type PoolClaim, startShareMs } from '../../src/runtime/agent/pool.ts';
import { Workspaces } from '../../src/runtime/index.ts';
import { defaultLimits } from '../../src/runtime/options.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { openBox } from '../support/box.ts';

function setUp(limits: { maxAgents?: number; maxStarting?: number }) {
  const clock = new ManualClock();
  const pool = new AgentPool({
    limits: { ...defaultLimits, maxAgents: 100, maxStarting: 100, ...limits },
    clock,
    workspaces: null,
  });
  const log: string[] = [];
  const take = (name: string, urgent = false): PoolClaim => {
    const claim = pool.claim({
      session: sessionKey(name),
      needsFolder: false,
      task: () => taskId(`task of ${name}`),
      granted: () => void log.push(name),
      waits: (wait) => void log.push(`${name} waits for ${wait.for}`),
      failed: () => {},
      asked: (what, turn, by) => void log.push(`${name}: ${what} ${turn} for ${by.name}`),
    });
    claim.open(urgent);
    return claim;
  };
  return { clock, pool, log, take };
}

describe('the pool of agents', () => {
  it('starts a bounded number of agents at once, and the next one when one of them is ready', () => {
    const { log, take, clock } = setUp({ maxStarting: 2 });
    const [a] = [take('a'), take('b')];
    const c = take('c');
    expect(log).toEqual(['a', 'b', 'c waits for start']);
    expect(c.wait).toMatchObject({ for: 'start', limit: 2 });
    a.started();
    expect(log.at(-1)).toBe('c');
    expect(c.wait).toBeNull();
    a.started();
    expect(clock.armed).toBe(2);
  });

  it('starts the next agent when one ends before it is ready', () => {
    const { log, take, clock, pool } = setUp({ maxStarting: 1 });
    const a = take('a');
    take('b');
    a.release();
    a.release();
    expect(log).toEqual(['a', 'b waits for start', 'b']);
    expect(clock.armed).toBe(1);
    expect(pool.running).toBe(1);
  });

  it('S09: delays the others for two seconds only when an agent never becomes ready', () => {
    const { log, take, clock, pool } = setUp({ maxStarting: 1 });
    take('never ready');
    take('b');
    clock.advance(startShareMs - 1);
    expect(log.at(-1)).toBe('b waits for start');
    clock.advance(1);
    expect(log.at(-1)).toBe('b');
    expect(pool.running).toBe(2);
  });

  it('serves interactive tasks first, also those that have become urgent since', () => {
    const { log, take, clock } = setUp({ maxStarting: 1 });
    const first = take('first');
    take('background');
    const urgent = take('urgent');
    urgent.urgent = true;
    first.started();
    expect(log.at(-1)).toBe('urgent');
    clock.advance(startShareMs);
    expect(log.at(-1)).toBe('background');
  });

  it('asks the agent that has been idle longest to make room, and says which sessions have the slots', () => {
    const { log, take } = setUp({ maxAgents: 2 });
    const [a, b] = [take('a'), take('b')];
    b.uses('idle', 1);
    a.uses('idle', 1);
    const c = take('c');
    expect(log.slice(2)).toEqual(['b: make-room 0 for task of c', 'c waits for slot']);
    expect(c.wait).toMatchObject({ for: 'slot', limit: 2, sessions: ['a', 'b'] });
    b.release();
    expect(log.at(-1)).toBe('c');
  });

  it('interrupts a background turn for an urgent claim, and names its task', () => {
    const { log, take } = setUp({ maxAgents: 1 });
    take('a').uses('background', 7);
    take('u', true);
    expect(log.slice(1)).toEqual(['a: give-way 7 for task of u', 'u waits for slot']);
  });

  it('lets a claim come first when it has waited for `maxWaitMs`, and says when that will be', () => {
    const { log, take, clock } = setUp({ maxAgents: 1 });
    const a = take('a');
    a.uses('shielded', 1);
    const b = take('b');
    expect(b.wait?.dueAt).toBe(clock.now() + defaultLimits.maxWaitMs);
    clock.advance(defaultLimits.maxWaitMs);
    expect(log.at(-1)).toBe('a: hand-over 0 for task of b');
    a.release();
    expect(log.at(-1)).toBe('b');
    expect(clock.armed).toBe(2);
  });

  it('forgets a start that was given up, and starts nothing after it is closed', () => {
    const { pool, log, take } = setUp({ maxStarting: 1 });
    const a = take('a');
    take('gave up').release();
    take('c');
    a.started();
    expect(log.at(-1)).toBe('c');
    take('d');
    pool.close();
    a.release();
    expect(log.at(-1)).toBe('d waits for start');
  });
});

describe('a session that waits for its agent to start', () => {
  it('pool/5: says that it waits for a slot when its folder is free and another session gets the slot', async () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-pool-')));
    const workspaces = new Workspaces({ root, rules: [{ session: 'shared *', folder: join(root, 'shared') }] });
    await using one = await openBox({ agent: scriptedDriver({ chunkMs: 0 }), workspaces, limits: { maxAgents: 1 } });
    const endless = '[[forever:5]]';
    const first = await one.send({ session: 'shared one', prompt: endless });
    await one.event(first, 'turn-started');
    const second = await one.background({ session: 'shared two', prompt: '[[text:served]]' });
    const urgent = await one.send({ session: 'urgent', prompt: endless });
    await one.quiet();
    await one.box.cancel(first);
    await one.event(urgent, 'turn-started');
    await one.quiet();
    const tape = await one.box.tape('shared two', null, 0, 1_000);
    expect(tape.filter(({ type }) => type === 'throttled').map(({ data }) => data)).toMatchObject([
      { reason: 'folder_in_use' },
      { reason: 'slots_taken' },
    ]);
    expect(await one.box.explain(second)).toMatchObject({ throttle: { cause: 'slot', reason: 'slots_taken' } });
    await one.box.cancel(urgent);
    expect(await one.ended(second)).toMatchObject({ status: 'completed' });
    rmSync(root, { recursive: true, force: true });
  });

  it('says what it waits for, and an interactive one is served before those that came earlier', async () => {
    await using setup = await openBox({ limits: { maxAgents: 1 } });
    const { box, stage } = setup;
    await setup.background({ session: 'busy', prompt: 'first' });
    const first = await stage.turn();
    const early = await setup.background({ session: 'early', prompt: 'background' });
    await setup.send({ session: 'late', lane: 'interactive', prompt: 'urgent' });
    expect(await box.explain(early)).toMatchObject({
      agent: 'starting, waits: all agent slots (limits.maxAgents: 1) are taken, by busy',
      throttle: { cause: 'slot', reason: 'slots_taken' },
      waitsFor: expect.arrayContaining([expect.objectContaining({ deadline: 'wait' })]) as unknown,
    });
    await first.interrupted;
    (await stage.turn()).finish();
    (await stage.turn()).finish();
    (await stage.turn()).finish();
    expect(stage.prompts).toEqual(['first', 'urgent', 'background', expect.stringMatching(/interrupted.*first$/s)]);
  });
});
