/**
 * Bounds the bytes of all request bodies that are in memory at once.
 *
 * Owns: the count of bytes of one class of callers. Called by `readBody` as bytes arrive, and when a body is no longer needed.
 *  body-budget/1 The bodies that are counted never have more than `limit` bytes together.
 *  body-budget/2 Whatever is too much is taken from the body that began first: a sender that means it needs less time than
 *                one that only wants to keep the room.
 */

/** The part of the budget that one body has. */
interface BodyShare {
  /** Counts bytes that have arrived. May cut other bodies, or this one. */
  take(bytes: number): void;
  /** The body is no longer in memory. */
  release(): void;
}

interface Entry {
  bytes: number;
  readonly cut: () => void;
}

export class BodyBudget {
  readonly #limit: number;
  /** In the order of their first bytes. */
  readonly #entries = new Set<Entry>();
  #used = 0;
  #cuts = 0;

  /** Bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** Bodies that were given up since the start. */
  get cuts(): number {
    return this.#cuts;
  }

  /** `cut` is called at most once, when this body has to be given up; its bytes are then no longer counted. */
  share(cut: () => void): BodyShare {
    const entry: Entry = { bytes: 0, cut };
    return {
      take: (bytes) => {
        entry.bytes += bytes;
        this.#used += bytes;
        this.#entries.add(entry);
        this.#fit();
      },
      release: () => this.#remove(entry),
    };
  }

  #fit(): void {
    for (const entry of this.#entries) {
      if (this.#used <= this.#limit) {
        return;
      }
      this.#remove(entry);
      this.#cuts++;
      entry.cut();
    }
  }

  #remove(entry: Entry): void {
    if (this.#entries.delete(entry)) {
      this.#used -= entry.bytes;
    }
  }
}
