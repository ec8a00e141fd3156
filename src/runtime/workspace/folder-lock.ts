/**
 * One folder, one session: a lock that holds among all processes of the machine.
 *
 * The lock is a file beside the folder, or in a folder of the user's own where nothing may be written beside it; it says which process has it,
 * when that process started, and for which session. A file whose process is gone locks nothing. Nothing within the folder locks it: that is the agent's.
 *  folder-lock/1 The file is there whole or not at all: it is written under another name and linked.
 *  folder-lock/2 The file of a dead process is removed only under a second lock, named after the content of the file. No other
 *                process changes the file in the meantime. Two owners never write the same content, since it has the pid and
 *                the start of the process, so a process removes only what it has seen to be dead. One that dies while it has
 *                the second lock leaves a dead lock.
 *  folder-lock/3 A release removes only its own file.
 */
import { createHash } from 'node:crypto';
import { linkSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { processInfo } from '../../supervise/index.ts';

export interface LockOwner {
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

/** Beside the folder: it may be a working copy, in which one more file could be committed by mistake. */
const besideOf = (folder: string): string => join(dirname(folder), `.${basename(folder)}.signalbox-lock`);

const uid = process.getuid?.() ?? null;
/** The same for all daemons of the user. Made only where it is needed. */
const ownFolder = (): string => join(tmpdir(), `signalbox-locks${uid === null ? '' : `-${uid}`}`);

const elsewhereOf = (folder: string): string =>
  join(ownFolder(), `${createHash('sha256').update(folder).digest('hex').slice(0, 32)}.signalbox-lock`);

/** Whether the folder for locks is there, and closed to other users: another one may have made it. */
function hasOwnFolder(): boolean {
  const found = lstatSync(ownFolder(), { throwIfNoEntry: false });
  return found?.isDirectory() === true && (uid === null || (found.uid === uid && (found.mode & 0o077) === 0));
}

const ownerElsewhere = (folder: string): LockOwner | null => (hasOwnFolder() ? ownerIn(elsewhereOf(folder)) : null);

let made = 0;

/** `folder`: real path. Returns the lock, or its present owner. Throws if no file can be made. */
export function lockFolder(folder: string, mine: LockOwner): FolderLock | LockOwner {
  const text = JSON.stringify(mine);
  const owner = ownerElsewhere(folder);
  if (owner !== null) {
    return owner;
  }
  try {
    return lockAt(besideOf(folder), text);
  } catch (error) {
    if (!refused.includes(codeOf(error))) {
      throw error;
    }
    mkdirSync(ownFolder(), { recursive: true, mode: 0o700 });
    if (!hasOwnFolder()) {
      throw error;
    }
    return lockAt(elsewhereOf(folder), text);
  }
}

/** The living process that has the folder; null: none has. */
export const folderOwner = (folder: string): LockOwner | null => ownerIn(besideOf(folder)) ?? ownerElsewhere(folder);

function lockAt(path: string, text: string): FolderLock | LockOwner {
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
      const owner = living(found);
      if (owner !== null) {
        return owner;
      }
      removeStaleLock(path, found, text);
    }
    // Others take and release the lock at this moment: the caller tries again later.
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

function ownerIn(path: string): LockOwner | null {
  const found = contentOf(path);
  return found === null ? null : living(found);
}

/**
 * Null: there is no file. Throws if the file is another user's. A file that is not a plain file is not opened: in a folder
 * that others may write to, it could be a pipe that never ends.
 */
function contentOf(path: string): string | null {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found === undefined ? null : found.isFile() ? readFileSync(path, 'utf8') : 'no file';
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return null;
    }
    throw error;
  }
}

/** Null: its process is gone, or the file was never written. */
function living(content: string): LockOwner | null {
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
