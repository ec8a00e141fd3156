/** Positions of feeds and pages of lists, which every part of the port has. */

/** Opaque, ordered, resumable position in the feed of a session or of all sessions. Compare with `===` only. */
export type FeedPosition = string;

export interface Page<T> {
  /** May be fewer than the limit, even none, although there are more. */
  readonly items: readonly T[];
  /** Give it back as `cursor` for the next page; null: no more now. Keyset, never an offset. */
  readonly cursor: string | null;
}
