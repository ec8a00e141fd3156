/** Driver for the scripted agent: the process driver with this package's own program. */
import { fileURLToPath } from 'node:url';
import { commonVariables } from '../../supervise/index.ts';
import type { AgentDriver } from '../port.ts';
import type { ProcessDriverOptions } from '../process/driver.ts';
import { processDriver } from '../process/driver.ts';

export interface ScriptedDriverOptions extends Partial<Omit<ProcessDriverOptions, 'command' | 'args'>> {
  /** Script file (JSON). */
  readonly script?: string;
  /** Folder of its conversations; without one they end with the process. */
  readonly state?: string;
  /** Its own log. Default: SIGNALBOX_AGENT_LOG of the daemon's environment. */
  readonly log?: string;
  readonly noReady?: boolean;
  readonly slowStartMs?: number;
  /** Capabilities that it does not declare. */
  readonly without?: readonly ('acks' | 'steer' | 'rewind' | 'models')[];
  readonly chunkMs?: number;
  /** Further flags, as `signalbox agent scripted --help` lists them. */
  readonly flags?: readonly string[];
}

/** Beside this file: `main.ts` when run from sources, `main.js` when built. */
export const scriptedProgram: string = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url),
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
  return processDriver({
    name: 'scripted',
    passEnv: [...commonVariables, 'SIGNALBOX_AGENT_LOG'],
    ...rest,
    command: process.execPath,
    args: [...nodeFlags, scriptedProgram, ...flags, ...without.map((cap) => `--no-${cap}`), ...further],
  });
}

/** A small young generation: it makes little garbage, and hundreds of it may run in a test. */
const nodeFlags: readonly string[] = ['--max-semi-space-size=1', '--no-warnings'];
