/**
 * The permission requests of one turn: which wait for an answer. Owned by the turn.
 *
 * Invariant: each request is returned once, by `take` or by `close`; after `close` none is added.
 */

/** A turn that requests more is not a sane one. */
const requestsMax = 10_000;

export class Permissions {
  readonly #open = new Set<string>();
  /** All that the turn has made. */
  readonly #made = new Set<string>();
  #closed = false;

  /** `closed`: the turn is interrupted. A text is what is wrong with the request. */
  add(
    request: string,
  ): 'added' | 'closed' | 'too many requests in one turn' | 'a request of that name was made before' {
    if (this.#closed) {
      return 'closed';
    }
    if (this.#made.has(request)) {
      return 'a request of that name was made before';
    }
    if (this.#made.size >= requestsMax) {
      return 'too many requests in one turn';
    }
    this.#made.add(request);
    this.#open.add(request);
    return 'added';
  }

  /** False: it does not wait (any more). */
  take(request: string): boolean {
    return this.#open.delete(request);
  }

  /** Those that still wait. */
  close(): readonly string[] {
    const open = [...this.#open];
    this.#open.clear();
    this.#closed = true;
    return open;
  }
}
