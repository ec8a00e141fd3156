/**
 * Shares live events among readers: one subscription per followed tape, however many read it, and each pass's events
 * encoded once.
 *
 * Owned by one server. Calls in: the runtime's listener (synchronously, after each commit). Calls out: `Follower.onBatch`.
 *  event-hub/1 A channel exists exactly while it has followers; closing the last one ends its subscription.
 *  event-hub/2 All events committed in one pass of the event loop, or while a batch is going out, go out as one batch. A batch
 *              goes to so many followers in one pass that others get their turn.
 *  event-hub/3 `version` grows with every batch, so that a follower which read from the store in the meantime knows to read
 *              again.
 *  event-hub/4 `prior` of a batch is the cursor of the last event of the batch before, or one that a follower vouched for
 *              while nothing was pending.
 */
import type { FeedEvent, StoredEvent } from '../../store/port.ts';
import type { Signalbox } from '../../runtime/api.ts';
import type { Batch, Cursor, Source } from './source.ts';

export interface Follower {
  onBatch(batch: EncodedBatch): void;
}

/** Past this a batch is not worth holding in memory for slow readers: each reads it from the store, at its own pace. */
const batchLengthMax = 262_144;

/** Encodes on demand, and only once for all followers that take the whole. */
export class EncodedBatch implements Batch {
  readonly events: readonly FeedEvent[];
  readonly prior: Cursor | undefined;
  readonly #source: Source;
  #whole: Buffer | null | undefined = undefined;

  constructor(source: Source, events: readonly FeedEvent[], prior: Cursor | undefined) {
    this.#source = source;
    this.events = events;
    this.prior = prior;
  }

  /** The events from an index on; null: they are too large to be sent at once. */
  from(index: number): Buffer | null {
    if (index > 0) {
      return this.#encode(this.events.slice(index));
    }
    if (this.#whole === undefined) {
      this.#whole = this.#encode(this.events);
    }
    return this.#whole;
  }

  #encode(events: readonly FeedEvent[]): Buffer | null {
    const { bytes, count } = encode(this.#source, events, batchLengthMax);
    return count === events.length ? bytes : null;
  }
}

/** As many of the events as come to `lengthMax` characters, the one that passes it included; at least one. */
export function encode(
  source: Source,
  events: readonly StoredEvent[],
  lengthMax: number,
): { bytes: Buffer; count: number } {
  let text = '';
  let count = 0;
  for (const event of events) {
    if (text.length > lengthMax) {
      break;
    }
    text += source.frame(event);
    count++;
  }
  return { bytes: Buffer.from(text), count };
}

/** Each takes some 10 µs. */
const followersPerPass = 256;

export class Channel {
  version = 0;
  readonly #soon: (run: () => void) => void;
  /** A batch is going out. */
  #delivering = false;
  readonly #source: Source;
  readonly #vouches: boolean;
  readonly #followers = new Set<Follower>();
  readonly #unlisten: () => void;
  readonly #onEmpty: () => void;
  #pending: FeedEvent[] = [];
  #prior: Cursor | undefined = undefined;

  constructor(signalbox: Signalbox, source: Source, soon: (run: () => void) => void, onEmpty: () => void) {
    this.#source = source;
    // Of several nodes on one store a feed may still bring what a reader has found there already.
    this.#vouches = 'task' in source.tape || signalbox.store.nodes === null;
    this.#soon = soon;
    this.#onEmpty = onEmpty;
    this.#unlisten = signalbox.listen(source.tape, (events) => {
      if (this.#pending.length === 0 && !this.#delivering) {
        soon(() => this.#flush());
      }
      for (const event of events) {
        this.#pending.push(event);
      }
    });
  }

  add(follower: Follower): void {
    this.#followers.add(follower);
  }

  remove(follower: Follower): void {
    if (this.#followers.delete(follower) && this.#followers.size === 0) {
      this.#unlisten();
      this.#onEmpty();
    }
  }

  /** A follower has read everything up to here from the store. */
  vouch(cursor: Cursor): void {
    if (this.#vouches && this.#prior === undefined && this.#pending.length === 0) {
      this.#prior = cursor;
    }
  }

  #flush(): void {
    const events = this.#pending;
    const last = events.at(-1);
    if (last === undefined) {
      return;
    }
    const batch = new EncodedBatch(this.#source, events, this.#prior);
    this.#pending = [];
    this.#prior = this.#source.cursorOf(last);
    this.version++;
    this.#delivering = true;
    // Who joins later reads from the store, where the batch is.
    this.#deliver(batch, [...this.#followers], 0);
  }

  #deliver(batch: EncodedBatch, followers: readonly Follower[], from: number): void {
    const to = from + followersPerPass;
    for (const follower of followers.slice(from, to)) {
      // It may have left since the passes before.
      if (this.#followers.has(follower)) {
        follower.onBatch(batch);
      }
    }
    if (to < followers.length) {
      this.#soon(() => this.#deliver(batch, followers, to));
      return;
    }
    this.#delivering = false;
    if (this.#pending.length > 0) {
      this.#soon(() => this.#flush());
    }
  }
}

export class Hub {
  readonly #signalbox: Signalbox;
  readonly #soon: (run: () => void) => void;
  readonly #channels = new Map<string, Channel>();

  constructor(signalbox: Signalbox, soon: (run: () => void) => void) {
    this.#signalbox = signalbox;
    this.#soon = soon;
  }

  get channels(): number {
    return this.#channels.size;
  }

  /** The channel of a source; the caller adds a follower to it in the same pass. */
  channel(source: Source): Channel {
    let channel = this.#channels.get(source.key);
    if (channel === undefined) {
      channel = new Channel(this.#signalbox, source, this.#soon, () => this.#channels.delete(source.key));
      this.#channels.set(source.key, channel);
    }
    return channel;
  }
}
