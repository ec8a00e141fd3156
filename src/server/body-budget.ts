/**
 * Bounds the bytes of all request bodies that are in memory at once.
 *
 * Owns: the count of bytes of one class of callers, and who waits for room. Called by `withBody` before a body is read, as
 * its bytes arrive, and when it is no longer needed.
 *  body-budget/1 A short body is read at once and counted as it arrives. The short ones never have more than a quarter of
 *                the limit together: what is too much is taken from the one that began first, since a sender that means it
 *                needs less time than one that only wants to keep the room.
 *  body-budget/2 A long one is read when its whole length fits into the rest, which the longest body that is accepted always
 *                does alone. Until then it waits, and the one that came first is read first.
 *  body-budget/3 No long one keeps the others waiting for longer than `holdMs`, and none waits for longer than `waitMs`.
 *  body-budget/4 At most `waitersMax` wait, since what the system has read of them already is not counted.
 */
import type { Clock } from '../runtime/clock.ts';

/** Bytes of the longest body that is a short one: about what one read of a socket gives. */
export const shortBodyBytes = 65_536;
/** How long a long body may take while others wait. */
const holdMs = 4_000;
/** How long one waits to be read. GitHub gives a delivery 10 s. */
const waitMs = 8_000;
/** Each may have 128 KiB in the buffers of its connection. */
const waitersMax = 64;

/** The part of the budget that one body has. */
export interface BodyShare {
  /** Counts bytes that have arrived. May cut other bodies, or this one. */
  take(bytes: number): void;
  /** The body is no longer in memory. */
  release(): void;
}

interface BodyOwner {
  /** Called once, when the body may be read: for one that need not wait, before `share` returns. */
  readonly read: () => void;
  /**
   * Called at most once, when the body has to be given up: for one that cannot even wait, before `share` returns. Its bytes
   * are no longer counted.
   */
  readonly cut: () => void;
}

interface Entry {
  arrived: number;
  readonly owner: BodyOwner;
}

interface LongEntry extends Entry {
  readonly reserved: number;
  /** It has had its time: it is cut as soon as another one waits. */
  overdue: boolean;
  stopTimer: () => void;
}

interface BudgetOptions {
  /** Bytes of all bodies together, unless the longest one needs more. */
  readonly bytes: number;
  /** Bytes of the longest body that is accepted. */
  readonly longest: number;
  readonly clock: Clock;
}

export class BodyBudget {
  readonly #clock: Clock;
  readonly #shortLimit: number;
  readonly #longLimit: number;
  /** In the order of their first bytes. */
  readonly #short = new Set<Entry>();
  /** In the order of their turns. */
  readonly #long = new Set<LongEntry>();
  readonly #waiting = new Set<LongEntry>();
  #shortBytes = 0;
  #reserved = 0;
  #used = 0;
  #cuts = 0;

  constructor({ bytes, longest, clock }: BudgetOptions) {
    this.#clock = clock;
    this.#shortLimit = Math.ceil(bytes / 4);
    this.#longLimit = Math.max(bytes - this.#shortLimit, longest);
  }

  /** Bytes that have arrived. */
  get used(): number {
    return this.#used;
  }

  /** Bodies that wait to be read. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Bodies that were given up since the start. */
  get cuts(): number {
    return this.#cuts;
  }

  /** For a body of at most so many bytes. */
  share(bytes: number, owner: BodyOwner): BodyShare {
    return bytes <= Math.min(shortBodyBytes, this.#shortLimit)
      ? this.#shareOfShort(owner)
      : this.#shareOfLong(bytes, owner);
  }

  #shareOfShort(owner: BodyOwner): BodyShare {
    const entry: Entry = { arrived: 0, owner };
    owner.read();
    return {
      take: (bytes) => {
        this.#count(entry, bytes);
        this.#shortBytes += bytes;
        this.#short.add(entry);
        this.#fitShort();
      },
      release: () => this.#removeShort(entry),
    };
  }

  #fitShort(): void {
    for (const entry of this.#short) {
      if (this.#shortBytes <= this.#shortLimit) {
        return;
      }
      this.#removeShort(entry);
      this.#cuts++;
      entry.owner.cut();
    }
  }

  #removeShort(entry: Entry): void {
    if (this.#short.delete(entry)) {
      this.#used -= entry.arrived;
      this.#shortBytes -= entry.arrived;
    }
  }

  #shareOfLong(reserved: number, owner: BodyOwner): BodyShare {
    const entry: LongEntry = { arrived: 0, owner, reserved, overdue: false, stopTimer: () => {} };
    this.#waiting.add(entry);
    if (this.#waiting.size > waitersMax) {
      this.#giveUp(entry);
    } else {
      entry.stopTimer = this.#clock.timer(waitMs, () => this.#giveUp(entry));
      this.#admit();
      this.#cutOverdue();
    }
    return {
      take: (bytes) => this.#count(entry, bytes),
      release: () => this.#removeLong(entry),
    };
  }

  #admit(): void {
    for (const entry of this.#waiting) {
      if (this.#reserved + entry.reserved > this.#longLimit) {
        return;
      }
      this.#waiting.delete(entry);
      this.#long.add(entry);
      this.#reserved += entry.reserved;
      entry.stopTimer();
      entry.stopTimer = this.#clock.timer(holdMs, () => {
        entry.overdue = true;
        if (this.#waiting.size > 0) {
          this.#giveUp(entry);
        }
      });
      entry.owner.read();
    }
  }

  /** At most those that must go for the first one that waits. */
  #cutOverdue(): void {
    for (const entry of this.#long) {
      if (this.#waiting.size === 0) {
        return;
      }
      if (entry.overdue) {
        this.#giveUp(entry);
      }
    }
  }

  #giveUp(entry: LongEntry): void {
    this.#forget(entry);
    this.#cuts++;
    // Its bytes go before others come.
    entry.owner.cut();
    this.#admit();
  }

  #removeLong(entry: LongEntry): void {
    this.#forget(entry);
    this.#admit();
  }

  #forget(entry: LongEntry): void {
    entry.stopTimer();
    this.#waiting.delete(entry);
    if (this.#long.delete(entry)) {
      this.#used -= entry.arrived;
      this.#reserved -= entry.reserved;
    }
  }

  #count(entry: Entry, bytes: number): void {
    entry.arrived += bytes;
    this.#used += bytes;
  }
}
