/** The command line of the end-to-end tests. */
import { parseArgs } from 'node:util';
import type { ProgramName } from './programs.ts';
import { realPrograms } from './programs.ts';

export interface Options {
  readonly programs: readonly ProgramName[];
  /** Names of scenarios; empty: all. */
  readonly scenarios: readonly string[];
  /** Early interrupts for each program. */
  readonly races: number;
  /** Waits up to a minute to see what happens only then. */
  readonly patient: boolean;
  /** Runs the drivers' contract with the real programs too. */
  readonly contract: boolean;
  /** Installs what is missing. */
  readonly install: boolean;
  /** Writes samples and outcomes there, as JSON. */
  readonly json: string | null;
}

export const usage = `node e2e/main.ts [flags]

  --all              all five programs; without it: gemini and codex
  --only NAMES       these programs: ${realPrograms.map(({ name }) => name).join(', ')}
  --scenario NAMES   these scenarios only
  --race N           early interrupts for each program; default 25, with --all 200
  --contract         also the drivers' contract, with the real programs; with --all it is run anyhow
  --no-contract      not even then
  --no-install       install nothing; what is missing is skipped
  --json FILE        every outcome and every sample

AGENT_BIN_CLAUDE, AGENT_BIN_CODEX, AGENT_BIN_GEMINI, AGENT_BIN_COPILOT and AGENT_BIN_CLAUDE_AGENT_ACP name programs of your own.
`;

const flags = {
  all: { type: 'boolean', default: false },
  only: { type: 'string' },
  scenario: { type: 'string' },
  race: { type: 'string' },
  contract: { type: 'boolean' },
  install: { type: 'boolean', default: true },
  json: { type: 'string' },
} as const;

const racesInCi = 25;
const racesInAll = 200;

const list = (text: string | undefined): readonly string[] => (text === undefined ? [] : text.split(/[\s,]+/));

/** Throws with what is wrong. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({ args: [...args], options: flags, allowNegative: true });
  const named = list(values.only);
  const unknown = named.filter((name) => realPrograms.every((program) => program.name !== name));
  if (unknown.length > 0) {
    throw new Error(`--only: not known: ${unknown.join(', ')}`);
  }
  const chosen = realPrograms.filter(({ name, group }) =>
    named.length > 0 ? named.includes(name) : values.all || group === 'ci',
  );
  const races = Number(values.race ?? (values.all ? racesInAll : racesInCi));
  if (!Number.isInteger(races) || races < 1) {
    throw new Error(`--race: ${values.race} is no number of races`);
  }
  return {
    programs: chosen.map(({ name }) => name),
    scenarios: list(values.scenario),
    races,
    patient: values.all,
    contract: values.contract ?? values.all,
    install: values.install,
    json: values.json ?? null,
  };
}
