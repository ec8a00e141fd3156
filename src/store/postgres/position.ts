/**
 * Positions in the feeds of the Postgres store: the era of the cluster, the transaction, the number of the event within it.
 * Opaque to readers. The commits of one session are in the order of their transactions; see `docs/postgres.md` for all sessions.
 */
import { badCursor } from '../errors.ts';
import type { FeedPosition } from '../port.ts';

export interface Place {
  readonly era: number;
  /** Of the transaction: a 64-bit number, as text. */
  readonly xid: string;
  readonly ord: number;
}

export const makePosition = ({ era, xid, ord }: Place): FeedPosition => `${era}-${xid}-${ord}`;

const pattern = /^([1-9]\d{0,8})-([1-9]\d{0,18})-(0|[1-9]\d{0,8})$/;

/** Throws `bad_cursor` for a text that `makePosition` did not make. */
export function readPosition(position: FeedPosition): Place {
  const [, era, xid, ord] = pattern.exec(position) ?? [];
  if (era === undefined || xid === undefined || ord === undefined) {
    throw badCursor(position);
  }
  return { era: Number(era), xid, ord: Number(ord) };
}

export function isAfter(a: Place, b: Place): boolean {
  if (a.era !== b.era) {
    return a.era > b.era;
  }
  const [x, y] = [BigInt(a.xid), BigInt(b.xid)];
  return x === y ? a.ord > b.ord : x > y;
}
