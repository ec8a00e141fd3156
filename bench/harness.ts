/**
 * What every row of the benchmark is made of.
 *
 * A row measures a path of ours and, in turns with it and in the same process tree, the limit it is judged by. Machines
 * differ and are busy; a ratio of two neighbours in time hardly does. So: rounds of limit and ours one after the other, and
 * of each figure the median over the rounds; of the ratios too, each taken within its round.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `ratio` is ours / limit: a time is to be at most so much of it, a rate at least so much. */
export type Goal =
  | { readonly of: 'ratio' | 'ours'; readonly atMost: number }
  | { readonly of: 'ratio' | 'ours'; readonly atLeast: number };

export interface Figure {
  /** What was measured, such as `p50`. */
  readonly measure: string;
  readonly unit: string;
  readonly ours: number;
  /** Null: the goal stands by itself. */
  readonly limit: number | null;
  readonly ratio: number | null;
  /** Smallest and largest ratio of a round. */
  readonly spread: readonly [number, number] | null;
  readonly goal: Goal | null;
  /** Null: there is no goal; the figure is only told. */
  readonly met: boolean | null;
  readonly note: string | null;
}

/** A row, or a part of one, that could not be measured here. */
export interface Skipped {
  readonly measure: string;
  readonly skipped: string;
}

export interface Run {
  /** Few and small rounds: shows that the row works, not how fast it is. */
  readonly quick: boolean;
  readonly rounds: number;
  /** Progress, for a person. */
  say(text: string): void;
}

export interface Row {
  readonly name: string;
  readonly title: string;
  /** What stands in the column `limit`. */
  readonly limit: string;
  measure(run: Run): Promise<readonly (Figure | Skipped)[]>;
}

interface Pair<T> {
  readonly ours: T;
  readonly limit: T;
}

/** A round that warms both up and is thrown away, then `run.rounds` of limit and ours in turns. */
export async function inTurns<T>(
  run: Run,
  parts: { readonly limit: () => Promise<T> | T; readonly ours: () => Promise<T> | T },
): Promise<readonly Pair<T>[]> {
  const pairs: Pair<T>[] = [];
  for (let round = 0; round <= run.rounds; round += 1) {
    const limit = await parts.limit();
    const ours = await parts.ours();
    if (round === 0) {
      continue;
    }
    pairs.push({ ours, limit });
    run.say(
      `round ${round}/${run.rounds}${typeof ours === 'number' ? `: ${short(ours)} to ${short(Number(limit))}` : ''}`,
    );
  }
  return pairs;
}

interface Comparison {
  readonly measure: string;
  readonly unit: string;
  readonly goal: Goal | null;
  readonly note?: string;
}

export function compared(pairs: readonly Pair<number>[], { measure, unit, goal, note }: Comparison): Figure {
  const ratios = pairs.map(({ ours, limit }) => ours / limit);
  const ours = median(pairs.map((pair) => pair.ours));
  const ratio = median(ratios);
  return {
    measure,
    unit,
    ours,
    limit: median(pairs.map((pair) => pair.limit)),
    ratio,
    spread: [Math.min(...ratios), Math.max(...ratios)],
    goal,
    met: goal === null ? null : meets(goal, { ours, ratio }),
    note: note ?? null,
  };
}

/** A figure with nothing beside it. */
export function alone(ours: number, { measure, unit, goal, note }: Comparison): Figure {
  const met = goal === null ? null : meets(goal, { ours, ratio: null });
  return { measure, unit, ours, limit: null, ratio: null, spread: null, goal, met, note: note ?? null };
}

function meets(goal: Goal, figure: { readonly ours: number; readonly ratio: number | null }): boolean {
  const value = figure[goal.of];
  return value !== null && ('atMost' in goal ? value <= goal.atMost : value >= goal.atLeast);
}

export const median = (values: readonly number[]): number => percentile(values, 50);

/** By the nearest rank between neighbours; of an even number the middle of the two. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** Three digits that matter, and a unit of thousands. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) {
    return `${(value / 1e6).toPrecision(3)}M`;
  }
  if (size >= 1e4) {
    return `${(value / 1e3).toPrecision(3)}k`;
  }
  return size >= 100 || value === 0 ? String(Math.round(value)) : value.toPrecision(3);
}

/** Operations per second of `count` operations. */
export async function rate(count: number, work: () => Promise<unknown> | void): Promise<number> {
  const began = performance.now();
  const done = work();
  if (done instanceof Promise) {
    await done;
  }
  return (count * 1000) / (performance.now() - began);
}

/** A folder of its own under the system's, removed at the end of its scope. */
export function temporaryFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Monotonic nanoseconds, comparable between the processes of one machine (CLOCK_MONOTONIC). */
export const nowNs = (): bigint => process.hrtime.bigint();

/** Benchmarks need pauses; tests do not. */
export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
