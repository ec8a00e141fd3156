/**
 * The working folder of each session: which it is, that it is there, and that no other session works in it.
 *
 * Owned by one runtime; made for real programs only. Messages in: claims of agent hosts, and whether their agents
 * are idle. Out: `granted`, `blocked`, `failed` to the claimant; `makeRoom` to the owner of a folder that others wait for,
 * while its agent is idle.
 *  workspaces/1 At most one claim has a folder, in this process and, by a lock file, on this machine.
 *  workspaces/2 Claimants are served in the order of the claims, as soon as the folder is free. It is never shared.
 *  workspaces/3 A claim is answered before `claim` returns. A session that starts no program claims nothing.
 *  workspaces/4 A new folder has mode 0700. A folder that exists is not changed, and no folder is removed.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import type { SessionKey } from '../../core/model/ids.ts';
import { backoffMs, processInfo } from '../../supervise/index.ts';
import { type Clock, systemClock } from '../clock.ts';
import { type FolderLock, type LockOwner, lockFolder } from './folder-lock.ts';

export interface WorkspaceRule {
  /** Key of a session; `*` matches any characters. */
  readonly session: string;
  /** Absolute. `{session}` becomes a name made from the session's key. */
  readonly folder: string;
}

export interface WorkspaceOptions {
  /** Absolute. Each session without a rule gets its own folder here. */
  readonly root: string;
  /** The first rule that matches counts. */
  readonly rules?: readonly WorkspaceRule[];
  readonly clock?: Clock;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

interface Claimant {
  readonly session: SessionKey;
  /** The claimant has the folder until `release`. */
  granted(folder: string): void;
  /** Another session has the folder; `granted` follows when it is free. */
  blocked(folder: string, owner: string): void;
  /** The folder cannot be made or locked. */
  failed(error: unknown): void;
  /** Another session waits for the folder, and its agent is idle. */
  makeRoom(): void;
}

export interface FolderClaim {
  /** The agent of the claimant is idle: it can be ended if another session waits for the folder. */
  idle(): void;
  busy(): void;
  /** Also ends a claim that still waits. */
  release(): void;
}

interface Claim {
  readonly claimant: Claimant;
  state: 'waiting' | 'granted' | 'over';
  idle: boolean;
}

interface FolderQueue {
  readonly folder: string;
  /** The claim that has the folder. */
  granted: Claim | null;
  lock: FolderLock | null;
  /** The other process that had the folder at the last try. */
  foreign: LockOwner | null;
  readonly waiting: Claim[];
  /** Tries in a row that found another process in the folder. */
  tries: number;
  cancel: () => void;
}

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

/** A name of a folder: readable, at most 59 characters, and unique for each key. */
export function folderName(session: string): string {
  const slug = session
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 48);
  return `${slug}-${createHash('sha256').update(session).digest('hex').slice(0, 10)}`;
}

const matcherOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'))
      .join('.*')}$`,
    'su',
  );

export class Workspaces {
  readonly #root: string;
  readonly #rules: readonly { readonly fits: RegExp; readonly folder: string }[];
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #queues = new Map<string, FolderQueue>();
  #startTime: string | null = null;

  constructor({ root, rules = [], clock = systemClock, random = Math.random }: WorkspaceOptions) {
    this.#root = root;
    this.#rules = rules.map(({ session, folder }) => ({ fits: matcherOf(session), folder }));
    this.#clock = clock;
    this.#random = random;
  }

  folderOf(session: string): string {
    const rule = this.#rules.find(({ fits }) => fits.test(session));
    const name = folderName(session);
    return rule === undefined ? join(this.#root, name) : rule.folder.replaceAll('{session}', name);
  }

  /** `granted`, `blocked` or `failed` has been called when it returns. */
  claim(claimant: Claimant): FolderClaim {
    const claim: Claim = { claimant, state: 'waiting', idle: false };
    let queue: FolderQueue | null = null;
    try {
      queue = this.#queueOf(claimant.session);
      queue.waiting.push(claim);
      this.#serve(queue);
    } catch (error) {
      claim.state = 'over';
      if (queue !== null) {
        this.#withdraw(queue, claim);
      }
      claimant.failed(error);
    }
    if (queue !== null && claim.state === 'waiting') {
      this.#tellBlocked(queue, claim);
    }
    return this.#handleOf(queue, claim);
  }

  #handleOf(queue: FolderQueue | null, claim: Claim): FolderClaim {
    return {
      idle: () => {
        claim.idle = true;
        if (queue !== null) {
          this.#askForRoom(queue);
        }
      },
      busy: () => {
        claim.idle = false;
      },
      release: () => {
        const granted = claim.state === 'granted';
        if (queue === null || claim.state === 'over') {
          return;
        }
        claim.state = 'over';
        if (granted) {
          this.#free(queue);
        } else {
          this.#withdraw(queue, claim);
        }
      },
    };
  }

  #queueOf(session: SessionKey): FolderQueue {
    const folder = this.folderOf(session);
    makeFolder(folder);
    const real = realpathSync(folder);
    if (dirname(real) === real) {
      throw new AppError({
        code: 'bad_config',
        message: `the working folder of ${session} is the root of the file system`,
        hint: 'Give it its own folder under `workspaces`.',
      });
    }
    const known = this.#queues.get(real);
    if (known !== undefined) {
      return known;
    }
    const queue: FolderQueue = {
      folder: real,
      granted: null,
      lock: null,
      foreign: null,
      waiting: [],
      tries: 0,
      cancel: () => {},
    };
    this.#queues.set(real, queue);
    return queue;
  }

  /** Grants the folder to the first claim that waits, if it is free in this process and on the machine. */
  #serve(queue: FolderQueue): void {
    const [next] = queue.waiting;
    if (next === undefined || queue.granted !== null) {
      this.#forgetIfUnused(queue);
      return;
    }
    const got = lockFolder(queue.folder, this.#ownerFor(next.claimant.session));
    if ('pid' in got) {
      queue.tries += 1;
      queue.foreign = got;
      queue.cancel();
      const ms = backoffMs(retryPlan, queue.tries, this.#random());
      queue.cancel = this.#clock.timer(ms, () => this.#retry(queue));
      return;
    }
    queue.tries = 0;
    queue.foreign = null;
    queue.lock = got;
    queue.granted = next;
    queue.waiting.shift();
    next.state = 'granted';
    next.idle = false;
    next.claimant.granted(queue.folder);
  }

  #retry(queue: FolderQueue): void {
    const [next] = queue.waiting;
    try {
      this.#serve(queue);
    } catch (error) {
      if (next !== undefined) {
        next.state = 'over';
        this.#withdraw(queue, next);
        next.claimant.failed(error);
      }
    }
  }

  #free(queue: FolderQueue): void {
    queue.lock?.release();
    queue.lock = null;
    queue.granted = null;
    this.#retry(queue);
    this.#askForRoom(queue);
  }

  #withdraw(queue: FolderQueue, claim: Claim): void {
    const at = queue.waiting.indexOf(claim);
    if (at !== -1) {
      queue.waiting.splice(at, 1);
    }
    this.#forgetIfUnused(queue);
  }

  #forgetIfUnused(queue: FolderQueue): void {
    if (queue.granted === null && queue.waiting.length === 0) {
      queue.cancel();
      this.#queues.delete(queue.folder);
    }
  }

  #askForRoom(queue: FolderQueue): void {
    if (queue.waiting.length > 0 && queue.granted?.idle === true) {
      queue.granted.claimant.makeRoom();
    }
  }

  #tellBlocked(queue: FolderQueue, claim: Claim): void {
    const { granted, foreign } = queue;
    const who =
      granted !== null
        ? `session ${granted.claimant.session}`
        : `session ${foreign?.session ?? '?'} of process ${foreign?.pid ?? '?'}`;
    claim.claimant.blocked(queue.folder, who);
    this.#askForRoom(queue);
  }

  #ownerFor(session: string): LockOwner {
    this.#startTime ??= processInfo(process.pid)?.startTime ?? '';
    return { pid: process.pid, startTime: this.#startTime, session };
  }
}
