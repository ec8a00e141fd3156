/**
 * The list of what waits, for hang reports: no wait without a name, a beginning and a deadline.
 *
 * Written by whoever begins a wait, read by whoever makes a report. Reading is synchronous and touches nothing but this
 * list, so that it can be done while the loop is stopped.
 */
interface PendingWait {
  /** Who waits: `claude (pid 4711)`, `session hello`. */
  readonly owner: string;
  /** What for, in words that stand in a report. */
  readonly name: string;
  /** The id of what is waited for, where there is one. */
  readonly id: string | null;
  /** When it began; milliseconds of `performance.now()`, like `deadline`. */
  readonly since: number;
  /** When it ends by itself; null: a person's answer, or somebody else's deadline, ends it. */
  readonly deadline: number | null;
  /** A person is waited for: no hang, however long it takes. */
  readonly person: boolean;
}

export interface WaitOptions {
  readonly owner: string;
  readonly name: string;
  readonly id?: string | null;
  /** Milliseconds from now; null, and said so: somebody else's deadline or a person's answer ends it. */
  readonly deadlineMs: number | null;
  readonly person?: boolean;
}

export class PendingWaits {
  readonly #clock: () => number;
  readonly #waits = new Set<PendingWait>();
  readonly #sources = new Set<() => readonly PendingWait[]>();

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Call what it answers when the wait is over; again is nothing. */
  add({ owner, name, id = null, deadlineMs, person = false }: WaitOptions): () => void {
    const since = this.#clock();
    const deadline = deadlineMs === null ? null : since + deadlineMs;
    const wait: PendingWait = { owner, name, id, since, deadline, person };
    this.#waits.add(wait);
    return () => {
      this.#waits.delete(wait);
    };
  }

  /** For who keeps a table of his own. A source that throws stands in the list by its error. */
  source(list: () => readonly PendingWait[]): () => void {
    this.#sources.add(list);
    return () => {
      this.#sources.delete(list);
    };
  }

  /** Everything that waits now, oldest first. */
  list(): readonly PendingWait[] {
    const all = [...this.#waits];
    for (const source of this.#sources) {
      try {
        all.push(...source());
      } catch (error) {
        // A report with a gap is better than none.
        const name = `a list that failed: ${error instanceof Error ? error.message : String(error)}`;
        all.push({ owner: 'pending waits', name, id: null, since: this.#clock(), deadline: null, person: false });
      }
    }
    return all.sort((one, other) => one.since - other.since);
  }

  /** Waits of `add` alone. */
  get size(): number {
    return this.#waits.size;
  }
}

/** The process's own: a report speaks for all of it. */
export const pendingWaits = new PendingWaits();
