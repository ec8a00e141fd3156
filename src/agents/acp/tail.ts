/**
 * The time between the response to a prompt and the boundary of its turn. The protocol orders nothing behind the response, and
 * some agents say the last words of an answer there. By then the next prompt, of somebody else, would have been written: the words
 * would be the beginning of its answer, and nothing in them tells whose they are.
 *
 * Owned by the agent's handle, one at a time.
 *  acp-tail/1 `boundary` is called once: after `quietMs` without words, or after `tailMaxMs`. What comes before it belongs to the turn.
 *  acp-tail/2 An agent that still speaks then is told of as such. `quiet` is called once it is silent for `quietMs`.
 */
import type { Timers } from '../../supervise/index.ts';

/** Measured with three of the known agents: 0.3 to 4 ms behind the response. 30 ms were seen with a loaded one. */
const quietMs = 50;
/** An agent that is not silent by then has begun something else. */
const tailMaxMs = 500;

interface TailOptions {
  readonly timers: Timers;
  /** `speaks`: it is not silent yet. */
  readonly boundary: (speaks: boolean) => void;
  readonly quiet: () => void;
}

export class Tail {
  readonly #options: TailOptions;
  #phase: 'held' | 'speaks' | 'over' = 'held';
  #heard = false;
  #cancelQuiet = (): void => {};
  readonly #cancelMax: () => void;

  constructor(options: TailOptions) {
    this.#options = options;
    this.#listen();
    this.#cancelMax = options.timers.set(tailMaxMs, () => this.#bound(true));
  }

  /** The boundary has not come yet. */
  get held(): boolean {
    return this.#phase === 'held';
  }

  /** The agent has said words. */
  heard(): void {
    this.#heard = true;
    if (this.#phase !== 'over') {
      this.#listen();
    }
  }

  /** Nothing more can come. */
  end(): void {
    this.#cancelQuiet();
    this.#cancelMax();
    this.#bound(false);
  }

  #listen(): void {
    this.#cancelQuiet();
    this.#cancelQuiet = this.#options.timers.set(quietMs, () => this.#afterReading());
  }

  /** A loop that was held up runs its timers before it reads: what lies in the pipe came in time. */
  #afterReading(): void {
    this.#heard = false;
    setImmediate(() => {
      if (this.#heard || this.#phase === 'over') {
        return;
      }
      this.#cancelMax();
      if (this.#phase === 'speaks') {
        this.#phase = 'over';
        this.#options.quiet();
      } else {
        this.#bound(false);
      }
    });
  }

  #bound(speaks: boolean): void {
    if (this.#phase === 'held') {
      this.#phase = speaks ? 'speaks' : 'over';
      this.#options.boundary(speaks);
    }
  }
}
