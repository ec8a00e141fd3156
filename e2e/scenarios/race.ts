/**
 * An interrupt 0 to 5 ms after the prompt, again and again: the moment in which every one of the programs loses one that is
 * written at once. None may get lost, no turn may hang, none may cost its process, and the next turn must be its own.
 */
import assert from 'node:assert/strict';
import type { Box } from '../box.ts';
import { openBox } from '../box.ts';
import { percentile } from '../figures.ts';
import type { Scenario, Scene } from './scenario.ts';
import { word } from './scenario.ts';

/** A turn whose interrupt got lost takes this long. */
const lostMs = 12_000;
const deadlineMs = 8_000;
/** After so many a whole turn is taken, to see that the agent is in order. */
const wholeEvery = 10;

/** Runs `then` so many milliseconds from now; 0: in the same pass. */
function after(ms: number, then: () => void): void {
  if (ms === 0) {
    then();
  } else {
    setTimeout(then, ms);
  }
}

async function raceOnce({ box, moments, submit }: Box, index: number): Promise<number> {
  const delay = index % 6;
  const from = moments.mark();
  const task = await submit('race', `${word('race')} [[slow:${lostMs / 20},20]]`, 'background');
  const prompted = await moments.next('a prompt', ({ what }) => what === 'prompt', { from });
  const cancelled = await new Promise<number>((resolve, reject) => {
    after(Math.max(0, delay - (performance.now() - prompted.at)), () => {
      const at = performance.now();
      box.cancel(task).then(() => resolve(at), reject);
    });
  });
  const result = await Promise.race([
    box.result(task),
    moments
      .next('nothing but the deadline', () => false, { from, deadlineMs })
      .catch((error: unknown) => Promise.reject(new Error(`race ${index}, ${delay} ms: ${String(error)}`))),
  ]);
  assert.ok('status' in result);
  assert.equal(result.status, 'cancelled', `race ${index}, ${delay} ms after the prompt`);
  return performance.now() - cancelled;
}

async function run({ setup, figures, races }: Scene): Promise<void> {
  const { model, program } = setup;
  await using one = await openBox(setup);
  const { box, moments, submit } = one;
  await box.result(await submit('race', '[[text:hello]]'));
  const from = model.log.mark();
  const took: number[] = [];
  for (let index = 0; index < races; index++) {
    took.push(await raceOnce(one, index));
    if (index % wholeEvery !== wholeEvery - 1 && index !== races - 1) {
      continue;
    }
    const own = word('own');
    const { status, final } = await box.result(await submit('race', `[[text:${own}]]`));
    assert.equal(status, 'completed');
    assert.match(JSON.stringify(final), new RegExp(own), 'a turn gets its own answer');
  }
  const ends = moments.all.filter(({ what }) => what === 'exited');
  assert.deepEqual(ends, [], 'no interrupt cost the agent its process');
  // Had one been lost, the model would have said all that it was asked for.
  const asked = new Set(model.log.of('request', from).flatMap(({ no, cue }) => (/race-\d/.test(cue) ? [no] : [])));
  const whole = model.log.of('ended', from).filter(({ no, how }) => asked.has(no) && how === 'answered');
  assert.deepEqual(whole, [], 'no interrupted turn ran to its end');
  figures.add(program.name, `cancel → ended, 0–5 ms after the prompt, p50 of ${races}`, percentile(took, 0.5));
}

export const race: Scenario = {
  name: 'early-interrupts',
  title: 'an interrupt 0 to 5 ms after the prompt is never lost, and no turn hangs',
  run,
};
