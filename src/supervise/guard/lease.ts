/** A lease as the guard needs it: what the daemon says of it, and what the guard does when it lapses. */

/** Milliseconds of `monotonicMs`, which all processes of this machine share. */
export interface Lease {
  /** When the renewal that was answered had been sent. A lease with an earlier one than the last changes nothing. */
  readonly sentAt: number;
  /** The agents are frozen then, unless a newer lease has come. */
  readonly freezeAt: number;
  /** The agents are killed then, if the main loop of the daemon has been silent for `killAt - freezeAt`. */
  readonly killAt: number;
}

export interface FreezeListener {
  /** Everything that the daemon started is stopped since then, in milliseconds of `monotonicMs`: deadlines for its silence must not run. */
  readonly onFrozen: (since: number) => void;
  /** It works again, after so many milliseconds. */
  readonly onThawed: (ms: number) => void;
}

/** The daemon's side of its guard. */
export interface Guard {
  /** After each answered renewal. It thaws what is frozen if `freezeAt` is still to come. */
  lease(lease: Lease): void;
  /**
   * There is no lease to keep any more: nobody else may take the sessions, or the daemon has given them back and its agents have ended.
   * What is frozen is thawed, so a daemon that has lost its lease ends its agents first.
   */
  over(): void;
  /** Returns a function that ends it. */
  listen(listener: FreezeListener): () => void;
}

/** Listeners of one guard. */
export class FreezeListeners {
  readonly #listeners = new Set<FreezeListener>();

  listen(listener: FreezeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onFrozen(since: number): void {
    for (const listener of this.#listeners) {
      listener.onFrozen(since);
    }
  }

  onThawed(ms: number): void {
    for (const listener of this.#listeners) {
      listener.onThawed(ms);
    }
  }
}
