/**
 * The part of the Store port that carries messages out: what is to be sent, what became of it, and how far the feed was read for it.
 *
 * Rules every adapter keeps, and the contract suite tests:
 *  outbox/1 A consumer moves from one position to the next once: its rows and its position are one write, and of two that move from the same
 *           position one wins.
 *  outbox/2 A row is changed by its version: of two that change the same version one does. Each change makes the next version.
 *  outbox/3 An address has at most one row that holds it: the one that is sent, or an unclear one until it is settled. No other row of the
 *           address is due meanwhile, and none before an earlier one that is due.
 *  outbox/4 A row in `sending` whose node has ended becomes `unclear`: the request may have left.
 *  outbox/5 A node that is dead begins nothing.
 *  outbox/6 No clock is read: all times are the caller's, wall-clock ms.
 *  outbox/7 A restored row is as it was in the store that it is from, and is restored once.
 *  outbox/8 Any text settles a row: what a store cannot hold of it becomes U+FFFD.
 */
import type { SessionKey, TaskId } from '../core/model/ids.ts';
import type { OutboxState } from '../protocol/replies.ts';
import type { MaybePromise } from './maybe-promise.ts';
import type { FeedPosition, Page } from './page.ts';

export type { OutboxState } from '../protocol/replies.ts';

/** One message to be sent: which event makes it, who carries it, and where to. The text is the event's, and is not stored twice. */
export interface OutboxIntent {
  /** Unique, and what the receiver tells a second copy by. */
  readonly id: string;
  /** The name of what sends it. */
  readonly door: string;
  /** What is sent to it is sent in order, one at a time. */
  readonly address: string;
  /** What a pause that the receiver demands is for, as a token. */
  readonly scope: string;
  readonly session: SessionKey;
  /** Null: the event is on the session's own tape. */
  readonly task: TaskId | null;
  readonly seq: number;
  /** The kind of message. */
  readonly type: string;
  /** When the event was. */
  readonly at: number;
  /** JSON that the door wants to have; null: none. */
  readonly data: unknown;
}

export interface OutboxRow extends OutboxIntent {
  readonly state: OutboxState;
  readonly version: number;
  /** Requests begun. */
  readonly attempts: number;
  /** Its age counts from here: the event, or the last resend. */
  readonly since: number;
  /** When the last request began. */
  readonly begunAt: number | null;
  /** Not sent before. */
  readonly notBefore: number;
  /** It holds its address, and is not looked up before this; null: it holds nothing. */
  readonly heldUntil: number | null;
  /** What the receiver calls the message. */
  readonly reference: string | null;
  /** Why it is not posted. */
  readonly problem: string | null;
  readonly changedAt: number;
}

/** A row as an export has it. `pausedUntil`: nothing of its scope is due before; null: its scope does not wait for it. */
export interface OutboxCopy {
  readonly row: OutboxRow;
  readonly pausedUntil: number | null;
}

/** `at`: when it was found out. */
export type OutboxOutcome = { readonly at: number } & (
  | { readonly state: 'posted'; readonly reference: string | null }
  /** `pauseUntil`: nothing of the scope is due before. */
  | { readonly state: 'due'; readonly notBefore: number; readonly pauseUntil: number | null; readonly problem: string }
  /** `heldUntil`: when it is looked up; null: a person decides, and the address is free. */
  | { readonly state: 'unclear'; readonly heldUntil: number | null; readonly problem: string }
  | { readonly state: 'failed' | 'expired'; readonly problem: string }
);

export interface OutboxDue {
  /** To be sent (`due`), or to be looked up (`unclear`). */
  readonly rows: readonly OutboxRow[];
  /** When another row of these doors may become due by time alone; null: none waits for a time. */
  readonly next: number | null;
}

export interface OutboxFilter {
  readonly state?: readonly OutboxState[];
  readonly session?: SessionKey;
}

export interface OutboxFigures {
  readonly rows: { readonly [state in OutboxState]: number };
  /** `since` of the oldest row that is due. */
  readonly oldestDue: number | null;
}

export interface Outbox {
  /** Where the consumer is; a new one begins at `at`. Null: at the beginning of the feed. */
  start(consumer: string, at: FeedPosition | null): MaybePromise<FeedPosition | null>;
  /** Moves it, and writes the rows that are not there yet. False: it is not at `from` any more, and nothing was written. */
  advance(
    consumer: string,
    from: FeedPosition | null,
    to: FeedPosition,
    rows: readonly OutboxIntent[],
  ): MaybePromise<boolean>;
  /** The first rows of these doors that may be sent or looked up now. */
  due(doors: readonly string[], now: number, limit: number): MaybePromise<OutboxDue>;
  /** A due row becomes `sending`, durably, and holds its address. Null: it has another version, or the address is held. */
  begin(id: string, version: number, at: number, heldUntil: number): MaybePromise<OutboxRow | null>;
  /** Of a row that is `due`, `sending` or `unclear`. `more`: rows that come of it, in the same write. Null: it has another version. */
  settle(
    id: string,
    version: number,
    outcome: OutboxOutcome,
    more?: readonly OutboxIntent[],
  ): MaybePromise<OutboxRow | null>;
  /** Rows that a node left in `sending` become `unclear`. How many. */
  recover(at: number): MaybePromise<number>;
  /** Due rows whose age counts from before `before` become `expired`. How many. */
  expire(before: number, at: number): MaybePromise<number>;
  /** An `unclear`, `failed`, `expired` or `dropped` row becomes `due`, with a new age. Null: there is no such row in such a state. */
  resend(id: string, at: number): MaybePromise<OutboxRow | null>;
  /** A `due`, `unclear`, `failed` or `expired` row becomes `dropped`. Null: as above. */
  drop(id: string, at: number): MaybePromise<OutboxRow | null>;
  row(id: string): MaybePromise<OutboxRow | null>;
  /** Newest first. Throws `bad_cursor`. */
  list(filter: OutboxFilter, cursor: string | null, limit: number): MaybePromise<Page<OutboxRow>>;
  figures(): MaybePromise<OutboxFigures>;
  /** Adds rows of another store in their order, but for those whose id is there. Throws where two of them hold one address. */
  restore(copies: readonly OutboxCopy[]): MaybePromise<void>;
  /** Removes rows that have ended and have not changed since `before`, at most `limit`. How many. */
  prune(before: number, limit: number): MaybePromise<number>;
}

export const resendable: readonly OutboxState[] = ['unclear', 'failed', 'expired', 'dropped'];
export const droppable: readonly OutboxState[] = ['due', 'unclear', 'failed', 'expired'];
export const settleable: readonly OutboxState[] = ['due', 'sending', 'unclear'];
/** An unclear row stays until a person decides. */
export const prunable: readonly OutboxState[] = ['posted', 'failed', 'expired', 'dropped'];

/** What an outcome makes of a row, besides its version. `held` and `pause`: null takes them away. */
export function settledFields(outcome: OutboxOutcome): {
  readonly notBefore: number | null;
  readonly heldUntil: number | null;
  readonly pausedUntil: number | null;
  readonly reference: string | null;
  readonly problem: string | null;
} {
  const none = { notBefore: null, heldUntil: null, pausedUntil: null, reference: null, problem: null };
  switch (outcome.state) {
    case 'posted':
      return { ...none, reference: outcome.reference === null ? null : storable(outcome.reference) };
    case 'due':
      return {
        ...none,
        notBefore: outcome.notBefore,
        pausedUntil: outcome.pauseUntil,
        problem: storable(outcome.problem),
      };
    case 'unclear':
      return { ...none, heldUntil: outcome.heldUntil, problem: storable(outcome.problem) };
    case 'failed':
    case 'expired':
      return { ...none, problem: storable(outcome.problem) };
  }
}

/** What a receiver says may have characters that a column of text cannot hold: on Postgres the row would stay `sending`. */
const storable = (text: string): string => text.toWellFormed().replaceAll('\u0000', '\uFFFD');

/** Why a row is what `recover` and `expire` make of it. */
export const abandonedProblem = 'the daemon ended while it was sent';
export const expiredProblem = 'it could not be sent in time';
