/** The agent asks before it runs a command: allowed and denied from the command line, and it keeps to the answer. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { Scenario, Scene } from './scenario.ts';
import type { ReadFeedEvent } from '../../src/protocol/index.ts';
import { ended, goesOnWith, turnOf, word } from './scenario.ts';

function requestOf(event: ReadFeedEvent): string {
  assert.ok(event.type === 'permission-requested');
  return event.data.request;
}

async function ask({ setup, daemon }: Scene, verb: 'approve' | 'deny'): Promise<string> {
  const { model, program } = setup;
  // In the folder of the session: outside of it a sandbox has the last word.
  const [wish, file] = [word(verb), daemon.fileOf(verb, 'made')];
  const prompt = `${wish}: ${program.shell(`touch ${file}`)} [[text:that was it]]`;
  const { task } = await daemon.client.submit({ session: verb, lane: 'background', prompt });
  const asked = await daemon.events.next(
    'a request',
    (event) => event.task === task && event.type === 'permission-requested',
  );
  assert.match(JSON.stringify(asked.data), /touch/, 'the request says what it is about');
  assert.equal(existsSync(file), false, 'nothing is done before the answer');
  const shown = await daemon.cli('permissions', verb);
  assert.match(shown.stdout, /touch/);
  const reason = verb === 'deny' ? ['--reason', 'not today'] : [];
  const answered = await daemon.cli(verb, verb, requestOf(asked), ...reason);
  assert.equal(answered.code, 0, answered.stderr);
  await ended(daemon, task, 'completed');
  assert.ok(model.log.of('request').some(turnOf(wish)));
  return file;
}

/** Somebody urgent comes while the agent waits for an answer: it is not made to wait for it, and it is asked again afterwards. */
async function interrupted({ setup, daemon }: Scene): Promise<void> {
  const { model, program } = setup;
  const { client, events } = daemon;
  const session = 'withdrawn';
  const [wish, file] = [word('wish'), daemon.fileOf(session, 'made')];
  const plays = `${program.shell(`touch ${file}`)} [[text:that was it]]`;
  model.rule({ when: goesOnWith(wish), play: plays });
  const prompt = `${wish}, which the note of a turn that goes on names by its first words: ${plays}`;
  const { task } = await client.submit({ session, lane: 'background', prompt });
  const asks = (from: number) =>
    events.next('a request', (event) => event.task === task && event.type === 'permission-requested', { from });
  await asks(0);
  const from = events.mark();
  const urgent = await client.submit({ session, prompt: '[[text:urgent]]' });
  await ended(daemon, urgent.task, 'completed');
  assert.equal(existsSync(file), false, 'nobody allowed it');
  const again = await asks(from);
  const answered = await daemon.cli('approve', session, requestOf(again));
  assert.equal(answered.code, 0, answered.stderr);
  await ended(daemon, task, 'completed');
  assert.equal(existsSync(file), true);
}

async function run(scene: Scene): Promise<void> {
  assert.equal(existsSync(await ask(scene, 'approve')), true, 'what was allowed is done');
  assert.equal(existsSync(await ask(scene, 'deny')), false, 'what was denied is not');
  await interrupted(scene);
  const left = await scene.daemon.cli('permissions');
  assert.match(left.stdout, /no permission request is pending/);
}

export const permission: Scenario = {
  name: 'permission',
  title: 'a command waits for `signalbox approve`, is not run after `signalbox deny`, and holds nobody up',
  run,
};
