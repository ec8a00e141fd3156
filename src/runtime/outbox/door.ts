/** What carries messages out, one kind of place after another: the contract between the outbox and the doors. Types alone. */
import type { OutboxIntent, OutboxRow } from '../../store/outbox.ts';
import type { FeedEvent, StoredEvent, StoredTask } from '../../store/port.ts';

export type { OutboxIntent, OutboxRow, FeedEvent };

/** A row with what it is made from, as it is stored. */
export interface OutgoingMessage {
  readonly row: OutboxRow;
  /** Null: the row's own `data` is what it tells. */
  readonly event: StoredEvent | null;
  /** Null: the event is of a session. */
  readonly task: StoredTask | null;
}

/** How a request that had no effect, or perhaps had one, may be made again. */
interface Again {
  /** One line for a person. */
  readonly problem: string;
  /** What the receiver itself says; null: nothing. */
  readonly retryAfterMs: number | null;
  /** The receiver takes nothing at present, of whatever address: all of the scope waits. */
  readonly wholeScope: boolean;
}

export type SendResult =
  /** `reference`: what the receiver calls the message. */
  | { readonly kind: 'posted'; readonly reference: string | null }
  /** Proven to have had no effect. */
  | ({ readonly kind: 'refused' } & Again)
  /** Proven to have had no effect, and no later request of this message will have one. */
  | { readonly kind: 'impossible'; readonly problem: string }
  /** It may have had its effect. */
  | ({ readonly kind: 'unknown' } & Again);

export type LookUpResult =
  | { readonly kind: 'found'; readonly reference: string | null }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly problem: string };

/**
 * How a message whose outcome is not known is settled. `key`: the receiver knows a second copy by the id, so it is sent again. `look-up`:
 * it is looked for, after the settle time. `never`: a person decides.
 */
export type Repeats =
  | { readonly by: 'key' }
  | { readonly by: 'look-up'; lookUp(message: OutgoingMessage, signal: AbortSignal): Promise<LookUpResult> }
  | { readonly by: 'never' };

export interface Door {
  /** Of its rows. A door that is not configured any more keeps its rows until they expire. */
  readonly name: string;
  /** Types of events that may become messages. */
  readonly types: ReadonlySet<string>;
  readonly repeats: Repeats;
  /** After this a request is given up. */
  readonly timeoutMs: number;
  /** The messages that these committed events make: the same for the same events. */
  plan(events: readonly FeedEvent[]): readonly OutboxIntent[];
  /** The messages for a row of any door that waits for a person. */
  planUnclear(row: OutboxRow, problem: string, at: number): readonly OutboxIntent[];
  /** One request, without a retry of its own. `at`: wall clock, ms. A rejection is a defect. */
  send(message: OutgoingMessage, at: number, signal: AbortSignal): Promise<SendResult>;
}
