/** The data folder: made for its owner's eyes only. The database, the token and `daemon.json` in it are their writers' own. */
import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AppError } from '../core/errors.ts';
import { makeFolder } from '../runtime/workspace/workspaces.ts';

/** Makes the folder, or checks that an existing one can be used. Throws `store_failed`. */
export function openFolder(folder: string): void {
  try {
    makeFolder(folder);
    // A folder that a person made (`mkdir box`) is often readable by other users, who must not read the data. A folder that is
    // not empty (`--data .`) has another purpose, which a change of its mode may break; the files of Signalbox are private anyway.
    if ((statSync(folder).mode & 0o077) !== 0 && readdirSync(folder).length === 0) {
      chmodSync(folder, 0o700);
    }
    // Beside a project's configuration, in a working copy: token and database must not be committed.
    const ignore = join(folder, '.gitignore');
    if (basename(folder) === '.signalbox' && !existsSync(ignore)) {
      writeFileSync(ignore, '*\n');
    }
  } catch (error) {
    throw new AppError({
      code: 'store_failed',
      message: `the data folder ${folder} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
      cause: error,
    });
  }
}
