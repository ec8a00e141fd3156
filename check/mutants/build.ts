/** Makes mutated copies of what is checked in a temporary directory. Whoever calls `mutated` owns the directory it is given. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Mutant } from './list.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Writes the mutant below `directory` and gives the URL of its module: the index of the core, or the file itself, which imports nothing but
 * types. Throws if its edit does not apply exactly once.
 */
export function mutated(mutant: Mutant, directory: string): string {
  const root = join(repository, mutant.root);
  const source = readFileSync(join(root, mutant.file), 'utf8');
  const places = source.split(mutant.from).length - 1;
  if (places !== 1) {
    throw new Error(
      `the mutant "${mutant.name}" applies ${places} times in ${mutant.root}/${mutant.file}: mend its text`,
    );
  }
  mkdirSync(directory, { recursive: true });
  const isCore = mutant.root === 'src/core';
  if (isCore) {
    cpSync(root, directory, { recursive: true, filter: (path) => !path.endsWith('.test.ts') });
  }
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }\n');
  writeFileSync(
    join(directory, mutant.file),
    source.replace(mutant.from, () => mutant.to),
  );
  return pathToFileURL(join(directory, isCore ? 'index.ts' : mutant.file)).href;
}
