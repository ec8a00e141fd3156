/** Limits of a turn: what counts, on a clock that the test moves, and real agents that never stop. */
import { describe, expect, it } from 'vitest';
import { functionDriver, scriptedDriver } from '../../src/agents/index.ts';
import type { OutputPart } from '../../src/core/model/output.ts';
import { TurnLimits } from '../../src/runtime/agent/turn-limits.ts';
import { openBox } from '../support/box.ts';
import { ManualClock } from '../support/manual-clock.ts';

const none = { turnOutputBytes: 0, turnToolCalls: 0, turnTokens: 0, turnLimitMs: 0 };
const text = (length: number): OutputPart => ({ kind: 'text', text: 'x'.repeat(length) });
const tool = (id: string | null, status: 'started' | 'completed'): OutputPart => ({
  kind: 'tool',
  id,
  name: 'Bash',
  action: 'execute',
  title: '',
  status,
});

function turn(limits: Partial<typeof none>) {
  const clock = new ManualClock();
  const reached: string[] = [];
  const counts = new TurnLimits({
    clock,
    limits: { ...none, ...limits },
    reached: (limit, bound) => reached.push(`${limit} ${bound}`),
  });
  return { clock, counts, reached };
}

describe('what counts against a limit of a turn', () => {
  it('is each byte of text, of calls and of results, and the limit is reached once', () => {
    const { counts, reached } = turn({ turnOutputBytes: 10 });
    counts.heard(text(9));
    counts.heard({ kind: 'usage', inputTokens: 1, outputTokens: 1 });
    counts.heard({ kind: 'text', text: 'y' });
    expect(reached).toEqual([]);
    counts.heard({ kind: 'thinking', text: '…' });
    counts.heard(text(1_000));
    expect(reached).toEqual(['output 10']);
  });

  it('is each use of a tool, however often it is reported', () => {
    const { counts, reached } = turn({ turnToolCalls: 2 });
    for (const status of ['started', 'completed'] as const) {
      counts.heard(tool('a', status));
      counts.heard(tool(null, status));
    }
    expect(reached).toEqual([]);
    counts.heard(tool('b', 'completed'));
    expect(reached).toEqual(['tools 2']);
  });

  it('is each token of the turn so far', () => {
    const { counts, reached } = turn({ turnTokens: 100 });
    counts.spent(60);
    counts.spent(100);
    expect(reached).toEqual([]);
    counts.spent(101);
    expect(reached).toEqual(['tokens 100']);
  });

  it('is its time, without that for which a person has to answer', () => {
    const { clock, counts, reached } = turn({ turnLimitMs: 1_000 });
    clock.advance(600);
    counts.person(true);
    counts.person(true);
    clock.advance(60_000);
    expect(counts.endsAt).toBeNull();
    counts.person(false);
    expect(counts.endsAt).toBe(clock.now() + 400);
    clock.advance(399);
    expect(reached).toEqual([]);
    clock.advance(1);
    expect(reached).toEqual(['time 1000']);
  });

  it('is nothing that comes after the end of the turn', () => {
    const { clock, counts, reached } = turn({ turnLimitMs: 1_000, turnOutputBytes: 1 });
    counts.end();
    clock.advance(5_000);
    counts.heard(text(2));
    counts.person(false);
    expect([reached, clock.armed]).toEqual([[], 0]);
  });

  it('excludes the time for which the daemon stood still', () => {
    let now = 0;
    const timers: { readonly at: number; readonly fire: () => void }[] = [];
    const reached: string[] = [];
    const counts = new TurnLimits({
      clock: {
        wall: () => now,
        now: () => now,
        soon: (run) => run(),
        timer: (ms, fire) => {
          timers.push({ at: now + ms, fire });
          return () => {};
        },
      },
      limits: { ...none, turnLimitMs: 1_000 },
      reached: (limit) => reached.push(limit),
    });
    // The machine slept for an hour: what the agent said meanwhile is unread.
    now = 3_600_000;
    timers.shift()?.fire();
    expect([reached, (counts.endsAt ?? 0) > now]).toEqual([[], true]);
    now = timers[0]?.at ?? 0;
    timers.shift()?.fire();
    expect(reached).toEqual(['time']);
  });
});

describe('an agent that never stops by itself, and behind which nothing waits', () => {
  it.each([
    ['talks', { turnOutputBytes: 2_000 }, '[[forever:1]]', 'output', 'turn_output_limit'],
    [
      'uses tools',
      { turnToolCalls: 3 },
      '[[tool:a]][[tool:b]][[tool:c]][[tool:d]][[silent]]',
      'tools',
      'turn_tool_limit',
    ],
    ['is silent', { turnLimitMs: 150 }, '[[text:a]][[silent]]', 'time', 'turn_time_limit'],
  ] as const)(
    '%s until the limit, and the next task is served by the same agent',
    async (_, limits, prompt, limit, reason) => {
      await using one = await openBox({ agent: scriptedDriver({ chunkMs: 0 }), limits });
      const task = await one.send({ prompt });
      expect(await one.ended(task)).toMatchObject({ status: 'failed', reason });
      expect(await one.event(task, 'limit-reached')).toMatchObject({
        data: { limit, bound: Object.values(limits)[0] },
      });
      const next = await one.send({ prompt: '[[text:served]]' });
      expect(await one.ended(next)).toMatchObject({ status: 'completed', final: { answer: { text: 'served' } } });
      const tape = await one.box.tape('test:one', null, 0, 1_000);
      expect(tape.filter(({ type }) => type === 'agent-starting')).toHaveLength(1);
    },
  );

  it('takes tokens until the limit', async () => {
    const agent = functionDriver(async function* (_prompt, { signal }) {
      for (let inputTokens = 10; !signal.aborted; inputTokens += 10) {
        yield { kind: 'usage', inputTokens, outputTokens: 1 };
      }
    });
    await using one = await openBox({ agent, limits: { turnTokens: 1_000 } });
    const task = await one.send({ prompt: 'go' });
    expect(await one.ended(task)).toMatchObject({ status: 'failed', reason: 'turn_token_limit' });
  });

  it('has the end of its turn in what explains its task', async () => {
    await using one = await openBox({ agent: scriptedDriver({ chunkMs: 0 }), limits: { turnLimitMs: 600_000 } });
    const task = await one.send({ prompt: '[[text:a]][[silent]]' });
    await one.event(task, 'output');
    const wait = (await one.box.explain(task))?.waitsFor.find(({ deadline }) => deadline === 'turn-limit');
    expect(wait).toMatchObject({ what: 'the end of the turn' });
    await one.box.cancel(task);
    await one.ended(task);
  });
});
