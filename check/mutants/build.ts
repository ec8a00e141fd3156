/** Makes mutated copies of the core in a temporary directory. Whoever calls `mutated` owns the directory it is given. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Mutant } from './list.ts';

const core = fileURLToPath(new URL('../../src/core', import.meta.url));

/** Writes the mutant below `directory` and gives the URL of its index. Throws if its edit does not apply exactly once. */
export function mutated(mutant: Mutant, directory: string): string {
  const source = readFileSync(join(core, mutant.file), 'utf8');
  const places = source.split(mutant.from).length - 1;
  if (places !== 1) {
    throw new Error(`the mutant "${mutant.name}" applies ${places} times in src/core/${mutant.file}: mend its text`);
  }
  mkdirSync(directory, { recursive: true });
  cpSync(core, directory, { recursive: true, filter: (path) => !path.endsWith('.test.ts') });
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }\n');
  writeFileSync(
    join(directory, mutant.file),
    source.replace(mutant.from, () => mutant.to),
  );
  return pathToFileURL(join(directory, 'index.ts')).href;
}
