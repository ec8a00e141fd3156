/**
 * The working folder of each session: which it is, that it is there, and that no other process works in it.
 *
 * Owned by one runtime; made for real programs only. Which session of this process gets a folder, and when, is decided by
 * `src/core/slots`; `AgentPool` takes it here for the one that does.
 *  workspaces/1 The name of a folder is the same for all sessions that work in it, whatever links lead to it.
 *  workspaces/2 A folder that is taken has a lock file, so that no other process takes it. One that another process has is tried
 *               again, at growing intervals, until it is free.
 *               Locks are renewed as long as they are held, for processes of other containers and machines that see the folder.
 *  workspaces/3 A new folder has mode 0700. A folder that exists is not changed, and no folder is removed. A data folder that was there
 *               and is gone is not made again: its owner could not put it back.
 */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import type { SessionKey } from '../../core/model/ids.ts';
import { backoffMs, processInfo } from '../../supervise/index.ts';
import { globOf } from '../../core/glob.ts';
import { type Clock, systemClock } from '../clock.ts';
import {
  describeOwner,
  type FolderLock,
  folderOwner,
  ForeignLocks,
  type LockOwner,
  lockFolder,
} from './folder-lock.ts';

export interface WorkspaceRule {
  /** Key of a session; `*` matches any characters. */
  readonly session: string;
  /** Absolute. `{session}` becomes a name made from the session's key. */
  readonly folder: string;
}

export interface WorkspaceOptions {
  /** Absolute. Each session without a rule gets its own folder here. */
  readonly root: string;
  /** The folder of a session whatever the rules say; null: they decide. Absolute, with `{session}` as in rules. */
  readonly chosen?: (session: string) => string | null;
  /** The first rule that matches counts. */
  readonly rules?: readonly WorkspaceRule[];
  readonly clock?: Clock;
  /** From 0 to below 1. */
  readonly random?: () => number;
  /** After so long without a renewal a process of another container or machine takes a folder over, ms. Its agent must be ended by then. */
  readonly quietMs?: number;
  /** The places of other processes, as this one sees them. */
  readonly others?: ForeignLocks;
  /** Another process has taken a folder that this one had. */
  readonly onLost?: (error: Error) => void;
}

const defaultQuietMs = 60_000;
/** Renewals in that time. */
const renewals = 6;

/** Another process does not report that it has released the folder, so it is tried again, at growing intervals. */
const retryPlan = { firstMs: 500, maxMs: 15_000 } as const;

/**
 * Not by `recursive: true`: Node 24 retries forever and ignores signals if the parent exists but nothing can be made in it
 * (`/proc`).
 */
export function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) {
    return;
  }
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it in the meantime.
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      throw error;
    }
  }
}

/** The real path of a folder of which only the first part may be there. */
function realOf(path: string): string {
  // Asked first: an error takes ten times as long, and there may be thousands of folders that are not made yet.
  const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  return isThere || dirname(path) === path ? realpathSync.native(path) : join(realOf(dirname(path)), basename(path));
}

/** A name of a folder: readable, at most 59 characters, and unique for each key. */
export function folderName(session: string): string {
  const slug = session
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 48);
  return `${slug}-${createHash('sha256').update(session).digest('hex').slice(0, 10)}`;
}

export class Workspaces {
  readonly #root: string;
  /** The folder that holds the root, where it was there at the start. */
  readonly #holder: string | null;
  readonly #rules: readonly { readonly fits: RegExp; readonly folder: string }[];
  readonly #chosen: (session: string) => string | null;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #quietMs: number;
  readonly #others: ForeignLocks;
  readonly #onLost: (error: Error) => void;
  readonly #held = new Map<FolderLock, string>();
  #cancelRenewal: (() => void) | null = null;
  #startTime: string | null = null;

  constructor(options: WorkspaceOptions) {
    const { root, rules = [], clock = systemClock, random = Math.random } = options;
    this.#quietMs = options.quietMs ?? defaultQuietMs;
    this.#others = options.others ?? new ForeignLocks(() => clock.now());
    this.#onLost = options.onLost ?? (() => {});
    this.#root = root;
    this.#holder = existsSync(dirname(root)) ? dirname(root) : null;
    this.#rules = rules.map(({ session, folder }) => ({ fits: globOf(session), folder }));
    this.#chosen = options.chosen ?? (() => null);
    this.#clock = clock;
    this.#random = random;
  }

  folderOf(session: string): string {
    const folder = this.#chosen(session) ?? this.#rules.find(({ fits }) => fits.test(session))?.folder;
    const name = folderName(session);
    return folder === undefined ? join(this.#root, name) : folder.replaceAll('{session}', name);
  }

  /** The real path of the session's folder, though it may not have been made yet. */
  nameOf(session: SessionKey): string {
    const real = realOf(this.folderOf(session));
    if (dirname(real) === real) {
      throw new AppError({
        code: 'bad_config',
        message: `the working folder of ${session} is the root of the file system`,
        hint: 'Give it its own folder under `workspaces`.',
      });
    }
    return real;
  }

  /** The other process that has the folder now; null: none has. */
  ownerOf(folder: string): LockOwner | null {
    return folderOwner(folder, this.#others);
  }

  /** Makes and locks the folder; or says which process has it. Throws if it cannot be made or locked. */
  take(folder: string, session: SessionKey): FolderLock | LockOwner {
    if (this.#holder !== null && !existsSync(this.#holder)) {
      throw new AppError({ code: 'store_replaced', message: `the folder ${this.#holder} was removed or moved` });
    }
    makeFolder(folder);
    const got = lockFolder(folder, this.#ownerFor(session), this.#others);
    return 'pid' in got ? got : this.#hold(folder, got);
  }

  /** Who has it, for a person. */
  describe(owner: LockOwner): string {
    return describeOwner(owner, this.#others.space);
  }

  #hold(folder: string, lock: FolderLock): FolderLock {
    this.#held.set(lock, folder);
    this.#renewLater();
    const release = (): void => {
      this.#held.delete(lock);
      if (this.#held.size === 0) {
        this.#cancelRenewal?.();
        this.#cancelRenewal = null;
      }
      lock.release();
    };
    return { renew: () => lock.renew(), release };
  }

  #renewLater(): void {
    this.#cancelRenewal ??= this.#clock.timer(this.#quietMs / renewals, () => {
      this.#cancelRenewal = null;
      for (const [lock, folder] of this.#held) {
        if (!lock.renew()) {
          this.#held.delete(lock);
          this.#onLost(new Error(`the lock of the folder ${folder} is gone: another process may work in it`));
        }
      }
      if (this.#held.size > 0) {
        this.#renewLater();
      }
    });
  }

  /** Another process has the folder. `free` is called when it has not: with the lock, or with null if the folder cannot be taken. */
  waitFor(folder: string, session: SessionKey, free: (lock: FolderLock | null) => void): () => void {
    let tries = 0;
    let cancel = (): void => {};
    const later = (): void => {
      tries += 1;
      cancel = this.#clock.timer(backoffMs(retryPlan, tries, this.#random()), look);
    };
    const look = (): void => {
      let got: FolderLock | LockOwner | null = null;
      try {
        got = this.take(folder, session);
      } catch {
        // Whoever is granted the folder gets the error.
      }
      if (got !== null && 'pid' in got) {
        later();
      } else {
        free(got);
      }
    };
    later();
    return () => cancel();
  }

  #ownerFor(session: string): LockOwner {
    this.#startTime ??= processInfo(process.pid)?.startTime ?? '';
    const { space, host } = this.#others;
    return { pid: process.pid, startTime: this.#startTime, session, place: { space, host, quietMs: this.#quietMs } };
  }
}
