/**
 * Which fields of sessions, inputs and records hold names, and of what. A name is a number that is compared for equality alone
 * (an admission: for order alone), so that two states which differ by names alone are one. The renaming oracle proves that it is.
 * Positions are compared for order, too. The core makes new ones of old ones, and finds room for each.
 */
export type TokenKind = 'epoch' | 'turn' | 'incarnation' | 'admission' | 'position';

const kinds: { readonly [field: string]: TokenKind } = {
  epoch: 'epoch',
  run: 'epoch',
  id: 'turn',
  turns: 'turn',
  turn: 'turn',
  sent: 'turn',
  rewind: 'turn',
  firstTurn: 'turn',
  textIn: 'turn',
  from: 'turn',
  incarnations: 'incarnation',
  incarnation: 'incarnation',
  admission: 'admission',
  admissions: 'admission',
  // Its keys.
  backgroundByAge: 'admission',
  position: 'position',
};

/** Null: a number in this field is a number. Of a field `call` the `id` is the number of a call: the caller knows where it is. */
export const tokenKind = (field: string): TokenKind | null => kinds[field] ?? null;

const turnTimers: ReadonlySet<string> = new Set(['drain', 'silence', 'permission', 'protected']);

/** What the `subject` of a deadline is, where it is a number. */
export function subjectKind(timer: string): TokenKind {
  if (timer === 'hold') {
    return 'epoch';
  }
  return turnTimers.has(timer) ? 'turn' : 'incarnation';
}
