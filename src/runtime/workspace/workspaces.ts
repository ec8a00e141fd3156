/**
 * The working folder of each session: which it is, that it is there, and that no other session works in it.
 *
 * Owned by one runtime; made for real programs only. Messages in: claims of agent hosts, and that a holder rests or works.
 * Out: `granted`, `blocked`, `failed` to the claimant, `makeRoom` to an idle holder that others wait for.
 *  workspaces/1 At most one claim has a folder, in this process and, by a lock file, on this machine.
 *  workspaces/2 Claimants are served in the order of the claims, as soon as the folder is free; it is never shared
 *               meanwhile.
 *  workspaces/3 A claim is answered at once where the folder is free: nothing is looked at for a session that starts no
 *               program.
 *  workspaces/4 Folders are made for their owner's eyes alone; what is there already is left as it is, and nothing is ever
 *               removed.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import type { SessionKey } from '../../core/model/ids.ts';
import { backoffMs, processInfo } from '../../supervise/index.ts';
import { type Clock, systemClock } from '../clock.ts';
import { type FolderLock, type LockHolder, lockFolder } from './folder-lock.ts';

export interface WorkspaceRule {
  /** Key of a session; `*` matches any characters. */
  readonly session: string;
  /** Absolute. `{session}` becomes a name made from the session's key. */
  readonly folder: string;
}

export interface WorkspaceOptions {
  /** Absolute. Each session without a rule gets its own folder here. */
  readonly root: string;
  /** The first that fits counts. */
  readonly rules?: readonly WorkspaceRule[];
  readonly clock?: Clock;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

interface FolderOwner {
  readonly session: SessionKey;
  /** The folder is its own until `release`. */
  granted(folder: string): void;
  /** Another has it; `granted` will follow. */
  blocked(folder: string, holder: string): void;
  /** It cannot be made or locked. */
  failed(error: unknown): void;
  /** Another session waits for the folder, and its agent is idle. */
  makeRoom(): void;
}

export interface FolderClaim {
  rests(): void;
  works(): void;
  /** Also of a claim that still waits. */
  release(): void;
}

interface Claim {
  readonly owner: FolderOwner;
  state: 'waiting' | 'holding' | 'over';
  resting: boolean;
}

interface Place {
  readonly folder: string;
  holder: Claim | null;
  lock: FolderLock | null;
  /** Who had it on the machine when it was last tried. */
  foreign: LockHolder | null;
  readonly waiting: Claim[];
  /** Tries in a row that found another process there. */
  tries: number;
  cancel: () => void;
}

/** Another process does not report when it is done: check again, ever more seldom. */
const lookAgain = { firstMs: 500, maxMs: 15_000 } as const;

/**
 * Not by `recursive: true`: Node 24 tries for ever, deaf to signals, where the parent is there and yet nothing can be made in
 * it (`/proc`).
 */
export function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) {
    return;
  }
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another may have made it by now.
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      throw error;
    }
  }
}

/** Readable, no longer than a name may be, and another for every key. */
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
  readonly #places = new Map<string, Place>();
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
  claim(owner: FolderOwner): FolderClaim {
    const claim: Claim = { owner, state: 'waiting', resting: false };
    let place: Place | null = null;
    try {
      place = this.#placeOf(owner.session);
      place.waiting.push(claim);
      this.#serve(place);
    } catch (error) {
      claim.state = 'over';
      if (place !== null) {
        this.#withdraw(place, claim);
      }
      owner.failed(error);
    }
    if (place !== null && claim.state === 'waiting') {
      this.#tellBlocked(place, claim);
    }
    return this.#handleOf(place, claim);
  }

  #handleOf(place: Place | null, claim: Claim): FolderClaim {
    return {
      rests: () => {
        claim.resting = true;
        if (place !== null) {
          this.#askForRoom(place);
        }
      },
      works: () => {
        claim.resting = false;
      },
      release: () => {
        const held = claim.state === 'holding';
        if (place === null || claim.state === 'over') {
          return;
        }
        claim.state = 'over';
        if (held) {
          this.#free(place);
        } else {
          this.#withdraw(place, claim);
        }
      },
    };
  }

  #placeOf(session: SessionKey): Place {
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
    const known = this.#places.get(real);
    if (known !== undefined) {
      return known;
    }
    const place: Place = {
      folder: real,
      holder: null,
      lock: null,
      foreign: null,
      waiting: [],
      tries: 0,
      cancel: () => {},
    };
    this.#places.set(real, place);
    return place;
  }

  /** Gives the folder to the first that waits, if it is free here and on the machine. */
  #serve(place: Place): void {
    const [next] = place.waiting;
    if (next === undefined || place.holder !== null) {
      this.#tidy(place);
      return;
    }
    const got = lockFolder(place.folder, this.#me(next.owner.session));
    if ('pid' in got) {
      place.tries += 1;
      place.foreign = got;
      place.cancel();
      const ms = backoffMs(lookAgain, place.tries, this.#random());
      place.cancel = this.#clock.timer(ms, () => this.#again(place));
      return;
    }
    place.tries = 0;
    place.foreign = null;
    place.lock = got;
    place.holder = next;
    place.waiting.shift();
    next.state = 'holding';
    next.resting = false;
    next.owner.granted(place.folder);
  }

  #again(place: Place): void {
    const [next] = place.waiting;
    try {
      this.#serve(place);
    } catch (error) {
      if (next !== undefined) {
        next.state = 'over';
        this.#withdraw(place, next);
        next.owner.failed(error);
      }
    }
  }

  #free(place: Place): void {
    place.lock?.release();
    place.lock = null;
    place.holder = null;
    this.#again(place);
    this.#askForRoom(place);
  }

  #withdraw(place: Place, claim: Claim): void {
    const at = place.waiting.indexOf(claim);
    if (at !== -1) {
      place.waiting.splice(at, 1);
    }
    this.#tidy(place);
  }

  #tidy(place: Place): void {
    if (place.holder === null && place.waiting.length === 0) {
      place.cancel();
      this.#places.delete(place.folder);
    }
  }

  #askForRoom(place: Place): void {
    if (place.waiting.length > 0 && place.holder?.resting === true) {
      place.holder.owner.makeRoom();
    }
  }

  #tellBlocked(place: Place, claim: Claim): void {
    const { holder, foreign } = place;
    const who =
      holder !== null
        ? `session ${holder.owner.session}`
        : `session ${foreign?.session ?? '?'} of process ${foreign?.pid ?? '?'}`;
    claim.owner.blocked(place.folder, who);
    this.#askForRoom(place);
  }

  #me(session: string): LockHolder {
    this.#startTime ??= processInfo(process.pid)?.startTime ?? '';
    return { pid: process.pid, startTime: this.#startTime, session };
  }
}
