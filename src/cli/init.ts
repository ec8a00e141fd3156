/** `signalbox init`: a configuration with comments, for the agents that are found here. */
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { AppError } from '../core/errors.ts';
import type { Call } from './call.ts';
import { agentPrefix, checkAgents } from './doctor/agents.ts';
import type { Check } from './doctor/check.ts';
import type { Io } from './io.ts';
import { harmless } from './output/paint.ts';

/** By which the file names the program that reads it. */
const packageName = 'signalbox';
const fileName = 'signalbox.config.ts';

const nameOf = ({ name }: Check): string => name.slice(agentPrefix.length);
const isInstalled = ({ what }: Check): boolean => !what.endsWith('is not on the PATH');

/** Throws `usage` for a file that is there, and for an unknown agent. */
export async function init(call: Call, io: Io): Promise<number> {
  const file = path.join(io.cwd, fileName);
  if (existsSync(file) && !call.on('force')) {
    throw new AppError({
      code: 'usage',
      message: `there is a file ${file} already`,
      hint: 'Replace it with --force, or check it with `signalbox doctor`.',
    });
  }
  const { agents } = await import('../agents/registry.ts');
  const checks = await checkAgents({ env: io.env, cwd: io.cwd });
  const asked = call.text('agent');
  if (asked !== null && !agents.some(({ name }) => name === asked)) {
    throw new AppError({
      code: 'usage',
      message: `there is no agent ${JSON.stringify(asked)}`,
      hint: `One of: ${agents.map(({ name }) => name).join(', ')}.`,
    });
  }
  const found = checks.filter(isInstalled);
  const usable =
    found.find(({ state, fix }) => state === 'ok' && fix === undefined) ?? found.find(({ state }) => state === 'ok');
  const chosen = asked ?? nameOf(usable ?? found[0] ?? { name: `${agentPrefix}scripted`, state: 'ok', what: '' });
  writeFileSync(file, configText(chosen, found));
  if (io.json) {
    io.document({ file, agent: chosen, found: found.map(nameOf) });
    return 0;
  }
  io.print(`written: ${file}, for the agent ${chosen}`);
  const lack = found.find((check) => nameOf(check) === chosen && check.state !== 'ok');
  if (lack !== undefined) {
    io.say(io.paint.warn(harmless(`${lack.what}. ${lack.fix ?? ''}`)));
  }
  io.say(`A daemon that is started here keeps its data in ${path.join(io.cwd, '.signalbox')}. Next: signalbox up`);
  return 0;
}

/** A comment ends with its line. */
const comment = (text: string): string => harmless(text).replace(/\s+/g, ' ');

function configText(chosen: string, found: readonly Check[]): string {
  const width = Math.max(0, ...found.map((check) => nameOf(check).length));
  const lines = found.flatMap((check) => [
    `  //   ${nameOf(check).padEnd(width)}  ${comment(check.what)}`,
    ...(check.fix === undefined ? [] : [`  //   ${' '.repeat(width)}  ${comment(check.fix)}`]),
  ]);
  return `import { defineConfig } from '${packageName}';

// Written by \`signalbox init\`. docs/configuration.md has every key; \`signalbox doctor\` checks this file.
export default defineConfig({
  // The agent that answers. ${found.length === 0 ? 'No agent was found on this machine: this one is a stand-in.' : 'Found on this machine:'}
${lines.map((line) => `${line}\n`).join('')}  agent: { name: '${chosen}' },

  // The folder of a session. The first rule that matches counts; without one a session gets an empty folder in .signalbox.
  // workspaces: [{ session: 'app', folder: '~/src/app' }],

  // What an agent may do unasked, by lane: 'read-only', 'ask' (a person answers: signalbox permissions) or 'allow'.
  // permissions: {
  //   interactive: { mode: 'read-only' },
  //   background: { mode: 'ask', allow: ['edit'] },
  // },

  // The address of the daemon. Programs on this machine find it by themselves.
  // listen: { host: '127.0.0.1', port: 7070 },

  // How many agents run at once, and how long a task may own a session while others wait.
  // limits: { maxAgents: 16, holdLimitMs: 3_600_000 },
});
`;
}
