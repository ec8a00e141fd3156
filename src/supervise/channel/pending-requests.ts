/**
 * Requests to the other side of a channel that wait for their replies.
 *
 * Owns: the table, and one deadline timer for each entry that has one. Owned by whoever reads the replies off the channel.
 * Invariants:
 *  pending-requests/1 Each request settles exactly once: by its reply, by its deadline, or by the end of the channel;
 *                     within the call that tells the table, so that what is read first is handled first.
 *  pending-requests/2 After `breakAll` the table is empty, no timer is armed, and a later request is refused at once, with
 *                     the same error.
 *  pending-requests/3 A reply that nobody waits for is counted and dropped.
 *  pending-requests/4 At most `maxPending` at a time; one more is refused with `ChannelFull`.
 *  pending-requests/5 Every entry is in the list of pending waits with its id, its begin and its deadline.
 */
import type { ChannelBroken } from './errors.ts';
import { ChannelFull, WaitTimedOut } from './errors.ts';
import type { PendingWaits } from '../pending-waits.ts';
import { pendingWaits } from '../pending-waits.ts';
import type { Timers } from '../timers.ts';
import { realTimers } from '../timers.ts';

interface PendingOptions {
  /** Who waits, for reports. */
  readonly owner: string;
  /** Default 1,000. */
  readonly maxPending?: number;
  readonly waits?: PendingWaits;
  readonly timers?: Timers;
}

/** `error`: what `fail` was given, `WaitTimedOut`, or `ChannelBroken`. */
type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

interface PendingRequest {
  readonly id: string;
  readonly name: string;
}

interface Entry<T> {
  readonly name: string;
  readonly settle: (settled: Settled<T>) => void;
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

  /** What waits, oldest first. */
  get waiting(): readonly PendingRequest[] {
    return [...this.#entries].map(([id, { name }]) => ({ id, name }));
  }

  /**
   * Waits for the reply to `id`, for at most `deadlineMs`; null: somebody else's deadline ends it. `settle` is not called from
   * within. Answers why the request was refused: then it is not called at all.
   */
  add(
    id: string,
    name: string,
    deadlineMs: number | null,
    settle: (settled: Settled<T>) => void,
  ): ChannelBroken | ChannelFull | null {
    const { owner, maxPending = 1_000, waits = pendingWaits, timers = realTimers } = this.#options;
    if (this.#broken !== null) {
      return this.#broken;
    }
    // Two under one id could never be told apart: a defect of the caller's.
    if (this.#entries.has(id)) {
      throw new TypeError(`${owner}: ${id} is waited for already`);
    }
    if (this.#entries.size >= maxPending) {
      return new ChannelFull(`${owner}: pending`, maxPending);
    }
    const endWait = waits.add({ owner, name, id, deadlineMs });
    const timedOut = (): boolean => this.fail(id, new WaitTimedOut(owner, name, deadlineMs ?? 0));
    const cancel = deadlineMs === null ? (): void => {} : timers.set(deadlineMs, timedOut);
    const leave = (): void => {
      cancel();
      endWait();
    };
    this.#entries.set(id, { name, settle, leave });
    return null;
  }

  /** The same as a promise. Rejects: `WaitTimedOut`, `ChannelBroken`, `ChannelFull`, or what `fail` was given. */
  async request(id: string, name: string, deadlineMs: number): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const refused = this.add(id, name, deadlineMs, (settled) => {
      if (settled.ok) {
        resolve(settled.value);
      } else {
        reject(settled.error as Error);
      }
    });
    if (refused !== null) {
      throw refused;
    }
    return promise;
  }

  /** The reply has come. False: nobody waits for it any more; it is counted. */
  settle(id: string, value: T): boolean {
    const entry = this.#take(id);
    if (entry === null) {
      this.late += 1;
    }
    entry?.settle({ ok: true, value });
    return entry !== null;
  }

  /** The reply is an error, or there will be none. False: nobody waits for it. */
  fail(id: string, error: unknown): boolean {
    const entry = this.#take(id);
    entry?.settle({ ok: false, error });
    return entry !== null;
  }

  /** The channel has ended: everything that waits fails now, in the order of the requests. The first error is kept. */
  breakAll(error: ChannelBroken): void {
    this.#broken ??= error;
    for (const id of this.#entries.keys()) {
      this.fail(id, this.#broken);
    }
  }

  #take(id: string): Entry<T> | null {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      return null;
    }
    this.#entries.delete(id);
    entry.leave();
    return entry;
  }
}
