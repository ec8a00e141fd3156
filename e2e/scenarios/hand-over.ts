/** Preemptions in mid-stream, one after the other, with a fine clock: what the agent takes, and what Signalbox takes. */
import assert from 'node:assert/strict';
import type { Box } from '../box.ts';
import { openBox } from '../box.ts';
import type { Figures } from '../figures.ts';
import type { Moment } from '../observed.ts';
import type { Scenario, Scene } from './scenario.ts';
import { goesOnWith, word } from './scenario.ts';

const rounds = 12;

async function preempt({ box, moments, submit }: Box, scene: Scene): Promise<void> {
  const { setup, figures } = scene;
  const { model, program } = setup;
  const add = (name: string, from: number, to: number): void => figures.add(program.name, name, to - from);
  const work = word('work');
  const finish = `[[text:${word('finished')}]]`;
  model.rule({ when: goesOnWith(work), play: finish });
  const from = moments.mark();
  const requests = model.log.mark();
  const background = await submit('hand-over', `${work} and whatever else there may be [[slow:1200,25]]`, 'background');
  const request = await model.log.next('request', ({ cue }) => cue.includes(work), { from: requests });
  await moments.next('output', ({ what }) => what === 'output', { from });
  const before = performance.now();
  const urgent = await submit('hand-over', '[[text:urgent]]');
  assert.equal((await box.result(urgent)).status, 'completed');
  assert.equal((await box.result(background)).status, 'completed');
  const closed = await model.log.next('closed', ({ no }) => no === request.no);
  const next = place(moments.all, from);
  const interrupted = next('interrupt', null);
  const acked = moments.all.slice(from).find(({ what }) => what === 'ack');
  const over = next('result', interrupted.turn);
  const prompted = next('prompt', null, over);
  const answered = model.log.of('request', requests).find(({ at }) => at > prompted.at);
  const firstWord = next('output', prompted.turn, prompted);
  add('Signalbox: submit → interrupt written', before, interrupted.at);
  if (acked !== undefined) {
    add('agent: interrupt written → acknowledged', interrupted.at, acked.at);
  }
  add('agent: interrupt written → model request closed', interrupted.at, closed.at);
  add('agent: interrupt written → turn over', interrupted.at, over.at);
  add('Signalbox: turn over → next prompt written', over.at, prompted.at);
  if (answered !== undefined) {
    add('agent: prompt written → its request at the model', prompted.at, answered.at);
  }
  add('agent: prompt written → first output', prompted.at, firstWord.at);
}

/** Finds the first moment of a kind, of a turn where one is named, behind another moment. */
function place(all: readonly Moment[], from: number) {
  return (what: Moment['what'], turn: Moment['turn'], behind: Moment | null = null): Moment => {
    const start = behind === null ? from : all.indexOf(behind) + 1;
    const found = all.slice(start).find((moment) => moment.what === what && (turn === null || moment.turn === turn));
    assert.ok(found !== undefined, `no ${what}`);
    return found;
  };
}

async function run(scene: Scene): Promise<void> {
  await using one = await openBox(scene.setup);
  const before = performance.now();
  await one.box.result(await one.submit('hand-over', '[[text:hello]]'));
  addStart(scene.figures, scene.setup.program.name, one, before);
  for (let round = 0; round < rounds; round++) {
    await preempt(one, scene);
  }
  const ends = one.moments.all.filter(({ what }) => what === 'exited');
  assert.deepEqual(ends, [], 'one process did it all');
}

function addStart(figures: Figures, program: string, { moments }: Box, before: number): void {
  const ready = moments.all.find(({ what }) => what === 'ready');
  assert.ok(ready !== undefined);
  figures.add(program, 'agent: start → ready', ready.at - before);
}

export const handOver: Scenario = {
  name: 'hand-overs',
  title: `${rounds} preemptions in mid-stream, each finished and each resumed by one process`,
  run,
};
