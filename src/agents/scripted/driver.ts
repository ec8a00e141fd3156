/** Driver for the scripted agent: the process driver with this package's own program. */
import { fileURLToPath } from 'node:url';
import { commonVariables } from '../../supervise/index.ts';
import type { AgentDriver } from '../port.ts';
import { processDriver } from '../process/driver.ts';
import type { ScriptedDriverOptions } from './options.ts';

export type { ScriptedDriverOptions };

/** `main.ts` when run from sources, `main.js` when built. */
export const scriptedProgram: string = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './program/main.ts' : './program/main.js', import.meta.url),
);

export function scriptedDriver(options: ScriptedDriverOptions = {}): AgentDriver {
  const { script, state, log, noReady, slowStartMs, without = [], chunkMs, flags: further = [], ...rest } = options;
  const pairs: readonly (readonly [string, string | number | undefined])[] = [
    ['--script', script],
    ['--state', state],
    ['--log', log],
    ['--slow-start', slowStartMs],
    ['--chunk-ms', chunkMs],
  ];
  const flags = pairs.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)]));
  if (noReady === true) {
    flags.push('--no-ready');
  }
  // The last one counts.
  const named = further.lastIndexOf('--state');
  const folder = named === -1 ? state : further[named + 1];
  const driver = processDriver({
    name: 'scripted',
    passEnv: [...commonVariables, 'SIGNALBOX_AGENT_LOG'],
    ...rest,
    command: process.execPath,
    args: [...nodeFlags, scriptedProgram, ...flags, ...without.map((cap) => `--no-${cap}`), ...further],
  });
  return {
    ...driver,
    conversationFiles: ({ conversation }) =>
      folder !== undefined && /^[\w-]{1,100}$/.test(conversation)
        ? [{ name: 'conversation.json', root: folder, at: [`${conversation}.json`] }]
        : null,
  };
}

/** A small young generation: it makes little garbage, and hundreds of it may run in a test. */
const nodeFlags: readonly string[] = ['--max-semi-space-size=1', '--no-warnings'];
