/**
 * Requests to the other side of a channel that wait for their replies.
 *
 * Owns: the table, and one deadline timer for each entry. Owned by whoever reads the replies off the channel.
 * Invariants:
 *  Q-1 Each request settles exactly once: by its reply, by its deadline, or by the end of the channel.
 *  Q-2 After `breakAll` the table is empty, no timer is armed, and a later request rejects at once, with the same error.
 *  Q-3 A reply that nobody waits for is counted and dropped.
 *  Q-4 At most `maxPending` at a time; one more rejects with `ChannelFull`.
 *  Q-5 Every entry stands in the list of parked work with its id, its begin and its deadline.
 */
import type { ChannelBroken } from './errors.ts';
import { ChannelFull, WaitTimedOut } from './errors.ts';
import type { ParkedWork } from './parked.ts';
import { parkedWork } from './parked.ts';
import type { Timers } from './timers.ts';
import { realTimers } from './timers.ts';

export interface PendingOptions {
  /** Who waits, for reports. */
  readonly owner: string;
  /** Default 1,000. */
  readonly maxPending?: number;
  readonly parked?: ParkedWork;
  readonly timers?: Timers;
}

interface Entry<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  /** Ends timer and parking. */
  readonly leave: () => void;
}

export class PendingTable<T> {
  readonly #options: PendingOptions;
  readonly #entries = new Map<string, Entry<T>>();
  #broken: ChannelBroken | null = null;
  /** Replies that came after their deadline, after the end, or to no request at all. */
  late = 0;

  constructor(options: PendingOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Waits for the reply to `id`, which the caller has sent or is about to send, for at most `deadlineMs`.
   * Rejects: `WaitTimedOut`, `ChannelBroken`, `ChannelFull`, or what `fail` was given.
   */
  request(id: string, name: string, deadlineMs: number): Promise<T> {
    const { owner, maxPending = 1_000, parked = parkedWork, timers = realTimers } = this.#options;
    if (this.#broken !== null) return Promise.reject(this.#broken);
    // Two under one id could never be told apart: a defect of the caller's.
    if (this.#entries.has(id)) return Promise.reject(new TypeError(`${owner}: ${id} is waited for already`));
    if (this.#entries.size >= maxPending) return Promise.reject(new ChannelFull(`${owner}: pending`, maxPending));
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const unpark = parked.park({ owner, name, id, deadlineMs });
    const cancel = timers.set(deadlineMs, () => this.fail(id, new WaitTimedOut(owner, name, deadlineMs)));
    this.#entries.set(id, {
      resolve,
      reject,
      leave: () => {
        cancel();
        unpark();
      },
    });
    return promise;
  }

  /** The reply has come. False: nobody waits for it any more; it is counted. */
  settle(id: string, value: T): boolean {
    const entry = this.#take(id);
    entry?.resolve(value);
    if (entry === null) this.late += 1;
    return entry !== null;
  }

  /** The reply is an error, or there will be none. False: nobody waits for it. */
  fail(id: string, error: unknown): boolean {
    const entry = this.#take(id);
    entry?.reject(error);
    return entry !== null;
  }

  /** The channel has ended: everything that waits rejects now, in the order of the requests. The first error is kept. */
  breakAll(error: ChannelBroken): void {
    this.#broken ??= error;
    for (const id of this.#entries.keys()) this.fail(id, this.#broken);
  }

  #take(id: string): Entry<T> | null {
    const entry = this.#entries.get(id);
    if (entry === undefined) return null;
    this.#entries.delete(id);
    entry.leave();
    return entry;
  }
}
