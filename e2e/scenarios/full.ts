/** A conversation that is too long for the model, and one that a person ends: the next prompt begins a fresh one. */
import assert from 'node:assert/strict';
import type { Scenario, Scene } from './scenario.ts';
import { ended, knows, said, turnOf, wholeTape, word } from './scenario.ts';

async function run({ setup, daemon }: Scene): Promise<void> {
  const { model, program } = setup;
  const { client, events } = daemon;
  const session = 'full';
  const [memory, work, finished, later] = [word('memory'), word('work'), word('finished'), word('later')];
  model.rule({ when: new RegExp(`too long for the model[^]*${work}`), play: `[[text:${finished}]]` });
  const first = await client.submit({ session, prompt: `Remember ${memory}. [[text:noted]]` });
  await ended(daemon, first.task, 'completed', 60_000);

  const { task } = await client.submit({ session, lane: 'background', prompt: `Do ${work}: ${program.tooLong}` });
  await ended(daemon, task, 'completed', 60_000);
  assert.match(said(await wholeTape(daemon, task)), new RegExp(finished));
  const fresh = model.log.of('request').findLast(turnOf(work));
  assert.ok(fresh !== undefined && knows(fresh, 'too long for the model'), 'the agent is told');
  assert.ok(!knows(fresh, memory), 'the conversation is a fresh one');

  const answered = await daemon.cli('new', session);
  assert.match(answered.stdout, /begins a fresh conversation/);
  const last = await client.submit({ session, prompt: `${later} [[text:${later}]]` });
  await ended(daemon, last.task, 'completed', 60_000);
  const request = model.log.of('request').findLast(turnOf(later));
  assert.ok(request !== undefined && !knows(request, finished), 'nothing of the one before is left');
  const ends = events.all.flatMap((event) =>
    event.session === session && event.type === 'conversation-ended' ? [event.data.why] : [],
  );
  assert.deepEqual(ends, ['full', 'command']);
}

export const full: Scenario = {
  name: 'full',
  title: 'a conversation that is too long begins afresh and its task completes; `signalbox new` begins another',
  run,
};
