/** Agents with work of their own that goes on after their turn: they are kept for it, and what ends with them is told. */
import { describe, expect, it } from 'vitest';
import { scriptedDriver } from '../../src/agents/index.ts';
import { sessionKey } from '../../src/core/model/ids.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { defaultLimits } from '../../src/runtime/options.ts';
import { type Box, openBox } from '../support/box.ts';
import { ManualClock } from '../support/manual-clock.ts';

const { agentIdleMs, backgroundMs } = defaultLimits;
const agent = scriptedDriver({ chunkMs: 0 });

/** A session whose agent is idle and runs a command. */
async function withWork(clock: Clock = systemClock, limits = {}): Promise<Box> {
  const one = await openBox({ clock, agent, limits });
  await one.ended(await one.send({ prompt: '[[background:npm run dev]][[text:begun]]' }));
  await one.quiet();
  return one;
}

/** Resolves when the agent's end is on the tape. */
async function exited(one: Box): Promise<void> {
  for (;;) {
    const more = Promise.withResolvers<void>();
    const stop = one.box.listen({ session: sessionKey('test:one') }, () => more.resolve());
    const tape = await one.box.tape('test:one', null, 0, 1_000);
    if (tape.some(({ type }) => type === 'agent-exited')) {
      stop();
      return;
    }
    await more.promise;
    stop();
  }
}

const agentOf = async (one: Box): Promise<string | undefined> => (await one.box.session('test:one'))?.agent;

const tapeOf = async (one: Box): Promise<readonly (readonly [string, unknown])[]> =>
  (await one.box.tape('test:one', null, 0, 1_000)).flatMap(({ type, data }) =>
    type === 'agent-ending' || type === 'agent-exited' || type === 'unexpected-output' ? [[type, data] as const] : [],
  );

const ended = [
  'unexpected-output',
  { part: { kind: 'notice', code: 'background-ended', message: 'ended with the agent: npm run dev' } },
] as const;

describe('an idle agent that works in the background', () => {
  it('is not closed as idle until the work has ended, and then after the whole time', async () => {
    const clock = new ManualClock();
    await using one = await withWork(clock);
    for (let time = 0; time < 3; time += 1) {
      clock.advance(agentIdleMs);
      await one.quiet();
    }
    expect(await agentOf(one)).toBe('idle, works in the background (npm run dev)');
    await one.ended(await one.send({ prompt: '[[text:over]][[background]]' }));
    await one.quiet();
    clock.advance(agentIdleMs - 1);
    await one.quiet();
    expect(await agentOf(one)).toBe('idle');
    clock.advance(1);
    await exited(one);
    expect(await tapeOf(one)).toMatchObject([
      ['agent-ending', { reason: 'idle' }],
      ['agent-exited', {}],
    ]);
  });

  it('is closed as idle at its limit, and its tape says what has ended with it', async () => {
    const clock = new ManualClock();
    await using one = await withWork(clock);
    clock.advance(backgroundMs - 1);
    await one.quiet();
    expect(await tapeOf(one)).toEqual([]);
    clock.advance(1 + agentIdleMs);
    await exited(one);
    expect(await tapeOf(one)).toMatchObject([['agent-ending', { reason: 'idle' }], ended, ['agent-exited', {}]]);
  });

  it('makes no room for another session before its limit', async () => {
    const clock = new ManualClock();
    await using one = await withWork(clock, { maxAgents: 1 });
    const other = await one.send({ session: 'test:other', prompt: '[[text:room]]' });
    clock.advance(backgroundMs - 1);
    await one.quiet();
    expect(await one.box.explain(other)).toMatchObject({ agent: expect.stringContaining('maxAgents') as string });
    clock.advance(1);
    await one.ended(other);
    expect(await tapeOf(one)).toMatchObject([['agent-ending', { reason: 'give_way' }], ended, ['agent-exited', {}]]);
  });

  it('is named on the tape when a person restarts it', async () => {
    await using one = await withWork(new ManualClock());
    await one.box.restartAgent('test:one');
    await exited(one);
    expect(await tapeOf(one)).toMatchObject([['agent-ending', { reason: 'restart' }], ended, ['agent-exited', {}]]);
  });

  it('is named on the tape when the daemon closes', async () => {
    await using one = await withWork();
    await using again = await one.reopen({ graceMs: 10_000 });
    expect(await tapeOf(again)).toMatchObject([ended]);
  });
});
