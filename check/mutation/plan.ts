/** In which configurations the checker looks for a mutant, in which order, and how far: chosen for speed. */
import { readFileSync } from 'node:fs';
import { coreConfigs } from '../configs.ts';
import { mutants } from '../mutants/list.ts';

export interface Look {
  readonly config: string;
  /** Null: all states, and endless runs too. */
  readonly maxStates: number | null;
}

interface Pins {
  readonly [config: string]: { readonly states: number };
}

const pins = JSON.parse(readFileSync(new URL('../pins.json', import.meta.url), 'utf8')) as Pins;

/** How many states a configuration has without a mutant. */
export const statesOf = (config: string): number | undefined => pins[config]?.states;

/** A counterexample is mostly short: the first states of every configuration find most mutants. */
const firstStates = 1000;
/** The next look at the configurations that are too large to be looked at in full. */
const moreStates = 10_000;
/** Configurations that are looked at in full, with endless runs, have at most so many states. */
const fullStates = 15_000;
/** The same for a configuration that was written for what the file does. */
const fullStatesOfOwn = 40_000;

const daily = coreConfigs.filter(({ deep }) => !deep).map(({ name }) => name);
const sizeOf = (config: string): number => statesOf(config) ?? Number.POSITIVE_INFINITY;

/**
 * The configurations that find the named mutants of the file, the one that finds most of them first: the list of
 * `check:mutants` knows which configurations a file concerns.
 */
function ownOf(file: string): readonly string[] {
  const found = Map.groupBy(
    mutants.filter((mutant) => mutant.file === file),
    ({ config }) => config,
  );
  return [...found]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([config]) => config)
    .filter((config) => daily.includes(config));
}

/** `file`: the one that the mutant edits, below `src/core`. */
export function looksFor(file: string): readonly Look[] {
  const own = ownOf(file);
  const others = daily.filter((config) => !own.includes(config));
  const inFull = (list: readonly string[], states: number): readonly string[] =>
    list.filter((config) => sizeOf(config) <= states).toSorted((a, b) => sizeOf(a) - sizeOf(b));
  const full = [...inFull(own, fullStatesOfOwn), ...inFull(others, fullStates)];
  const large = [...own, ...others].filter((config) => !full.includes(config));
  return [
    ...[...own, ...others].map((config) => ({ config, maxStates: firstStates })),
    ...full.map((config) => ({ config, maxStates: null })),
    ...large.map((config) => ({ config, maxStates: moreStates })),
  ];
}
