/** What is mutated: the core as a whole, or one file by itself. */
export type Root = 'src/core' | 'src/protocol' | 'check/nodes';

/** A mutant: the core, or the protocol of the nodes, with one edit. */
export interface Mutant {
  readonly name: string;
  readonly root: Root;
  /** File below it. */
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
  root: 'src/core',
  file: `${file}.ts`,
  from,
  to,
});
