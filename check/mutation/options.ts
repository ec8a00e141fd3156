/** The command line of `npm run check:mutation`. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './files.ts';

export const helpText = `Makes one-edit mutants of the core, and says who finds them: the checker, the unit tests, the simulator.

  npm run check:mutation -- --count 60        a sample of 60
  npm run check:mutation -- --resume          continues a run that was interrupted
  npm run check:mutation -- --only 1a2b3c4d   one mutant, with its diff

  --seed N       which mutants are drawn (default 1); the first 60 of a seed are the first 60 of its 200
  --count N      how many (default 200)
  --budget S     seconds of computing that the checker has for a mutant (default 60)
  --jobs J       mutants at a time (default 2)
  --resume       takes what is known from the last run of this seed, if neither the core nor its judges have changed
  --survivors    the same after a change of the judges: repeats what survived, and keeps what was killed
  --list         prints the drawn mutants, and runs none
  --only ID      judges one mutant, drawn or not
  --json FILE    writes the result there
  --compare FILE says what differs from a result that --json wrote before
`;

export interface Options {
  readonly help: boolean;
  readonly seed: number;
  readonly count: number;
  readonly budget: number;
  readonly jobs: number;
  readonly resume: boolean;
  readonly survivors: boolean;
  readonly list: boolean;
  readonly only: string | null;
  readonly json: string | null;
  readonly compare: string | null;
}

/** Throws with a sentence for the user. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      seed: { type: 'string', default: '1' },
      count: { type: 'string', default: '200' },
      budget: { type: 'string', default: '60' },
      jobs: { type: 'string', default: '2' },
      resume: { type: 'boolean', default: false },
      survivors: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      only: { type: 'string' },
      json: { type: 'string' },
      compare: { type: 'string' },
    },
  });
  return {
    ...values,
    seed: whole('seed', values.seed),
    count: whole('count', values.count),
    budget: whole('budget', values.budget),
    jobs: Math.max(1, whole('jobs', values.jobs)),
    only: values.only ?? null,
    json: values.json ?? null,
    compare: values.compare ?? null,
  };
}

function whole(name: string, text: string): number {
  if (!/^\d{1,9}$/u.test(text)) {
    throw new Error(`--${name} takes a whole number, not "${text}"`);
  }
  return Number(text);
}

export const stateFile = (seed: number): string => join(root, `node_modules/.cache/mutation/seed-${seed}.json`);
