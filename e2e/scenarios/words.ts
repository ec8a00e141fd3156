/**
 * What an agent reads when its turn continues: a command that was cut off by a clean interrupt is uncertain, whatever the agent's own note
 * says of it, and a long prompt is in the conversation once, however often it is preempted. Before that: whatever a prompt says is
 * text, also what the program would take for a command of its own.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RequestEvent } from '../model/index.ts';
import type { Scenario, Scene } from './scenario.ts';
import { ended, knows, said, wholeTape, word } from './scenario.ts';

const uncertain = 'may or may not have happened';
const allow = { mode: 'allow' } as const;
/** Claude Code refuses to sleep for long. */
const forever = 'tail -f /dev/null';
const rounds = 3;
const earlyRounds = 12;

/** The requests of agents' own turns, not of the small ones beside them, whose conversation has this word. */
const turnsOf =
  (what: string) =>
  (request: RequestEvent): boolean =>
    request.asked.tools.length > 0 && knows(request, what);

const lastOf = ({ asked }: RequestEvent): string => asked.items.findLast(({ role }) => role === 'user')?.text ?? '';

async function toolRuns({ daemon }: Scene, task: string, from: number): Promise<void> {
  await daemon.events.next(
    'a tool that runs',
    (event) =>
      event.task === task &&
      event.type === 'output' &&
      event.data.part.kind === 'tool' &&
      event.data.part.status === 'started',
    { from, deadlineMs: 60_000 },
  );
}

async function preempted(scene: Scene): Promise<void> {
  const { setup, daemon } = scene;
  const { model, program } = setup;
  const { client, events } = daemon;
  const session = 'words';
  const [work, finished] = [word('work'), word('finished')];
  const note = new RegExp(`${uncertain}[^]*${work}`);
  const command = program.shell(forever);
  model.rule({ when: note, play: command });
  const text = `Do ${work}, and whatever else it takes to the very end of this line.\n${'It is long. '.repeat(5_000)}`;
  let from = events.mark();
  const { task } = await client.submit({
    session,
    lane: 'background',
    permissions: allow,
    prompt: `${text}${command}`,
  });
  for (let round = 1; round <= rounds; round += 1) {
    await toolRuns(scene, task, from);
    from = events.mark();
    const requests = model.log.mark();
    if (round === rounds) {
      model.rule({ when: note, play: `[[text:${finished}]]` });
    }
    const urgent = await client.submit({ session, prompt: `[[text:${word('urgent')}]]` });
    await ended(daemon, urgent.task, 'completed', 60_000);
    const resumed = await model.log.next(
      'request',
      (event) => turnsOf(work)(event) && lastOf(event).includes(uncertain),
      { from: requests, deadlineMs: 60_000 },
    );
    const whole = resumed.asked.items.filter((item) => item.text.includes(text));
    const isOnce = program.dropsPrompts === true ? whole.length > 0 : whole.length === 1;
    assert.ok(isOnce, `the prompt is ${whole.length} times in the conversation after ${round} preemptions`);
  }
  await ended(daemon, task, 'completed', 60_000);
  assert.match(said(await wholeTape(daemon, task)), new RegExp(finished));
}

/** A message that the running turn has taken is in the conversation, or is sent again: never lost. */
async function steered(scene: Scene): Promise<void> {
  const { setup, daemon } = scene;
  const { model, program } = setup;
  const { client, events } = daemon;
  const session = 'steered-words';
  const [work, wish] = [word('work'), word('wish')];
  const text = `One thing more, which is said so that its beginning does not name it: ${wish}`;
  let from = events.mark();
  const background = { session, lane: 'background', permissions: allow } as const;
  const first = await client.submit({
    ...background,
    prompt: `${work} ${program.shell(`timeout 4 ${forever}`)} [[slow:2400,25]]`,
  });
  await toolRuns(scene, first.task, from);
  from = events.mark();
  const more = await client.submit({ ...background, whenBusy: 'steer', prompt: text });
  if (more.mergedInto === null) {
    await client.cancel(more.task);
    await client.cancel(first.task);
    return;
  }
  await events.next('the message is taken, or not', ({ task, type, data }) => {
    const isTaken = type === 'steered' && 'delivered' in data && data.delivered === true;
    return task === more.task && (isTaken || type === 'requeued');
  });
  const urgent = await client.submit({ session, prompt: '[[text:urgent]]' });
  await ended(daemon, urgent.task, 'completed', 60_000);
  await client.cancel(first.task);
  const requests = model.log.mark();
  const sent = await events.next('its own turn', ({ task, type }) => task === more.task && type === 'turn-sent', {
    from,
  });
  assert.ok(sent.type === 'turn-sent');
  const request = await model.log.next('request', turnsOf(wish), { from: 0, deadlineMs: 60_000 });
  assert.ok(knows(request, wish));
  await client.cancel(more.task);
  const later = model.log.of('request', requests).filter(turnsOf(work));
  assert.ok(
    later.every((each) => knows(each, wish)),
    `a turn of ${more.task} does not know its text`,
  );
}

/** However early the interrupt comes: what is continued by a note is in the conversation. */
async function early(scene: Scene): Promise<void> {
  const { setup, daemon } = scene;
  const { model } = setup;
  const { client, events } = daemon;
  const session = 'early-words';
  for (let round = 0; round < earlyRounds; round += 1) {
    const [work, finished] = [word('work'), word('finished')];
    const text = `Do this one thing, which its beginning does not name: ${work}`;
    const requests = model.log.mark();
    const from = events.mark();
    const { task } = await client.submit({ session, lane: 'background', prompt: `${text} [[text:${finished}]]` });
    if (round % 2 === 1) {
      await events.next('its start', (event) => event.task === task && event.type === 'turn-started', { from });
    }
    const urgent = await client.submit({ session, prompt: '[[text:urgent]]' });
    await ended(daemon, urgent.task, 'completed', 60_000);
    await ended(daemon, task, 'completed', 60_000);
    const sent = (await wholeTape(daemon, task)).filter(({ type }) => type === 'turn-sent').length;
    const last = model.log.of('request', requests).findLast(({ asked }) => asked.tools.length > 0);
    assert.ok(last !== undefined && knows(last, work), `after ${sent} prompts its text is not in the conversation`);
  }
}

/** U+2060, which a driver may add and nobody sees; and a blank before all. */
const shown = (text: string): string => text.replaceAll('\u2060', '').trim();

const skillsIn = ({ asked }: RequestEvent): number =>
  asked.items.reduce((count, { text }) => count + text.split('<skill>').length - 1, 0);

/**
 * W02: what the program would take for a command of its own, or for the mention of a file, is text: the model gets it whole, in the
 * conversation that there was, and no file with it.
 */
async function plain({ setup, daemon }: Scene): Promise<void> {
  const { model, program } = setup;
  const session = 'plain-words';
  const [before, secret] = [word('before'), word('secret')];
  const file = join(setup.folder('mentioned'), 'secret.txt');
  writeFileSync(file, secret);
  const first = await daemon.client.submit({ session, prompt: `${before} [[text:noted]]` });
  await ended(daemon, first.task, 'completed', 60_000);
  // Gemini CLI tells its model of the skills that there are.
  const skills = model.log.of('request').filter(turnsOf(before)).map(skillsIn)[0];
  for (const command of program.commands(file)) {
    const answer = word('answer');
    const prompt = `${command} [[text:${answer}]]`;
    const from = model.log.mark();
    const { task } = await daemon.client.submit({ session, prompt });
    await ended(daemon, task, 'completed', 60_000);
    const asked = model.log.of('request', from).filter(turnsOf(answer));
    const reads = asked.some((one) => one.asked.items.some(({ text }) => shown(text).endsWith(shown(prompt))));
    assert.ok(reads, `the model did not read ${prompt}: ${asked.map(lastOf).join(' | ').slice(-500)}`);
    assert.ok(
      asked.every((one) => knows(one, before)),
      `${command} has cleared the conversation`,
    );
    assert.ok(!asked.some((one) => knows(one, secret)), `${command} has read the file`);
    assert.ok(
      asked.every((one) => skillsIn(one) === skills),
      `${command} has read a skill`,
    );
    assert.match(said(await wholeTape(daemon, task)), new RegExp(answer));
  }
}

async function run(scene: Scene): Promise<void> {
  await plain(scene);
  await preempted(scene);
  await early(scene);
  await steered(scene);
}

export const words: Scenario = {
  name: 'words',
  title:
    'a command that was cut off is uncertain, and a prompt of 60 KB is in the conversation once after three preemptions',
  run,
};
