/**
 * One folder, one session: a lock that holds among all processes of the machine.
 *
 * The lock is a file beside the folder, or within it where nothing may be written beside it; it says which process has it,
 * since when that process runs, and for which session. A file whose process is gone locks nothing.
 *  folder-lock/1 The file is there whole or not at all: it is written under another name and linked.
 *  folder-lock/2 A file of a dead process is removed by whoever has locked its right to be removed: a lock like this one,
 *                named after what stands in the file. Nobody else changes the file meanwhile, and no two holders ever write
 *                the same, since a process is its number and its start; so what is removed is what was seen to be dead. Who
 *                dies on it leaves a dead lock.
 *  folder-lock/3 Only our own file is removed.
 */
import { createHash } from 'node:crypto';
import { linkSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { processInfo } from '../../supervise/index.ts';

export interface LockHolder {
  readonly pid: number;
  readonly startTime: string;
  readonly session: string;
}

export interface FolderLock {
  release(): void;
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

const refused: readonly string[] = ['EACCES', 'EPERM', 'EROFS'];

/** Beside the folder first: what is in it may be a working copy, in which a file more would be committed. */
const placesOf = (folder: string): readonly [string, string] => [
  join(dirname(folder), `.${basename(folder)}.signalbox-lock`),
  join(folder, '.signalbox-lock'),
];

let made = 0;

/** `folder`: real path. Gives the lock, or who has it. Throws where no file can be made. */
export function lockFolder(folder: string, mine: LockHolder): FolderLock | LockHolder {
  const text = JSON.stringify(mine);
  const [beside, within] = placesOf(folder);
  const holder = holderIn(within);
  if (holder !== null) {
    return holder;
  }
  try {
    return lockAt(beside, text);
  } catch (error) {
    if (!refused.includes(codeOf(error))) {
      throw error;
    }
    return lockAt(within, text);
  }
}

function lockAt(path: string, text: string): FolderLock | LockHolder {
  const own = `${path}-${process.pid}-${(made += 1)}`;
  writeFileSync(own, text, { flag: 'wx', mode: 0o600 });
  try {
    for (let tries = 0; tries < 3; tries += 1) {
      if (linked(own, path)) {
        return { release: () => release(path, text) };
      }
      const found = contentOf(path);
      if (found === null) {
        continue;
      }
      const holder = living(found);
      if (holder !== null) {
        return holder;
      }
      removeStaleLock(path, found, text);
    }
    // Others come and go in this very moment.
    return { pid: 0, startTime: '', session: 'another' };
  } finally {
    rmSync(own, { force: true });
  }
}

function linked(own: string, path: string): boolean {
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') {
      return false;
    }
    throw error;
  }
}

function holderIn(path: string): LockHolder | null {
  const found = contentOf(path);
  return found === null ? null : living(found);
}

/**
 * Null: there is nothing. Throws where it is another user's. What is no plain file is not opened: in a folder that others may write to it could be a pipe that
 * never ends.
 */
function contentOf(path: string): string | null {
  try {
    return lstatSync(path).isFile() ? readFileSync(path, 'utf8') : 'no file';
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return null;
    }
    throw error;
  }
}

/** Null: its process is gone, or the file was never written. */
function living(content: string): LockHolder | null {
  try {
    const { pid, startTime, session } = JSON.parse(content) as { readonly [name: string]: unknown };
    if (typeof pid !== 'number' || typeof startTime !== 'string' || typeof session !== 'string') {
      return null;
    }
    return processInfo(pid)?.startTime === startTime ? { pid, startTime, session } : null;
  } catch {
    return null;
  }
}

function removeStaleLock(path: string, dead: string, text: string): void {
  const right = lockAt(`${path}-${createHash('sha256').update(dead).digest('hex').slice(0, 12)}`, text);
  if (!('release' in right)) {
    return;
  }
  try {
    if (contentOf(path) === dead) {
      rmSync(path, { force: true, recursive: true });
    }
  } finally {
    right.release();
  }
}

function release(path: string, text: string): void {
  try {
    if (readFileSync(path, 'utf8') === text) {
      rmSync(path, { force: true });
    }
  } catch {
    // Gone already, with the folder.
  }
}
