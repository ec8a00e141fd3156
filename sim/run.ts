/** Runs seeds: each twice, and the two stories must be the same to the letter. */
import type { StoreKind } from './disk.ts';
import { Crashed } from './faults.ts';
import { differenceOf } from './story.ts';
import type { Outcome, Workload } from './setup.ts';
import { World } from './world.ts';

/** Scheduler steps of chaos, unless told otherwise. */
const defaultSteps = 4000;

export interface SeedOptions {
  readonly seed: number;
  readonly store: StoreKind;
  readonly steps?: number;
  /** False: once only, for speed. Default true. */
  readonly twice?: boolean;
  /** Makes the workload of a run, instead of the default one. */
  readonly workload?: () => Workload;
}

export interface SeedResult {
  readonly seed: number;
  readonly store: StoreKind;
  readonly failure: { readonly rule: string; readonly what: string } | null;
  readonly hash: string;
  readonly lines: readonly string[];
  readonly figures: Outcome['figures'];
  readonly struck: Outcome['struck'];
}

/** The run that is under way, for what Node reports outside of it. */
let current: World | null = null;

process.on('unhandledRejection', (error) => {
  if (current === null) {
    throw error;
  }
  // What a crashed daemon leaves behind is not there any more.
  if (!(error instanceof Crashed)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    current.violate('every promise is awaited', text);
  }
});

async function once(options: SeedOptions, judge: boolean): Promise<Outcome> {
  const { seed, store, steps = defaultSteps, workload } = options;
  const world = new World({ seed, store, steps, judge, ...(workload === undefined ? {} : { workload: workload() }) });
  current = world;
  try {
    return await world.run();
  } finally {
    current = null;
  }
}

export async function runSeed(options: SeedOptions): Promise<SeedResult> {
  const { seed, store, twice = true } = options;
  const first = await once(options, true);
  const hash = first.story.hash();
  const result = { seed, store, hash, lines: first.story.lines, figures: first.figures, struck: first.struck };
  if (first.violation !== null) {
    return { ...result, failure: first.violation };
  }
  if (twice) {
    const second = await once(options, false);
    const difference = second.story.hash() === hash ? null : differenceOf(first.story.lines, second.story.lines);
    if (difference !== null) {
      const what = `line ${difference.line}\nfirst:  ${difference.first}\nsecond: ${difference.second}`;
      return { ...result, failure: { rule: 'a seed tells one story', what } };
    }
  }
  return { ...result, failure: null };
}

/** The command that runs this seed again. */
export function commandOf({ seed, store, steps }: SeedOptions): string {
  return `npm run sim -- --seed ${seed} --store ${store}${steps === undefined || steps === defaultSteps ? '' : ` --steps ${steps}`}`;
}
