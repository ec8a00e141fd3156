/** The data folder: made for its owner's eyes only. The database, the token and `daemon.json` in it are their writers' own. */
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AppError } from '../core/errors.ts';

const posix = process.platform !== 'win32';

/** Makes the folder, or checks that the one that is there can be used. Throws `store_failed`. */
export function openFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // A folder that was made by hand (`mkdir box`) is often open to others; what is in it is not for them.
    if (posix && (statSync(folder).mode & 0o077) !== 0) chmodSync(folder, 0o700);
    // Beside a project's configuration, in a working copy: token and database must not be committed.
    const ignore = join(folder, '.gitignore');
    if (basename(folder) === '.signalbox' && !existsSync(ignore)) writeFileSync(ignore, '*\n');
  } catch (error) {
    throw new AppError({
      code: 'store_failed',
      message: `the data folder ${folder} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'Give it to your user, or choose another with --data.',
      cause: error,
    });
  }
}
