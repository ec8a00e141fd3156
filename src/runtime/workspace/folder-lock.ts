/**
 * One folder, one session: a lock that holds among all processes that see the folder, also those of other containers and machines.
 *
 * The lock is a file beside the folder, or in a folder of the user's own where nothing may be written beside it; it says which process has it,
 * when that process started, where its number counts, and for which session. A file whose process is gone locks nothing. Nothing within the folder locks
 * it: that is the agent's.
 *  folder-lock/1 The file is there whole or not at all: it is written under another name and linked.
 *  folder-lock/2 The file of a dead process is removed only under a second lock, named after the content of the file. No other
 *                process changes the file in the meantime. Two owners never write the same content, since it has the pid and
 *                the start of the process, so a process removes only what it has seen to be dead. One that dies while it has
 *                the second lock leaves a dead lock.
 *  folder-lock/3 A release removes only its own file.
 *  folder-lock/4 Whether a process of another container or machine lives cannot be asked. It renews the time of its file, and is gone when this
 *                process has seen one content and one time for as long as the file says (`quietMs`), by its own monotonic clock: the clocks of
 *                the two are not compared.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { ownSpace } from '../../store/process.ts';
import { processInfo } from '../../supervise/index.ts';

/** As the file says it. What an older daemon wrote has no place: its process is one of this place. */
export interface LockOwner {
  readonly pid: number;
  readonly startTime: string;
  readonly session: string;
  readonly place?: LockPlace;
}

/** Where a number of a process counts. */
export interface LockPlace {
  /** The boot of the machine and the namespace of process numbers. */
  readonly space: string;
  readonly host: string;
  /** Without a renewal for so long the owner is gone, ms. */
  readonly quietMs: number;
}

export interface FolderLock {
  /** False: the lock is not there any more, or another process has it. */
  renew(): boolean;
  release(): void;
}

/** The locks of other places as they were seen. Owned by one `Workspaces`. */
export class ForeignLocks {
  readonly space: string;
  readonly host: string;
  readonly #now: () => number;
  readonly #seen = new Map<string, { readonly mark: string; readonly since: number }>();

  /** `now`: monotonic ms. */
  constructor(now: () => number, space = ownSpace(), host = hostname()) {
    this.#now = now;
    this.space = space;
    this.host = host;
  }

  /** Whether the owner of the file gave no sign of life for its time. Counts from the first look. */
  isQuiet(path: string, mark: string, { quietMs }: LockPlace): boolean {
    const before = this.#seen.get(path);
    if (before?.mark !== mark) {
      this.#seen.set(path, { mark, since: this.#now() });
      return false;
    }
    return this.#now() - before.since >= quietMs;
  }

  forget(path: string): void {
    this.#seen.delete(path);
  }
}

/** The one namespace that a machine has without containers. */
const isOfMachine = (space: string): boolean => space.endsWith('pid:[4026531836]');

/** The same machine has been started again: no process of before lives. */
const isRestarted = ({ space, host }: LockPlace, here: ForeignLocks): boolean =>
  isOfMachine(space) && isOfMachine(here.space) && host === here.host;

/** For a person. */
export function describeOwner({ pid, session, place }: LockOwner, here: string): string {
  const owner = `session ${session} of process ${pid}`;
  return place === undefined || place.space === here
    ? owner
    : `${owner} in another container or machine (${place.host}), until it has not renewed its lock for ${Math.round(place.quietMs / 1_000)} s`;
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

const ownerElsewhere = (folder: string, others: ForeignLocks): LockOwner | null =>
  hasOwnFolder() ? ownerIn(elsewhereOf(folder), others) : null;

let made = 0;

/** `folder`: real path. Returns the lock, or its present owner. Throws if no file can be made. */
export function lockFolder(folder: string, mine: LockOwner, others: ForeignLocks): FolderLock | LockOwner {
  const text = JSON.stringify(mine);
  const owner = ownerElsewhere(folder, others);
  if (owner !== null) {
    return owner;
  }
  try {
    return lockAt(besideOf(folder), text, others);
  } catch (error) {
    if (!refused.includes(codeOf(error))) {
      throw error;
    }
    mkdirSync(ownFolder(), { recursive: true, mode: 0o700 });
    if (!hasOwnFolder()) {
      throw error;
    }
    return lockAt(elsewhereOf(folder), text, others);
  }
}

/** The living process that has the folder; null: none has. */
export const folderOwner = (folder: string, others: ForeignLocks): LockOwner | null =>
  ownerIn(besideOf(folder), others) ?? ownerElsewhere(folder, others);

function lockAt(path: string, text: string, others: ForeignLocks): FolderLock | LockOwner {
  const own = `${path}-${process.pid}-${(made += 1)}`;
  writeFileSync(own, text, { flag: 'wx', mode: 0o600 });
  try {
    for (let tries = 0; tries < 3; tries += 1) {
      if (linked(own, path)) {
        others.forget(path);
        let renewedAt = 0;
        return {
          // Each time another one, whatever the clock does.
          renew: () => renew(path, text, (renewedAt = Math.max(Date.now(), renewedAt + 1))),
          release: () => release(path, text),
        };
      }
      const found = contentOf(path);
      if (found === null) {
        continue;
      }
      const owner = living(path, found, others);
      if (owner !== null) {
        return owner;
      }
      removeStaleLock(path, found, text, others);
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

function ownerIn(path: string, others: ForeignLocks): LockOwner | null {
  const found = contentOf(path);
  return found === null ? null : living(path, found, others);
}

interface Found {
  readonly text: string;
  /** When it was renewed, by the clock of its owner, as text: one time is compared with another for being the same alone. */
  readonly renewed: string;
}

/**
 * Null: there is no file. Throws if the file is another user's. A file that is not a plain file is not opened: in a folder
 * that others may write to, it could be a pipe that never ends.
 */
function contentOf(path: string): Found | null {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isFile() !== true) {
      return found === undefined ? null : { text: 'no file', renewed: '' };
    }
    // A shared file system looks at a file again when it is opened.
    const file = openSync(path, 'r');
    try {
      return { text: readFileSync(file, 'utf8'), renewed: String(fstatSync(file, { bigint: true }).mtimeNs) };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return null;
    }
    throw error;
  }
}

/** Null: its process is gone, or the file was never written. */
function living(path: string, { text, renewed }: Found, others: ForeignLocks): LockOwner | null {
  const owner = parsed(text);
  if (owner === null) {
    return null;
  }
  const { pid, startTime, place } = owner;
  if (place === undefined || place.space === others.space) {
    return processInfo(pid)?.startTime === startTime ? owner : null;
  }
  return isRestarted(place, others) || others.isQuiet(path, `${renewed} ${text}`, place) ? null : owner;
}

function parsed(text: string): LockOwner | null {
  try {
    const { pid, startTime, session, place } = JSON.parse(text) as { readonly [name: string]: unknown };
    if (typeof pid !== 'number' || typeof startTime !== 'string' || typeof session !== 'string') {
      return null;
    }
    return { pid, startTime, session, ...(isPlace(place) ? { place } : {}) };
  } catch {
    return null;
  }
}

const isPlace = (value: unknown): value is LockPlace =>
  typeof value === 'object' &&
  value !== null &&
  'space' in value &&
  typeof value.space === 'string' &&
  'host' in value &&
  typeof value.host === 'string' &&
  'quietMs' in value &&
  typeof value.quietMs === 'number';

function removeStaleLock(path: string, dead: Found, text: string, others: ForeignLocks): void {
  const digest = createHash('sha256').update(dead.text).digest('hex').slice(0, 12);
  const right = lockAt(`${path}-${digest}`, text, others);
  if (!('release' in right)) {
    return;
  }
  try {
    const now = contentOf(path);
    // Renewed in the meantime: its owner lives.
    if (now?.text === dead.text && now.renewed === dead.renewed) {
      rmSync(path, { force: true, recursive: true });
    }
  } finally {
    right.release();
  }
}

/** `at`: milliseconds since 1970. */
function renew(path: string, text: string, at: number): boolean {
  try {
    const file = openSync(path, 'r+');
    try {
      if (readFileSync(file, 'utf8') !== text) {
        return false;
      }
      futimesSync(file, at / 1_000, at / 1_000);
      return true;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
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
