/** From the rows of a database to those of the outbox. */
import { sessionKey } from '../core/model/ids.ts';
import { invariant } from '../core/errors.ts';
import { type OutboxState, outboxStates } from '../protocol/replies.ts';
import type { OutboxCopy, OutboxFigures, OutboxRow } from './outbox.ts';
import type { FeedPosition } from './page.ts';
import { idOrNull, json, num, text, textOrNull, type Row } from './row.ts';
import type { Numbered, SnapshotConsumer } from './transfer/snapshot.ts';

const numOrNull = (row: Row, column: string): number | null => (row[column] === null ? null : num(row, column));

function stateOf(row: Row): OutboxState {
  const value = text(row, 'state');
  const state = outboxStates.find((one) => one === value);
  invariant(state !== undefined, `state ${value} is known`);
  return state;
}

export const outboxRow = (row: Row): OutboxRow => ({
  id: text(row, 'id'),
  door: text(row, 'door'),
  address: text(row, 'address'),
  scope: text(row, 'scope'),
  session: sessionKey(text(row, 'session')),
  task: idOrNull(row, 'task'),
  seq: num(row, 'seq'),
  type: text(row, 'type'),
  at: num(row, 'at'),
  data: json(row, 'data'),
  state: stateOf(row),
  version: num(row, 'version'),
  attempts: num(row, 'attempts'),
  since: num(row, 'since'),
  begunAt: numOrNull(row, 'begun_at'),
  notBefore: num(row, 'not_before'),
  heldUntil: numOrNull(row, 'held_until'),
  reference: textOrNull(row, 'reference'),
  problem: textOrNull(row, 'problem'),
  changedAt: num(row, 'changed_at'),
});

/** The row has `paused_until`, too. */
export const numberedCopy = (row: Row): Numbered<OutboxCopy> => ({
  n: num(row, 'n'),
  item: { row: outboxRow(row), pausedUntil: numOrNull(row, 'paused_until') },
});

/** How a position of a consumer is stored: '' is the beginning of the feed. */
export const positionToText = (position: FeedPosition | null): string => position ?? '';

export function positionOf(row: Row): FeedPosition | null {
  const position = text(row, 'position');
  return position === '' ? null : position;
}

export const consumerOf = (row: Row): SnapshotConsumer => ({ name: text(row, 'name'), position: positionOf(row) });

/** `counts`: a row for each state that there is, with `count`. */
export function figuresOf(counts: readonly Row[], oldestDue: Row | undefined): OutboxFigures {
  const found = new Map(counts.map((row) => [stateOf(row), num(row, 'count')]));
  return {
    rows: Object.fromEntries(outboxStates.map((state) => [state, found.get(state) ?? 0])) as OutboxFigures['rows'],
    oldestDue: oldestDue === undefined ? null : numOrNull(oldestDue, 'since'),
  };
}

export const timeOrNull = (row: Row | undefined): number | null => (row === undefined ? null : numOrNull(row, 'time'));
