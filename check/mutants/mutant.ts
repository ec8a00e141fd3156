/** A mutant: the core with one edit. */
export interface Mutant {
  readonly name: string;
  /** File below `src/core`. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
  /** The smallest configuration that finds it. */
  readonly config: string;
}

export const mutant = (name: string, config: string, file: string, from: string, to: string): Mutant => ({
  name,
  config,
  file: `${file}.ts`,
  from,
  to,
});
