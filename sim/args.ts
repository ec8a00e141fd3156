/** The command line of the simulator. */
import { parseArgs } from 'node:util';
import type { StoreKind } from './disk.ts';

export const helpText = `Simulates the whole runtime under faults, from a seed.

  npm run sim -- --seed 7                  one seed, with its story if it fails
  npm run sim -- --seeds 2000              seeds 1 to 2000 on all stores in turn, each twice
  npm run sim -- --stress                  2,560 races of progress, cancel and completion on each store

  --seed N       first seed (default 1)
  --seeds COUNT  how many (default 1, or 2000 without --seed)
  --steps M      scheduler steps of chaos per run at most (default 4000)
  --store S      memory, sqlite, both, or late: memory that answers late, in an order drawn from the seed
                 (default: memory; with --seeds: every tenth seed on sqlite, every fourth on late)
  --jobs J       processes (default 2 for 100 seeds and more)
  --tail L       lines of the story that a failure prints (default 80)
  --story        print the story of a seed that passes, too
  --stress       the race scenarios; --count C of them on each store (default 2560)
  --json         one JSON object on stdout
`;

export interface Options {
  readonly help: boolean;
  readonly seed: number;
  readonly seeds: number;
  readonly steps: number | null;
  readonly stores: readonly StoreKind[] | 'mixed';
  readonly jobs: number;
  readonly tail: number;
  readonly story: boolean;
  readonly stress: boolean;
  readonly count: number;
  readonly json: boolean;
}

/** Throws with a sentence for the user. */
export function readArgs(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      seed: { type: 'string' },
      seeds: { type: 'string' },
      steps: { type: 'string' },
      store: { type: 'string' },
      jobs: { type: 'string' },
      tail: { type: 'string' },
      story: { type: 'boolean', default: false },
      stress: { type: 'boolean', default: false },
      count: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const seeds = values.seeds === undefined ? (values.seed === undefined ? 2000 : 1) : whole('seeds', values.seeds);
  return {
    help: values.help,
    seed: values.seed === undefined ? 1 : whole('seed', values.seed),
    seeds,
    steps: values.steps === undefined ? null : whole('steps', values.steps),
    stores: storesOf(values.store, values.stress || values.seeds !== undefined || values.seed === undefined),
    jobs: values.jobs === undefined ? (seeds >= 100 ? 2 : 1) : Math.max(1, whole('jobs', values.jobs)),
    tail: values.tail === undefined ? 80 : whole('tail', values.tail),
    story: values.story,
    stress: values.stress,
    count: values.count === undefined ? 2560 : whole('count', values.count),
    json: values.json,
  };
}

function whole(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new Error(`--${name} takes a whole number, not "${text}"`);
  }
  return Number(text);
}

function storesOf(text: string | undefined, many: boolean): Options['stores'] {
  switch (text) {
    case undefined:
      return many ? 'mixed' : ['memory'];
    case 'memory':
    case 'sqlite':
    case 'late':
      return [text];
    case 'both':
      return ['memory', 'sqlite'];
    default:
      throw new Error(`--store takes memory, sqlite, both or late, not "${text}"`);
  }
}
