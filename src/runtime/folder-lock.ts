/**
 * One folder, one session: a lock that holds among all processes of the machine.
 *
 * The lock is a file beside the folder, or within it where nothing may be written beside it; it says which process has it,
 * since when that process runs, and for which session. A file whose process is gone is nobody's.
 *  F-1 The file is there whole or not at all: it is written under another name and linked.
 *  F-2 A file of a dead process is moved away, looked at, and put back if it is another's by now. (A third process that locks
 *      in that very moment can end with two holders; a lock of the system would need a process of its own for each folder.)
 *  F-3 Only our own file is removed.
 */
import { linkSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { processInfo } from '../supervise/index.ts';

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
  const inside = holderIn(within);
  if (inside !== null) return inside;
  try {
    return lockAt(beside, text);
  } catch (error) {
    if (!refused.includes(codeOf(error))) throw error;
    return lockAt(within, text);
  }
}

function lockAt(path: string, text: string): FolderLock | LockHolder {
  const own = `${path}-${process.pid}-${(made += 1)}`;
  writeFileSync(own, text, { flag: 'wx', mode: 0o600 });
  try {
    for (let tries = 0; tries < 3; tries += 1) {
      if (linked(own, path)) return { release: () => release(path, text) };
      const holder = holderIn(path);
      if (holder !== null) return holder;
      removeDead(path, `${own}-dead`);
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
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Null: there is none, or its process is gone. */
function holderIn(path: string): LockHolder | null {
  const holder = read(path);
  if (holder === null) return null;
  return processInfo(holder.pid)?.startTime === holder.startTime ? holder : null;
}

/** What is no plain file is not opened: in a folder that others may write to it could be a pipe that never ends. */
function read(path: string): LockHolder | null {
  try {
    if (!lstatSync(path).isFile()) return null;
    const { pid, startTime, session } = JSON.parse(readFileSync(path, 'utf8')) as { readonly [name: string]: unknown };
    return typeof pid === 'number' && typeof startTime === 'string' && typeof session === 'string'
      ? { pid, startTime, session }
      : null;
  } catch {
    return null;
  }
}

function removeDead(path: string, aside: string): void {
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (holderIn(aside) !== null) {
    try {
      linkSync(aside, path);
    } catch {
      // Somebody has locked meanwhile.
    }
  }
  rmSync(aside, { force: true, recursive: true });
}

function release(path: string, text: string): void {
  try {
    if (readFileSync(path, 'utf8') === text) rmSync(path, { force: true });
  } catch {
    // Gone already, with the folder.
  }
}
