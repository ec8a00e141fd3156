/**
 * The main job: a background turn streams, a recorded GitHub delivery preempts it, the model's request is closed, the
 * delivery's turn runs, and the background task goes on in its conversation.
 */
import assert from 'node:assert/strict';
import { deliveredTo } from '../daemon.ts';
import type { Scenario, Scene } from './scenario.ts';
import { continuedTurnOf, ended, goesOnWith, knows, said, turnOf, wholeTape, word } from './scenario.ts';

/** Title of the issue that the recorded delivery is about. */
const issue = /Spelling error in the README file/;

async function run({ setup, daemon, figures }: Scene): Promise<void> {
  const { model, program } = setup;
  const { client, events } = daemon;
  const [memory, work, handled, finished] = [word('memory'), word('work'), word('handled'), word('finished')];
  model.rule({ when: issue, play: `[[text:${handled}]]` });
  model.rule({ when: goesOnWith(work), play: `[[text:${finished}]]` });

  const first = await client.submit({ session: deliveredTo, prompt: `Remember ${memory}. [[text:noted]]` });
  await ended(daemon, first.task, 'completed', 60_000);

  const prompt = `Do ${work}, slowly and with care, and all of it to its very end: [[slow:2400,25]]`;
  const background = await client.submit({ session: deliveredTo, lane: 'background', prompt });
  const request = await model.log.next('request', turnOf(work));
  assert.ok(knows(request, memory), 'the second turn is in the conversation of the first');
  await events.next(
    'a piece of the background turn',
    ({ task, type }) => task === background.task && type === 'output',
  );

  const { task: delivery, sentAt } = await daemon.deliver();
  const closed = await model.log.next('closed', ({ no }) => no === request.no);
  assert.ok(closed.pieces > 0, 'it was streaming');
  const turn = await model.log.next('request', turnOf('Spelling error'));
  assert.ok(turn.no > request.no);
  await ended(daemon, delivery, 'completed');
  assert.match(said(await wholeTape(daemon, delivery)), new RegExp(handled));

  const resumed = await model.log.next('request', continuedTurnOf(work));
  for (const earlier of [memory, handled, work]) {
    assert.ok(knows(resumed, earlier), `it goes on knowing of ${earlier}`);
  }
  await ended(daemon, background.task, 'completed');
  const tape = await wholeTape(daemon, background.task);
  assert.match(said(tape), new RegExp(finished));
  for (const type of ['interrupt-requested', 'preempted', 'resumed']) {
    assert.equal(tape.filter((event) => event.type === type).length, 1, `${type} stands once on its tape`);
  }
  const restarts = events.all.filter(({ session, type }) => session === deliveredTo && type === 'agent-exited');
  assert.deepEqual(restarts, [], 'one agent did it all');

  const at = (type: string): number => tape.find((event) => event.type === type)?.at ?? Number.NaN;
  const prompted = (await wholeTape(daemon, delivery)).find(({ type }) => type === 'turn-sent')?.at ?? Number.NaN;
  figures.add(program.name, 'HTTP: delivery sent → interrupt written', at('interrupt-requested') - sentAt);
  figures.add(program.name, 'HTTP: interrupt written → turn over (agent)', at('preempted') - at('interrupt-requested'));
  figures.add(program.name, 'HTTP: turn over → next prompt written', prompted - at('preempted'));
}

export const mainJob: Scenario = {
  name: 'main-job',
  title: 'a delivery preempts a streaming background turn, which goes on in its conversation',
  run,
};
