/**
 * `npm run check:mutants`: every mutant of the core must be found by the checker.
 *
 *   node check/mutants.ts [--only TEXT] [--story] [--pin] [--at-once N]
 *
 * Exit code 0: all were found, each by the pinned property in the pinned number of steps; 1: one survived or has moved.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mutated } from './mutants/build.ts';
import type { Mutant } from './mutants/list.ts';
import { mutants } from './mutants/list.ts';
import { runAll } from './pool.ts';
import type { Answer, Job } from './worker.ts';

interface Pin {
  readonly config: string;
  readonly property: string;
  readonly steps: number;
}

const pinsFile = new URL('./mutants.json', import.meta.url);

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    story: { type: 'boolean', default: false },
    pin: { type: 'boolean', default: false },
    'at-once': { type: 'string', default: '2' },
  },
});

const isFound = (answer: Answer): boolean => answer.verdict === 'unsafe' || answer.verdict === 'unlive';
const pinOf = (answer: Answer): Pin => ({ config: answer.config, property: answer.property, steps: answer.length });

/** What is wrong with the answer to a mutant, or null. */
function complaint(answer: Answer, pin: Pin | undefined): string | null {
  if (!isFound(answer)) {
    return 'SURVIVES';
  }
  if (options.pin) {
    return null;
  }
  const is = pinOf(answer);
  const same = pin?.config === is.config && pin.property === is.property && pin.steps === is.steps;
  return same
    ? null
    : `MOVED: it was ${pin === undefined ? 'not pinned' : `found by "${pin.property}" in ${pin.steps}`}`;
}

function readPins(): { readonly [name: string]: Pin } {
  try {
    return JSON.parse(readFileSync(pinsFile, 'utf8')) as { readonly [name: string]: Pin };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return {};
    }
    throw error;
  }
}

async function main(): Promise<void> {
  const chosen = mutants.filter((mutant) => mutant.name.includes(options.only));
  if (chosen.length === 0) {
    process.stderr.write(`No mutant has "${options.only}" in its name; check/mutants/ lists them.\n`);
    process.exitCode = 2;
    return;
  }
  const pins = readPins();
  const directory = mkdtempSync(join(tmpdir(), 'signalbox-mutants-'));
  const begun = performance.now();
  try {
    const byUrl = new Map<string, Mutant>();
    const jobs = chosen.map((mutant, index): Job => {
      const core = mutated(mutant, join(directory, String(index)));
      byUrl.set(core, mutant);
      return { config: mutant.config, core, maxStates: null };
    });
    const answers = await runAll(jobs, Number(options['at-once']), {
      onAnswer: (job, answer) => {
        const mutant = byUrl.get(job.core ?? '');
        if (mutant !== undefined) {
          row(mutant, answer, complaint(answer, pins[mutant.name]));
        }
      },
    });
    const wrong = answers.filter((answer, index) => complaint(answer, pins[chosen[index]?.name ?? '']) !== null);
    if (options.pin) {
      pin(pins, chosen, answers);
    }
    const found = answers.filter(isFound).length;
    const seconds = ((performance.now() - begun) / 1000).toFixed(0);
    process.stdout.write(
      `${found} of ${answers.length} mutants found, ${seconds} s${wrong.length === 0 ? '' : `, ${wrong.length} WRONG`}\n`,
    );
    process.exitCode = wrong.length === 0 ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function row(mutant: Mutant, answer: Answer, wrong: string | null): void {
  const how = isFound(answer) ? `${String(answer.length).padStart(3)} steps  ${answer.property}` : '';
  process.stdout.write(
    `${mutant.name.padEnd(72)} ${answer.config.padEnd(17)} ${how}${wrong === null ? '' : `  ${wrong}`}\n`,
  );
  if (options.story) {
    process.stdout.write(`${answer.story}\n`);
  }
}

function pin(pins: { readonly [name: string]: Pin }, chosen: readonly Mutant[], answers: readonly Answer[]): void {
  const found = chosen.flatMap((mutant, index): [string, Pin][] => {
    const answer = answers[index];
    return answer !== undefined && isFound(answer) ? [[mutant.name, pinOf(answer)]] : [];
  });
  const entries = Object.entries({ ...pins, ...Object.fromEntries(found) });
  const known = entries.filter(([name]) => mutants.some((mutant) => mutant.name === name));
  writeFileSync(pinsFile, `${JSON.stringify(Object.fromEntries(known), null, 2)}\n`);
}

await main();
