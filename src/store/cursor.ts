/**
 * Cursors of lists and positions of feeds, as text. Both are opaque to callers: a cursor is a letter that names its list and
 * the key of the last row seen; a position is the number of an event, counted from 1 over the whole store in commit order.
 */
import { invariant } from '../core/errors.ts';
import { badCursor } from './errors.ts';
import type { FeedPosition, Page } from './port.ts';

/** `t`: tasks, `s`: sessions, `o`: sessions with open work, `r`: rows of the outbox. */
type CursorKind = 't' | 's' | 'o' | 'r';

const pattern = /^[tsor](?:0|[1-9]\d{0,15})$/;
const positionPattern = /^[1-9]\d{0,15}$/;

export const makeCursor = (kind: CursorKind, key: number): string => `${kind}${key}`;

/** Throws `bad_cursor` for a text that `makeCursor` did not make for this list. */
export function readCursor(kind: CursorKind, cursor: string): number {
  if (!pattern.test(cursor) || cursor[0] !== kind) {
    throw badCursor(cursor);
  }
  const key = Number(cursor.slice(1));
  if (!Number.isSafeInteger(key)) {
    throw badCursor(cursor);
  }
  return key;
}

export const makePosition = (number: number): FeedPosition => String(number);

/** Throws `bad_cursor` for a malformed position, and for one that this store has not reached: it is another store's. */
export function readPosition(position: FeedPosition, last: number): number {
  const number = positionPattern.test(position) ? Number(position) : Number.NaN;
  if (!(number <= last)) {
    throw badCursor(position);
  }
  return number;
}

export function checkLimit(limit: number): void {
  invariant(Number.isSafeInteger(limit) && limit >= 1, `a page holds at least one item, not ${limit}`);
}

/** A page from rows read with a limit one larger than asked for, so that the last page knows that it is the last. */
export function toPage<R, T>(
  rows: readonly R[],
  limit: number,
  kind: CursorKind,
  keyOf: (row: R) => number,
  itemOf: (row: R) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items: shown.map(itemOf), cursor: more ? makeCursor(kind, keyOf(last)) : null };
}
