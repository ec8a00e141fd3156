/** Where the core is, and mutated copies of it. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const coreDirectory = join(root, 'src/core');

/** A copy of the core with one file changed; the caller that makes it owns its directory. */
export interface MutatedCore {
  readonly directory: string;
  /** URL of the index of the copy, for the checker. */
  readonly index: string;
  /** The file under `src/core` that differs, and the file with its other text: for what imports the core by its own path. */
  readonly original: string;
  readonly instead: string;
}

export function writeMutated(directory: string, file: string, text: string): MutatedCore {
  mkdirSync(directory, { recursive: true });
  cpSync(coreDirectory, directory, { recursive: true, filter: (path) => !path.endsWith('.test.ts') });
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }\n');
  writeFileSync(join(directory, file), text);
  return {
    directory,
    index: pathToFileURL(join(directory, 'index.ts')).href,
    original: join(coreDirectory, file),
    instead: join(directory, file),
  };
}

/** How the unit tests and the simulator are told which file of the core differs; read by `preload.ts` and `vitest.config.ts`. */
export const environmentOf = ({ original, instead }: MutatedCore): NodeJS.ProcessEnv => ({
  ...process.env,
  SIGNALBOX_MUTANT_ORIGINAL: original,
  SIGNALBOX_MUTANT_INSTEAD: instead,
});
