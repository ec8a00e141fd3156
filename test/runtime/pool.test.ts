/** Who may start an agent, and when. */
import { describe, expect, it } from 'vitest';
import { AgentPool, startShareMs } from '../../src/runtime/agent/pool.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { openBox } from '../support/box.ts';

function setUp(limits: { maxAgents?: number; maxStarting?: number }) {
  const clock = new ManualClock();
  const pool = new AgentPool({ maxAgents: 100, maxStarting: 100, ...limits }, clock);
  const log: string[] = [];
  const take = (name: string, urgent = false) =>
    pool.take({ urgent: () => urgent, makeRoom: () => log.push(`${name} makes room`) }, () => log.push(name));
  return { clock, pool, log, take };
}

describe('the pool of agents', () => {
  it('starts a bounded number of agents at once, and the next one when one of them is ready', () => {
    const { pool, log, take, clock } = setUp({ maxStarting: 2 });
    const [a] = [take('a'), take('b')];
    const c = take('c');
    expect(log).toEqual(['a', 'b']);
    expect(pool.waitsFor(c)).toBe('its turn to start (limits.maxStarting: 2)');
    pool.ready(a);
    expect(log).toEqual(['a', 'b', 'c']);
    expect(pool.waitsFor(c)).toBeNull();
    pool.ready(a);
    expect(clock.armed).toBe(2);
  });

  it('starts the next agent when one ends before it is ready', () => {
    const { pool, log, take, clock } = setUp({ maxStarting: 1 });
    const a = take('a');
    take('b');
    pool.give(a);
    expect(log).toEqual(['a', 'b']);
    expect(clock.armed).toBe(1);
    expect(pool.running).toBe(1);
  });

  it('S09: delays the others for two seconds only when an agent never becomes ready', () => {
    const { pool, log, take, clock } = setUp({ maxStarting: 1 });
    take('never ready');
    take('b');
    clock.advance(startShareMs - 1);
    expect(log).toEqual(['never ready']);
    clock.advance(1);
    expect(log).toEqual(['never ready', 'b']);
    expect(pool.running).toBe(2);
  });

  it('serves interactive tasks first, also those that have become urgent since', () => {
    const { pool, log, take, clock } = setUp({ maxStarting: 1 });
    const first = take('first');
    let urgent = false;
    take('background');
    pool.take({ urgent: () => urgent, makeRoom: () => {} }, () => log.push('urgent'));
    urgent = true;
    pool.ready(first);
    expect(log).toEqual(['first', 'urgent']);
    clock.advance(startShareMs);
    expect(log).toEqual(['first', 'urgent', 'background']);
  });

  it('asks the agent that has been idle longest to make room, and says what a start waits for', () => {
    const { pool, log, take } = setUp({ maxAgents: 2 });
    const [a, b] = [take('a'), take('b')];
    pool.idle(b, 5);
    pool.idle(a, 10);
    const c = take('c');
    expect(log).toEqual(['a', 'b', 'b makes room']);
    expect(pool.waitsFor(c)).toBe('room among the agents that run (limits.maxAgents: 2)');
    pool.give(b);
    expect(log).toEqual(['a', 'b', 'b makes room', 'c']);
  });

  it('forgets a start that was given up', () => {
    const { pool, log, take } = setUp({ maxStarting: 1 });
    const a = take('a');
    pool.give(take('gave up'));
    take('c');
    pool.ready(a);
    expect(log).toEqual(['a', 'c']);
  });
});

describe('a session that waits for its agent to start', () => {
  it('says what it waits for, and an interactive one is served before those that came earlier', async () => {
    await using setup = await openBox({ limits: { maxAgents: 1 } });
    const { box, stage } = setup;
    await setup.background({ session: 'busy', prompt: 'first' });
    const first = await stage.turn();
    const early = await setup.background({ session: 'early', prompt: 'background' });
    await setup.send({ session: 'late', lane: 'interactive', prompt: 'urgent' });
    expect(await box.explain(early)).toMatchObject({
      agent: 'starting, waits for room among the agents that run (limits.maxAgents: 1)',
    });
    first.finish();
    (await stage.turn()).finish();
    (await stage.turn()).finish();
    expect(stage.prompts).toEqual(['first', 'urgent', 'background']);
  });
});
