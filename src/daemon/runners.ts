/**
 * The code runners of the configuration: modules of the user, loaded at the start and run in the daemon's process. What does not fit
 * together is found here, before anything is opened: a rule that names a runner which does not exist would refuse every delivery.
 */
import { existsSync } from 'node:fs';
import { AppError } from '../core/errors.ts';
import { sourceRunners, type SourceConfigs } from '../gateways/registry.ts';
import { nearest } from '../protocol/nearest.ts';
import type { Runner } from '../runtime/api.ts';
import { importDeadlineMs, importError, importModule } from './import-module.ts';

/** Where a runner is: the file, absolute, and the name of the export. */
export interface RunnerPlace {
  readonly module: string;
  readonly export: string;
}

export type RunnerPlaces = Readonly<{ [name: string]: RunnerPlace }>;

const bad = (message: string, hint: string, cause?: unknown): AppError =>
  new AppError({ code: 'bad_config', message, hint, cause });

interface RunnerConfig {
  readonly runners: RunnerPlaces;
  readonly sources: SourceConfigs;
}

/** All of them, for rules that name no others. Throws `bad_config`. */
export async function configuredRunners({ runners, sources }: RunnerConfig): Promise<Runners> {
  checkRunnerNames(sources, runners);
  return loadRunners(runners);
}

type Runners = Readonly<{ [name: string]: Runner }>;

/** Throws `bad_config` for a module that is absent, fails, or does not export a function under that name. */
export async function loadRunners(places: RunnerPlaces, deadlineMs = importDeadlineMs): Promise<Runners> {
  const runners: { [name: string]: Runner } = {};
  // One after the other: of two that fail the first is named, whatever their speed.
  for (const [name, place] of Object.entries(places)) {
    runners[name] = await loadRunner(name, place, deadlineMs);
  }
  return runners;
}

async function loadRunner(name: string, place: RunnerPlace, deadlineMs: number): Promise<Runner> {
  const { module: file, export: exported } = place;
  if (!existsSync(file)) {
    throw bad(
      `runners.${name}: there is no file ${file}`,
      'Name the module relative to the folder of the configuration file.',
    );
  }
  const module = await importModule(file, deadlineMs).catch((error: unknown) => {
    throw bad(
      `runners.${name}: ${file} could not be loaded: ${importError(error)}`,
      'Correct the module, or remove the runner. `node FILE` shows the same error with its place.',
      error,
    );
  });
  const runner = Object.hasOwn(module, exported) ? module[exported] : undefined;
  if (!isRunner(runner)) {
    const functions = Object.keys(module).filter((key) => typeof module[key] === 'function');
    const there = functions.length === 0 ? 'It exports no function.' : `It exports ${functions.join(', ')}.`;
    throw bad(
      `runners.${name}: ${file} has no function as its ${exported === 'default' ? 'default export' : `export ${exported}`}`,
      `${there} Write \`export default async function\`, or name the export: { module, export }.`,
    );
  }
  return runner;
}

/** What it takes and gives is seen when it runs. */
const isRunner = (value: unknown): value is Runner => typeof value === 'function';

/** Throws `bad_config` for a rule whose runner is not among these. */
function checkRunnerNames(sources: SourceConfigs, runners: RunnerPlaces): void {
  const names = Object.keys(runners);
  for (const { where, runner } of sourceRunners(sources)) {
    if (!names.includes(runner)) {
      const meant = nearest(runner, names);
      const known = names.length === 0 ? 'No runner is configured.' : `There are: ${names.join(', ')}.`;
      throw bad(
        `${where}: there is no code runner ${JSON.stringify(runner)}`,
        meant === null ? `${known} Name its module in \`runners\` (docs/runners.md).` : `Did you mean \`${meant}\`?`,
      );
    }
  }
}
