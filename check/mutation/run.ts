/**
 * A run over the drawn mutants: a few at a time, each result kept at once, so that an interrupted run can go on.
 * Owns the state file while it runs.
 */
import type { CoreMutant } from './generate.ts';
import type { Outcome } from './report.ts';
import type { Result, State } from './state.ts';

interface RunOptions {
  readonly jobs: number;
  readonly state: State;
  readonly keep: (state: State) => void;
  readonly judge: (mutant: CoreMutant) => Promise<Result>;
  readonly onResult: (outcome: Outcome, progress: Progress) => void;
}

export interface Progress {
  /** Of the whole sample, with what earlier runs have found. */
  readonly done: number;
  readonly of: number;
  readonly secondsLeft: number;
}

/** What is already in the state is not judged again. Rejects with the first mutant that cannot be judged. */
export async function run(mutants: readonly CoreMutant[], options: RunOptions): Promise<State> {
  const { jobs, keep, judge, onResult } = options;
  let state = options.state;
  const left = mutants.filter(({ id }) => state.results[id] === undefined);
  const begun = performance.now();
  let next = 0;
  let judged = 0;
  const lane = async (): Promise<void> => {
    for (let mutant = left[next++]; mutant !== undefined; mutant = left[next++]) {
      const result = await judge(mutant);
      judged += 1;
      state = { ...state, results: { ...state.results, [mutant.id]: result } };
      keep(state);
      const each = (performance.now() - begun) / 1000 / judged;
      onResult(
        { mutant, result },
        {
          done: mutants.length - left.length + judged,
          of: mutants.length,
          secondsLeft: Math.round(each * (left.length - judged)),
        },
      );
    }
  };
  await Promise.all(Array.from({ length: jobs }, lane));
  return state;
}
