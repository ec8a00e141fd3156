/**
 * The end-to-end tests: real agent programs, driven by a real daemon, against our own fake model API, without a network.
 * `npm run e2e` plays with those of every CI run, `npm run e2e:all` with all five. The exit code is 1 when anything failed.
 */
import { writeFileSync } from 'node:fs';
import { runContract } from './contract.ts';
import { Figures, aligned } from './figures.ts';
import { groupsToInstall, install } from './install.ts';
import { enter, isolation } from './isolate.ts';
import type { Options } from './options.ts';
import { readOptions, usage } from './options.ts';
import { locate, realPrograms } from './programs.ts';
import type { Outcome } from './run.ts';
import { runProgram, scenarios } from './run.ts';
import { findSandbox } from '../src/daemon/sandbox.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function optionsOrUsage(): Options | null {
  try {
    const options = readOptions(process.argv.slice(2));
    const unknown = options.scenarios.filter((name) => scenarios.every((scenario) => scenario.name !== name));
    if (unknown.length === 0) {
      return options;
    }
    throw new Error(
      `--scenario: not known: ${unknown.join(', ')}; there are ${scenarios.map(({ name }) => name).join(', ')}`,
    );
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return null;
  }
}

async function installMissing(options: Options): Promise<boolean> {
  if (!options.install) {
    return true;
  }
  for (const group of groupsToInstall(options.programs)) {
    const failed = await install(group, say);
    if (failed === null) {
      continue;
    }
    say(failed);
    return false;
  }
  return true;
}

const signs = { passed: '✓', failed: '✗', skipped: '–' } as const;

function report(outcomes: readonly Outcome[], figures: Figures, programs: readonly string[]): void {
  const titles = [...new Set(outcomes.map(({ scenario }) => scenario))];
  const cell = (scenario: string, program: string): string => {
    const found = outcomes.find((one) => one.scenario === scenario && one.program === program);
    return found === undefined ? '' : `${signs[found.kind]} ${(found.ms / 1000).toFixed(1)} s`;
  };
  say('');
  const head = ['', ...programs];
  for (const row of aligned([head, ...titles.map((one) => [one, ...programs.map((name) => cell(one, name))])])) {
    say(row);
  }
  const table = figures.table(programs);
  if (table.length > 0) {
    say('');
  }
  for (const row of table) {
    say(row);
  }
  for (const { kind, program, scenario, why } of outcomes) {
    if (kind !== 'passed') {
      say(`\n${signs[kind]} ${program}, ${scenario}: ${why}`);
    }
  }
}

async function runAll(options: Options): Promise<number> {
  const began = performance.now();
  const figures = new Figures();
  const outcomes: Outcome[] = [];
  for (const name of options.programs) {
    const program = realPrograms.find((one) => one.name === name);
    if (program === undefined) {
      continue;
    }
    outcomes.push(...(await runProgram(program, options, figures, say)));
    if (options.contract && locate(name).kind === 'found') {
      outcomes.push(await runContract(name, say));
    }
  }
  report(outcomes, figures, options.programs);
  const of = (kind: Outcome['kind']): number => outcomes.filter((one) => one.kind === kind).length;
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  say(`\n${of('passed')} passed, ${of('failed')} failed, ${of('skipped')} skipped, in ${seconds} s`);
  if (options.json !== null) {
    writeFileSync(options.json, JSON.stringify({ outcomes, figures }, null, 1));
  }
  return of('failed') > 0 ? 1 : 0;
}

async function main(): Promise<number> {
  const options = optionsOrUsage();
  if (options === null) {
    return 2;
  }
  const isolated = isolation();
  if (isolated.kind !== 'inside' && !(await installMissing(options))) {
    return 1;
  }
  if (isolated.kind === 'possible') {
    say(`no network: in a namespace with nothing but loopback (unshare ${isolated.flags})`);
    return enter(isolated.flags);
  }
  if (isolated.kind === 'none') {
    say('no namespace can be made here, so dead proxies keep the programs off the network');
  }
  const sandbox = findSandbox(process.env);
  say(sandbox.kind === 'found' ? `sandbox: ${sandbox.file}` : `no sandbox: ${sandbox.why}`);
  return runAll(options);
}

// A scenario that was not over in time may still wait for something.
process.exit(await main());
