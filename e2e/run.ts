/** Plays every scenario with one program: one home, one fake model, one daemon for all of them. */
import type { Daemon } from './daemon.ts';
import { startDaemon } from './daemon.ts';
import type { Figures } from './figures.ts';
import type { Options } from './options.ts';
import type { RealProgram } from './programs.ts';
import { locate } from './programs.ts';
import { processesOf } from './processes.ts';
import { full } from './scenarios/full.ts';
import { handOver } from './scenarios/hand-over.ts';
import { killed } from './scenarios/killed.ts';
import { mainJob } from './scenarios/main-job.ts';
import { permission } from './scenarios/permission.ts';
import { rateLimit } from './scenarios/provider.ts';
import { race } from './scenarios/race.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { Skipped } from './scenarios/scenario.ts';
import { wideSettings } from './scenarios/wide-settings.ts';
import { words } from './scenarios/words.ts';
import type { ProgramSetup } from './program-setup.ts';
import { setUpProgram } from './program-setup.ts';

export interface Outcome {
  readonly program: string;
  readonly scenario: string;
  readonly kind: 'passed' | 'failed' | 'skipped';
  readonly ms: number;
  /** Empty where it passed. */
  readonly why: string;
}

export const scenarios: readonly Scenario[] = [
  mainJob,
  words,
  full,
  permission,
  wideSettings,
  rateLimit,
  killed,
  race,
  handOver,
];

/** A scenario that takes longer hangs; the races have a deadline for each. */
const scenarioDeadlineMs = 120_000;

export async function runProgram(
  program: RealProgram,
  options: Options,
  figures: Figures,
  say: (line: string) => void,
): Promise<readonly Outcome[]> {
  const chosen = scenarios.filter(({ name }) => options.scenarios.length === 0 || options.scenarios.includes(name));
  const located = locate(program.name);
  if (located.kind === 'absent') {
    say(`– ${program.name}: skipped, ${located.why}`);
    return chosen.map(({ name }) => ({ ...nothing(program, name), kind: 'skipped', why: located.why }));
  }
  say(`${program.name}: ${located.own ? located.file : 'of its lockfile'}`);
  const outcomes: Outcome[] = [];
  await using setup = await setUpProgram(program);
  const began = performance.now();
  let daemon: Daemon;
  try {
    daemon = await startDaemon(setup);
  } catch (error) {
    return [failed(program, 'start of the daemon', began, error)];
  }
  try {
    for (const scenario of chosen) {
      const outcome = await play(scenario, setup, daemon, options, figures);
      say(`  ${outcome.kind.padEnd(7)} ${scenario.name}: ${scenario.title} (${(outcome.ms / 1000).toFixed(1)} s)`);
      outcomes.push(outcome);
    }
  } finally {
    outcomes.push(await endOf(setup, daemon));
  }
  return outcomes;
}

const nothing = (program: RealProgram, scenario: string): Pick<Outcome, 'program' | 'scenario' | 'ms'> => ({
  program: program.name,
  scenario,
  ms: 0,
});

function failed(program: RealProgram, scenario: string, began: number, error: unknown): Outcome {
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { program: program.name, scenario, kind: 'failed', ms: performance.now() - began, why };
}

async function play(
  scenario: Scenario,
  setup: ProgramSetup,
  daemon: Daemon,
  options: Options,
  figures: Figures,
): Promise<Outcome> {
  const { program } = setup;
  const began = performance.now();
  const late = Promise.withResolvers<never>();
  const deadlineMs = scenarioDeadlineMs + options.races * 2_000;
  const timer = setTimeout(() => late.reject(new Error(`not over after ${deadlineMs} ms`)), deadlineMs);
  try {
    await Promise.race([
      scenario.run({ setup, daemon, figures, races: options.races, patient: options.patient }),
      late.promise,
    ]);
    return { program: program.name, scenario: scenario.name, kind: 'passed', ms: performance.now() - began, why: '' };
  } catch (error) {
    if (error instanceof Skipped) {
      return { ...nothing(program, scenario.name), kind: 'skipped', why: error.message };
    }
    return failed(program, scenario.name, began, error);
  } finally {
    clearTimeout(timer);
  }
}

/** The daemon ends as it is asked to, whatever its agents were doing, and no process of theirs is left; one that is left is killed. */
async function endOf({ program, home }: ProgramSetup, daemon: Daemon): Promise<Outcome> {
  const began = performance.now();
  const code = await daemon.end();
  const found = processesOf(home);
  const left = found.map(({ pid, command }) => `${pid} ${command}`);
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended since it was found.
    }
  }
  if (code === 0 && left.length === 0) {
    return { program: program.name, scenario: 'end', kind: 'passed', ms: performance.now() - began, why: '' };
  }
  return failed(program, 'end', began, new Error(`the daemon ended with ${code}, and left\n${left.join('\n')}`));
}
