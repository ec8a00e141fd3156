/** What a store gives to be written down as a whole: one state of it, whatever is committed meanwhile. Oldest first. */
import type { SessionKey } from '../../core/model/ids.ts';
import type { SessionRow } from '../../core/model/records.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import type { OutboxCopy } from '../outbox.ts';
import type { FeedEvent, FeedPosition, StoredTask, TokenRow } from '../port.ts';

export interface Numbered<T> {
  /** Continue after it. */
  readonly n: number;
  readonly item: T;
}

export interface SnapshotSession {
  readonly key: SessionKey;
  readonly row: SessionRow;
}

/** A consumer of the feed, and its position in this store. */
export interface SnapshotConsumer {
  readonly name: string;
  readonly position: FeedPosition | null;
}

export interface Snapshot {
  /** The kind of the store. */
  readonly kind: string;
  tokens(): MaybePromise<readonly TokenRow[]>;
  /** Those that have a row. */
  sessionsFrom(after: number, limit: number): MaybePromise<readonly Numbered<SnapshotSession>[]>;
  tasksFrom(after: number, limit: number): MaybePromise<readonly Numbered<StoredTask>[]>;
  /** Rows of the outbox. */
  repliesFrom(after: number, limit: number): MaybePromise<readonly Numbered<OutboxCopy>[]>;
  /** By name. */
  consumers(): MaybePromise<readonly SnapshotConsumer[]>;
  /** Of all sessions. */
  feed(after: FeedPosition | null, limit: number): MaybePromise<readonly FeedEvent[]>;
  close(): MaybePromise<void>;
}

/** All events, a page at a time. */
export async function* feedPages(snapshot: Snapshot, limit: number): AsyncGenerator<readonly FeedEvent[]> {
  let after: FeedPosition | null = null;
  for (;;) {
    const page: readonly FeedEvent[] = await snapshot.feed(after, limit);
    const last = page.at(-1);
    if (last === undefined) {
      return;
    }
    yield page;
    after = last.position;
  }
}
