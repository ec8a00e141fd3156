/** When a turn of ACP is over behind its response: on a clock that the test moves, since the gaps of a real agent are the machine's. */
import { expect, test } from 'vitest';
import { Tail } from '../../src/agents/acp/tail.ts';
import { ManualClock } from '../support/manual-clock.ts';

const pass = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function listen() {
  const clock = new ManualClock();
  const told: string[] = [];
  const tail = new Tail({
    timers: { set: (ms, fire) => clock.timer(ms, fire) },
    boundary: (speaks) => told.push(speaks ? 'boundary, speaks' : 'boundary'),
    quiet: () => told.push('quiet'),
  });
  /** Time passes, and the loop reads what came in it. */
  const wait = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await pass();
  };
  return { clock, told, tail, wait };
}

test('C32: the boundary comes after 50 ms without words', async () => {
  const { told, tail, wait } = listen();
  await wait(49);
  tail.heard();
  await wait(49);
  expect([told, tail.held]).toEqual([[], true]);
  await wait(1);
  expect([told, tail.held]).toEqual([['boundary'], false]);
  await wait(1_000);
  expect(told).toEqual(['boundary']);
});

test('C32: the boundary of an agent that speaks on comes after 500 ms, and its silence is a second event', async () => {
  const { told, tail, wait } = listen();
  for (let ms = 0; ms < 800; ms += 40) {
    tail.heard();
    await wait(40);
  }
  expect([told, tail.held]).toEqual([['boundary, speaks'], false]);
  await wait(50);
  expect(told).toEqual(['boundary, speaks', 'quiet']);
});

test('C32: words that lay in the pipe while the loop stood still came in time', async () => {
  const { clock, told, tail, wait } = listen();
  clock.advance(50);
  tail.heard();
  await pass();
  expect(told).toEqual([]);
  await wait(50);
  expect(told).toEqual(['boundary']);
});

test('C32: the end of the agent is the boundary, once', async () => {
  const { clock, told, tail, wait } = listen();
  tail.end();
  tail.end();
  await wait(1_000);
  expect([told, clock.armed]).toEqual([['boundary'], 0]);
});
