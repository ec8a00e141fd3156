/**
 * `npm run check:model`: explores every configuration and says what holds.
 *
 *   node check/main.ts [--deep] [--only NAME[,NAME]] [--json] [--pin] [--at-once N] [--max-states N]
 *
 * Exit code 0: all properties hold and the numbers are the pinned ones; 1: something is broken, unproved or has moved.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeStats } from './engine/index.ts';
import { everyConfig, named } from './configs.ts';
import { runAll } from './pool.ts';
import type { Answer, Job } from './worker.ts';

interface Pin {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
}

interface Pins {
  readonly [config: string]: Pin;
}

const pinsFile = new URL('./pins.json', import.meta.url);

const { values: options } = parseArgs({
  options: {
    deep: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    pin: { type: 'boolean', default: false },
    'at-once': { type: 'string', default: '2' },
    'max-states': { type: 'string' },
  },
});

function chosen(): readonly string[] {
  if (options.only !== undefined) {
    return options.only.split(',');
  }
  return everyConfig.filter((config) => config.deep === options.deep).map((config) => config.name);
}

function readPins(): Pins {
  try {
    return JSON.parse(readFileSync(pinsFile, 'utf8')) as Pins;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return {};
    }
    throw error;
  }
}

const pinOf = ({ stats }: Answer): Pin => ({
  states: stats.states,
  transitions: stats.transitions,
  depth: stats.depth,
});

/** What is wrong with an answer, or null. */
function complaint(answer: Answer, pins: Pins): string | null {
  if (answer.verdict !== 'holds') {
    return answer.story;
  }
  if (options.pin) {
    return null;
  }
  const was = pins[answer.config];
  const is = pinOf(answer);
  // A large configuration may be run for longer than anybody has pinned it.
  if (was === undefined && named(answer.config)?.deep === true) {
    return null;
  }
  if (was === undefined) {
    return `MOVED: ${answer.config} is not pinned: ${JSON.stringify(is)}`;
  }
  return was.states === is.states && was.transitions === is.transitions && was.depth === is.depth
    ? null
    : `MOVED: ${answer.config} was ${JSON.stringify(was)} and is ${JSON.stringify(is)}. If the change is meant, run it with --pin and say why in the commit.`;
}

const say = (line: string): void => {
  if (!options.json) {
    process.stdout.write(`${line}\n`);
  }
};

function progress(job: Job, text: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\u001B[K  ${job.config}: ${text}`);
  }
}

function report(answer: Answer, pins: Pins): void {
  if (process.stderr.isTTY) {
    process.stderr.write('\r\u001B[K');
  }
  say(`${answer.config}: ${named(answer.config)?.about ?? ''}`);
  say(`  ${describeStats(answer.stats)}`);
  const wrong = complaint(answer, pins);
  say(wrong === null ? '  all properties hold within its bound' : wrong);
}

async function main(): Promise<void> {
  const unknown = chosen().filter((name) => named(name) === undefined);
  if (unknown.length > 0) {
    process.stderr.write(
      `There is no configuration ${unknown.join(', ')}. There are: ${everyConfig.map(({ name }) => name).join(', ')}\n`,
    );
    process.exitCode = 2;
    return;
  }
  const pins = readPins();
  const maxStates = options['max-states'] === undefined ? null : Number(options['max-states']);
  // The longest first, so that no thread is left alone with it in the end.
  const size = (config: string): number => pins[config]?.transitions ?? 0;
  const order = [...chosen()].sort((a, b) => size(b) - size(a));
  const jobs = order.map((config): Job => ({ config, core: null, maxStates }));
  const begun = performance.now();
  const answers = await runAll(jobs, Number(options['at-once']), {
    onProgress: (job, stats) => progress(job, describeStats(stats)),
    onAnswer: (_job, answer) => report(answer, pins),
  });
  const wrong = answers.filter((answer) => complaint(answer, pins) !== null);
  const holding = answers.filter((answer) => answer.verdict === 'holds');
  if (options.pin) {
    const entries = { ...pins, ...Object.fromEntries(holding.map((answer) => [answer.config, pinOf(answer)])) };
    const known = Object.entries(entries).filter(([name]) => named(name) !== undefined);
    writeFileSync(
      pinsFile,
      `${JSON.stringify(Object.fromEntries(known.sort(([a], [b]) => (a < b ? -1 : 1))), null, 2)}\n`,
    );
  }
  summary(answers, wrong.length, performance.now() - begun);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

function summary(answers: readonly Answer[], wrong: number, ms: number): void {
  const states = answers.reduce((sum, answer) => sum + answer.stats.states, 0);
  const transitions = answers.reduce((sum, answer) => sum + answer.stats.transitions, 0);
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ states, transitions, ms: Math.round(ms), wrong, answers }, null, 2)}\n`);
  }
  const all = `${answers.length} configurations, ${states.toLocaleString('en')} states, ${transitions.toLocaleString('en')} transitions, ${(ms / 1000).toFixed(0)} s`;
  say(
    wrong === 0
      ? `${all}: all properties proved within these bounds`
      : `${all}: ${wrong} of them BROKEN, UNPROVED or MOVED`,
  );
}

await main();
