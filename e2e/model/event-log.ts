/** Events in their order, all kept, so that a test can look at earlier ones and wait for later ones. */

const defaultDeadlineMs = 20_000;

export interface Wanted {
  /** Only events from this position on, as `mark` gave it. Default: all. */
  readonly from?: number;
  /** How long to wait. Default 20,000. */
  readonly deadlineMs?: number;
}

export class EventLog<T> {
  readonly all: T[] = [];
  readonly #waiters = new Set<() => void>();
  readonly #show: (one: T) => string;

  constructor(show: (one: T) => string) {
    this.#show = show;
  }

  add(one: T): void {
    this.all.push(one);
    for (const wake of this.#waiters) {
      wake();
    }
  }

  mark(): number {
    return this.all.length;
  }

  /** The first event from `from` on that fits, now or later. Rejects at the deadline with the events that came instead. */
  async next(
    what: string,
    fits: (one: T) => boolean,
    { from = 0, deadlineMs = defaultDeadlineMs }: Wanted = {},
  ): Promise<T> {
    const late = performance.now() + deadlineMs;
    for (let at = from; ;) {
      for (; at < this.all.length; at++) {
        const one = this.all[at];
        if (one !== undefined && fits(one)) {
          return one;
        }
      }
      const leftMs = late - performance.now();
      if (leftMs <= 0) {
        throw new Error(`${what} did not come within ${deadlineMs} ms; there were\n${this.tell(from)}`);
      }
      await this.#change(leftMs);
    }
  }

  /** The last events, as lines. */
  tell(from = 0): string {
    return this.all.slice(from).slice(-60).map(this.#show).join('\n');
  }

  #change(atMostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, atMostMs);
      this.#waiters.add(wake);
    });
  }
}
