/** One mutant, judged by the checker, the unit tests and the simulator until one of them finds it. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { runChecker } from './checker.ts';
import type { CoreMutant } from './generate.ts';
import { applied } from './generate.ts';
import { writeMutated } from './files.ts';
import type { MutatedCore } from './files.ts';
import { looksFor, statesOf } from './plan.ts';
import { runSimulator } from './simulator.ts';
import type { Stage, StageResult } from './stage.ts';
import { stages } from './stage.ts';
import type { Result } from './state.ts';
import { runUnitTests } from './unit-tests.ts';

export interface JudgeOptions {
  /** The copies of the core are made in it; the caller removes it. */
  readonly directory: string;
  readonly budget: number;
  readonly signal: AbortSignal;
}

const runStage = (
  stage: Stage,
  file: string,
  core: MutatedCore,
  { budget, signal }: JudgeOptions,
): Promise<StageResult> => {
  switch (stage) {
    case 'checker':
      return runChecker(core, { looks: looksFor(file), statesOf, budget, signal });
    case 'unit tests':
      return runUnitTests(core, signal);
    case 'simulator':
      return runSimulator(core, signal);
  }
};

/** `text`: of the file that the mutant edits. Rejects if the signal is aborted. */
export async function judge(mutant: CoreMutant, text: string, options: JudgeOptions): Promise<Result> {
  const directory = join(options.directory, mutant.id);
  const begun = performance.now();
  const seconds = (): number => Math.round((performance.now() - begun) / 100) / 10;
  const core = writeMutated(directory, mutant.file, applied(text, mutant.edit, mutant.edit.text));
  const notes: string[] = [];
  try {
    for (const stage of stages) {
      const result = await runStage(stage, mutant.file, core, options);
      switch (result.kind) {
        case 'killed':
          return { kind: 'killed', by: stage, how: result.how, seconds: seconds() };
        case 'unloadable':
          return { kind: 'unloadable', how: result.how, seconds: seconds() };
        case 'passed':
          notes.push(...result.notes);
      }
    }
    return { kind: 'survived', notes, seconds: seconds() };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
