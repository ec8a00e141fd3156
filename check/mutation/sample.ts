/** Which mutants a run looks at: spread over the files by their number of mutants, and over each file by the seed. */
import { createHash } from 'node:crypto';
import type { CoreProgram } from './core-program.ts';
import type { CoreMutant } from './generate.ts';
import { applied } from './generate.ts';

/** A number from 0 to 1 that the texts decide. */
function chance(...texts: readonly string[]): number {
  return createHash('sha256').update(texts.join('\n')).digest().readUInt32BE() / 2 ** 32;
}

/**
 * All mutants, in the order in which a run takes them. The first of them are spread as evenly as all are, so a run of 60 takes
 * the first 60 of a run of 200. A mutant keeps its place among those of its file while others come and go.
 */
export function inOrder(mutants: readonly CoreMutant[], seed: number): readonly CoreMutant[] {
  const placed = [...Map.groupBy(mutants, ({ file }) => file)].flatMap(([file, group]) => {
    const first = chance(String(seed), file);
    const drawn = group
      .map((mutant) => ({ mutant, draw: chance(String(seed), mutant.id) }))
      .toSorted((a, b) => a.draw - b.draw);
    return drawn.map(({ mutant }, rank) => ({ mutant, place: (rank + first) / group.length }));
  });
  return placed.toSorted((a, b) => a.place - b.place).map(({ mutant }) => mutant);
}

export interface Sample {
  readonly mutants: readonly CoreMutant[];
  /** How many were passed over because the compiler refuses them. */
  readonly refused: number;
}

/** The first `count` that compile: the compiler finds the others. */
export function draw(
  program: CoreProgram,
  mutants: readonly CoreMutant[],
  options: { readonly seed: number; readonly count: number; readonly onDrawn?: (drawn: number) => void },
): Sample {
  const drawn: CoreMutant[] = [];
  let refused = 0;
  for (const mutant of inOrder(mutants, options.seed)) {
    if (drawn.length >= options.count) {
      break;
    }
    if (compiles(program, mutant)) {
      drawn.push(mutant);
      options.onDrawn?.(drawn.length);
    } else {
      refused += 1;
    }
  }
  return { mutants: drawn, refused };
}

function compiles(program: CoreProgram, { file, edit }: CoreMutant): boolean {
  return program.compiles(file, applied(program.tree(file).text, edit, edit.typed ?? edit.text));
}
