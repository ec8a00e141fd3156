/**
 * `npm run check:mutation`: generates one-edit mutants of the core, and says who finds them. `options.ts` has its arguments.
 *
 * Exit code 0: every survivor is judged in `judged.json`; 1: some are not; 2: a wrong argument; 130: interrupted.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoreProgram } from './core-program.ts';
import { coreDirectory, root } from './files.ts';
import type { CoreMutant } from './generate.ts';
import { generate } from './generate.ts';
import type { JudgeOptions } from './judge.ts';
import { judge } from './judge.ts';
import type { Judged } from './judged.ts';
import { match, readJudged } from './judged.ts';
import type { Options } from './options.ts';
import { helpText, readOptions, stateFile } from './options.ts';
import type { Outcome, Summary, WrittenResult } from './report.ts';
import { comparison, diffOf, summarise, tableOf } from './report.ts';
import type { Progress } from './run.ts';
import { run } from './run.ts';
import { draw } from './sample.ts';
import type { Result, State } from './state.ts';
import { fingerprintOf, readState, writeState } from './state.ts';

const judges = ['check', 'sim', 'test/core', 'test/runtime', 'test/support'].map((path) => join(root, path));

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const howOf = (result: Result): string => {
  switch (result.kind) {
    case 'killed':
      return `killed by the ${result.by}: ${result.how}`;
    case 'unloadable':
      return `cannot be loaded: ${result.how}`;
    case 'survived':
      return `SURVIVES${result.notes.length === 0 ? '' : ` (reaches other states in ${result.notes.join(', ')})`}`;
  }
};

function onResult({ mutant, result }: Outcome, { done, of, secondsLeft }: Progress): void {
  const place = `${mutant.id} ${mutant.file}:${mutant.line} ${mutant.operator}`;
  say(`[${done}/${of}] ${place}: ${howOf(result)}; ${result.seconds} s, about ${secondsLeft} s left`);
}

/** The state that a run begins with: what was found before, if that still holds. Throws with a sentence for the user. */
function begin(options: Options, program: CoreProgram, mutants: readonly CoreMutant[]): State {
  const { seed, count } = options;
  const core = fingerprintOf([coreDirectory]);
  const judged = fingerprintOf(judges);
  const known = options.resume || options.survivors ? readState(stateFile(seed)) : null;
  if (known !== null && known.core !== core) {
    throw new Error('The core has changed since the last run of this seed: run it without --resume and --survivors.');
  }
  if (known !== null && known.judges !== judged && !options.survivors) {
    throw new Error('The checker, the tests or the simulator have changed since the last run: see --survivors.');
  }
  const kept = Object.entries(known?.results ?? {}).filter(([, { kind }]) => !options.survivors || kind !== 'survived');
  const results = Object.fromEntries(kept);
  if (known !== null && known.count === count) {
    return { ...known, judges: judged, results };
  }
  const onDrawn = (drawn: number): void => {
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\u001B[K  drawn ${drawn} of ${count}`);
    }
  };
  const sample = draw(program, mutants, { seed, count, onDrawn });
  return {
    seed,
    count,
    core,
    judges: judged,
    sample: sample.mutants.map(({ id }) => id),
    refused: sample.refused,
    results,
  };
}

async function runOnly(
  id: string,
  program: CoreProgram,
  mutants: readonly CoreMutant[],
  options: JudgeOptions,
): Promise<number> {
  const mutant = mutants.find((one) => one.id === id);
  if (mutant === undefined) {
    say(`There is no mutant ${id}; --list prints them.`);
    return 2;
  }
  const text = program.text(mutant.file);
  say(diffOf(mutant, text));
  const result = await judge(mutant, text, options);
  say(`${howOf(result)}; ${result.seconds} s`);
  return result.kind === 'survived' ? 1 : 0;
}

function conclude(outcomes: readonly Outcome[], judged: Judged, program: CoreProgram, options: Options): Summary {
  const summary = summarise(outcomes, judged);
  for (const { mutant, result } of outcomes.filter((one) => one.result.kind === 'survived')) {
    const judgement = judged.byId.get(mutant.id);
    say('');
    say(diffOf(mutant, program.text(mutant.file)));
    say(
      `  ${judgement === undefined ? `not judged: ${howOf(result)}` : `${judgement.judgement}: ${judgement.reason}`}`,
    );
  }
  for (const { file, function: name, operator, before } of judged.stale) {
    say(`\nstale judgement, no mutant is like it: ${file} ${name} ${operator}: ${before}`);
  }
  say(`\nseed ${options.seed}, ${tableOf(outcomes, summary)}`);
  const written: WrittenResult = { seed: options.seed, summary, outcomes };
  if (options.compare !== null) {
    say(`\n${comparison(JSON.parse(readFileSync(options.compare, 'utf8')) as WrittenResult, written)}`);
  }
  if (options.json !== null) {
    writeFileSync(options.json, `${JSON.stringify(written, null, 2)}\n`);
  }
  return summary;
}

async function work(options: Options, directory: string, signal: AbortSignal): Promise<number> {
  using program = new CoreProgram(coreDirectory);
  const mutants = generate(program);
  const judging: JudgeOptions = { directory, budget: options.budget, signal };
  if (options.only !== null) {
    return await runOnly(options.only, program, mutants, judging);
  }
  const state = begin(options, program, mutants);
  const byId = new Map(mutants.map((mutant) => [mutant.id, mutant]));
  const sample = state.sample.flatMap((id) => byId.get(id) ?? []);
  say(
    `seed ${options.seed}: ${sample.length} of ${mutants.length} mutants drawn; ${state.refused} more do not compile, ` +
      `${sample.filter(({ id }) => state.results[id] !== undefined).length} are known`,
  );
  if (options.list) {
    sample.forEach((mutant) => say(diffOf(mutant, program.text(mutant.file))));
    return 0;
  }
  const keep = (next: State): void => writeState(stateFile(options.seed), next);
  keep(state);
  const { results } = await run(sample, {
    jobs: options.jobs,
    state,
    keep,
    judge: (mutant) => judge(mutant, program.text(mutant.file), judging),
    onResult,
  });
  const outcomes = sample.flatMap((mutant): Outcome[] => {
    const result = results[mutant.id];
    return result === undefined ? [] : [{ mutant, result }];
  });
  return conclude(outcomes, match(readJudged(), mutants), program, options).unjudged.length === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${helpText}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(helpText);
    return 0;
  }
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const directory = mkdtempSync(join(tmpdir(), 'signalbox-mutation-'));
  try {
    return await work(options, directory, interruption.signal);
  } catch (error) {
    if (interruption.signal.aborted) {
      say('Interrupted. The results so far are kept: continue with --resume.');
      return 130;
    }
    throw error;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

process.exitCode = await main();
