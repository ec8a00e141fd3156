/** Agents that are gone and do not say so: real processes, real time, and an urgent caller who waits. */
import { describe, expect, it } from 'vitest';
import { scriptedDriver } from '../../src/agents/index.ts';
import { type Box, openBox } from '../support/box.ts';

const servedMs = 6_000;

/** Sends an urgent task, and returns how long its caller waited for the answer. */
async function urgent(one: Box): Promise<number> {
  const since = performance.now();
  const task = await one.send({ prompt: '[[text:served]]' });
  expect(await one.ended(task)).toMatchObject({ status: 'completed', final: { answer: { text: 'served' } } });
  return performance.now() - since;
}

describe('C37: an agent that closes its output and lives', () => {
  it.each(['interactive', 'background'] as const)(
    'loses its %s turn at once, with a reason that says so, and the caller behind it is served',
    async (lane) => {
      await using one = await openBox({ agent: scriptedDriver({ chunkMs: 0 }) });
      const lost = await one.send({ lane, prompt: '[[text:a]][[hang-up]][[silent]]', maxAttempts: 1 });
      await one.event(lost, 'output');
      expect(await urgent(one)).toBeLessThan(servedMs);
      expect(await one.ended(lost)).toMatchObject({ status: 'failed', reason: 'channel_broken' });
      expect(await one.event(lost, 'turn-ended', ({ data }) => data.outcome === 'agent-lost')).toMatchObject({
        data: { outcome: 'agent-lost', reason: 'channel_broken' },
      });
      const tape = await one.box.tape('test:one', null, 0, 1_000);
      expect(tape.find(({ type }) => type === 'agent-exited')).toMatchObject({
        data: { reason: 'channel_broken', data: { message: 'it closed its stdout and did not end' } },
      });
    },
  );
});
