/**
 * A bounded queue between one that sends and one that receives, within this process.
 *
 * Owns: at most `capacity` values, and one waiting receive. Invariants:
 *  K-1 Never more than `capacity` values are kept: one more is refused, counted, and the sender is told so at once.
 *  K-2 Values come out in the order in which they were taken, each once.
 *  K-3 A receive ends by a value, by its deadline, or by the end of the channel; it stands in the list of parked work.
 *  K-4 After `break` a send is refused at once, what was not received is dropped and counted, every receive rejects.
 *      After `end` what was taken is still received, then `for await` ends.
 */
import type { ChannelBroken } from './errors.ts';
import { WaitTimedOut } from './errors.ts';
import type { ParkedWork } from './parked.ts';
import { parkedWork } from './parked.ts';
import type { Timers } from './timers.ts';
import { realTimers } from './timers.ts';

export interface ChannelOptions {
  readonly name: string;
  /** 1 or more. */
  readonly capacity: number;
  readonly parked?: ParkedWork;
  readonly timers?: Timers;
}

/** `done`: the channel has ended and all of it was received. */
export type Received<T> = { readonly done: false; readonly value: T } | { readonly done: true };

interface Receiver<T> {
  readonly settle: (received: Received<T>) => void;
  readonly reject: (error: unknown) => void;
}

export class Channel<T> {
  readonly #options: ChannelOptions;
  #values: T[] = [];
  #receiver: Receiver<T> | null = null;
  #ended = false;
  #broken: ChannelBroken | null = null;
  /** Values that were refused, or dropped by a break. */
  dropped = 0;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#values.length;
  }

  trySend(value: T): 'taken' | 'full' | 'broken' {
    if (this.#broken !== null || this.#ended) {
      this.dropped += 1;
      return 'broken';
    }
    if (this.#receiver !== null) {
      this.#receiver.settle({ done: false, value });
      return 'taken';
    }
    if (this.#values.length >= this.#options.capacity) {
      this.dropped += 1;
      return 'full';
    }
    this.#values.push(value);
    return 'taken';
  }

  /** The next value, within `deadlineMs`. One at a time. Rejects: `WaitTimedOut`, `ChannelBroken`. */
  receive(deadlineMs: number): Promise<Received<T>> {
    if (this.#broken !== null) return Promise.reject(this.#broken);
    if (this.#values.length > 0) return Promise.resolve({ done: false, value: this.#shift() });
    if (this.#ended) return Promise.resolve({ done: true });
    const { name, parked = parkedWork, timers = realTimers } = this.#options;
    if (this.#receiver !== null) return Promise.reject(new TypeError(`${name}: two receive at the same time`));
    const { promise, resolve, reject } = Promise.withResolvers<Received<T>>();
    const unpark = parked.park({ owner: name, name: 'the next message', deadlineMs });
    const cancel = timers.set(deadlineMs, () => {
      this.#receiver?.reject(new WaitTimedOut(name, 'the next message', deadlineMs));
    });
    const leave = (): void => {
      this.#receiver = null;
      cancel();
      unpark();
    };
    this.#receiver = {
      settle: (received) => {
        leave();
        resolve(received);
      },
      reject: (error) => {
        leave();
        reject(error);
      },
    };
    return promise;
  }

  /** All values until the end, none of which may take longer than `deadlineMs` to come. */
  async *values(deadlineMs: number): AsyncGenerator<T, void, undefined> {
    for (let next = await this.receive(deadlineMs); !next.done; next = await this.receive(deadlineMs)) yield next.value;
  }

  /** No more is sent; what is here can still be received. */
  end(): void {
    this.#ended = true;
    if (this.#values.length === 0) this.#receiver?.settle({ done: true });
  }

  /** The first error is kept. */
  break(error: ChannelBroken): void {
    this.#broken ??= error;
    this.dropped += this.#values.length;
    this.#values = [];
    this.#receiver?.reject(this.#broken);
  }

  #shift(): T {
    return this.#values.shift() as T;
  }
}
