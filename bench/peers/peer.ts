/** What a peer is to the benchmark: it opens, takes so many no-op jobs, and says when the last of them has ended. */
import type { Load } from '../support/no-op-tasks.ts';

export interface Peer extends AsyncDisposable {
  /** Jobs per second, from the first submit to the end of the last job. */
  round(load: Load): Promise<number>;
  /** Milliseconds from handing a job over until its handler runs, where nothing else does. */
  dispatch(): Promise<number>;
}

/** Milliseconds from the call of `send` until what it is given is called; resolves when both are over. */
export async function timed(send: (run: () => void) => Promise<unknown>): Promise<number> {
  const began = performance.now();
  let took = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  await send(() => {
    took = performance.now() - began;
    resolve();
  });
  await promise;
  return took;
}

/** Counts ends; `all` resolves at the last. */
export class Countdown {
  readonly #done = Promise.withResolvers<void>();
  #left: number;

  constructor(count: number) {
    this.#left = count;
  }

  end(count = 1): void {
    this.#left -= count;
    if (this.#left === 0) {
      this.#done.resolve();
    }
  }

  get all(): Promise<void> {
    return this.#done.promise;
  }
}
