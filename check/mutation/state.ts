/** What a run has found so far, in a file that outlives it. The whole file is written after each mutant. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Stage, StageResult } from './stage.ts';

export type Result =
  | { readonly kind: 'killed'; readonly by: Stage; readonly how: string; readonly seconds: number }
  | { readonly kind: 'survived'; readonly notes: readonly string[]; readonly seconds: number }
  | { readonly kind: 'unloadable'; readonly how: string; readonly seconds: number };

export type Notes = Extract<StageResult, { readonly kind: 'passed' }>['notes'];

export interface State {
  readonly seed: number;
  readonly count: number;
  /** Of the core that is mutated, and of all that judges it. */
  readonly core: string;
  readonly judges: string;
  /** The drawn mutants, by their ids, in order. */
  readonly sample: readonly string[];
  readonly refused: number;
  readonly results: { readonly [id: string]: Result };
}

/** Null: there is none. */
export function readState(file: string): State | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as State;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return null;
    }
    throw error;
  }
}

/** A reader finds the old state or the new one, never a part. */
export function writeState(file: string, state: State): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

/** Of all TypeScript sources below the directories. */
export function fingerprintOf(directories: readonly string[]): string {
  const hash = createHash('sha256');
  for (const directory of directories) {
    const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
    for (const name of names.filter((one) => one.endsWith('.ts')).toSorted()) {
      hash.update(`${name}\n`).update(readFileSync(join(directory, name)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
