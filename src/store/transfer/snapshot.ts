/** What a store gives to be written down as a whole: one state of it, whatever is committed meanwhile. Oldest first. */
import type { SessionKey } from '../../core/model/ids.ts';
import type { SessionRow } from '../../core/model/records.ts';
import type { MaybePromise } from '../maybe-promise.ts';
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

export interface Snapshot {
  /** The kind of the store. */
  readonly kind: string;
  tokens(): MaybePromise<readonly TokenRow[]>;
  /** Those that have a row. */
  sessionsFrom(after: number, limit: number): MaybePromise<readonly Numbered<SnapshotSession>[]>;
  tasksFrom(after: number, limit: number): MaybePromise<readonly Numbered<StoredTask>[]>;
  /** Of all sessions. */
  feed(after: FeedPosition | null, limit: number): MaybePromise<readonly FeedEvent[]>;
  close(): MaybePromise<void>;
}
