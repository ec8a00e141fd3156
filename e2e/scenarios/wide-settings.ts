/**
 * W03: the home of the user and the folder of the session are full of settings that let an agent do anything. What the lane says
 * stands over them, or the agent does not start and says why.
 */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Daemon } from '../daemon.ts';
import { startDaemon } from '../daemon.ts';
import { setUpProgram } from '../program-setup.ts';
import type { WideSettings } from '../programs.ts';
import type { Scenario, Scene } from './scenario.ts';
import { Skipped, ended, knows, turnOf, word } from './scenario.ts';

async function turnsThatOnlyRead(daemon: Daemon, prompts: readonly string[]): Promise<void> {
  for (const prompt of prompts) {
    const { task } = await daemon.client.submit({ session: 'wide', prompt: `${prompt} [[text:that was it]]` });
    await ended(daemon, task, 'completed', 60_000);
  }
}

async function refuses(
  daemon: Daemon,
  refused: NonNullable<WideSettings['refused']>,
  places: readonly [string, string],
): Promise<void> {
  refused(...places);
  const from = daemon.events.mark();
  const { task } = await daemon.client.submit({ session: 'refused', prompt: 'anything' });
  await daemon.events.next('its refusal', (event) => JSON.stringify(event).includes('cannot be overruled'), { from });
  const explained = await daemon.cli('explain', task);
  assert.match(explained.stdout, /settings allow what no policy/);
  await daemon.client.cancel(task);
}

async function run({ setup: { program } }: Scene): Promise<void> {
  const { wide } = program;
  if (wide === null) {
    throw new Skipped('none of its settings is overruled: with those that widen it does not start');
  }
  await using setup = await setUpProgram(program);
  const [folder, outside] = [setup.folder('wide'), setup.folder('outside')];
  const [secret, wish] = [word('secret'), word('wish')];
  writeFileSync(join(outside, 'secret.txt'), secret);
  wide.write(setup.home, folder, outside);
  const workspaces = [{ session: 'wide', folder }];
  await using daemon = await startDaemon(setup, { agent: { name: program.name, sandbox: 'off' }, workspaces });
  await turnsThatOnlyRead(daemon, [
    program.shell(`touch ${join(folder, 'made')}`),
    wide.writeFile(join(folder, 'written')),
    wide.writeFile(join(outside, 'written')),
    wide.readFile(join(outside, 'secret.txt')),
    program.shell(`cat ${join(outside, 'secret.txt')}`),
    wish,
  ]);
  const made = ['made', 'written', 'hooked', 'served'].filter(
    (name) => existsSync(join(folder, name)) || existsSync(join(outside, name)),
  );
  assert.deepEqual(made, [], 'files that no lane allowed');
  const asked = setup.model.log.of('request');
  assert.ok(asked.some(turnOf(wish)));
  assert.ok(!asked.some((one) => knows(one, secret)), 'a file outside was read');
  const doctor = await daemon.cli('doctor');
  assert.ok(doctor.stdout.includes(wide.named), doctor.stdout);
  if (wide.refused !== null) {
    await refuses(daemon, wide.refused, [setup.home, outside]);
  }
}

export const wideSettings: Scenario = {
  name: 'wide-settings',
  title:
    'with a home and a folder full of settings that widen, a read-only turn writes, runs and reads nothing outside',
  run,
};
