/** From what `node:sqlite` hands out to what the port promises. A value of the wrong kind is a damaged file. */
import type { SQLOutputValue } from 'node:sqlite';
import { invariant } from '../../core/errors.ts';
import type { TaskRow } from '../../core/model/records.ts';
import { sessionKey, taskId } from '../../core/model/ids.ts';
import { taskStatuses, type TaskStatus } from '../../core/model/task.ts';
import type { StoredTask } from '../port.ts';
import { payloadOf } from '../rules.ts';

export type Row = { readonly [column: string]: SQLOutputValue };

export function num(row: Row, column: string): number {
  const value = row[column];
  invariant(typeof value === 'number', `column ${column} is a number`);
  return value;
}

export function text(row: Row, column: string): string {
  const value = row[column];
  invariant(typeof value === 'string', `column ${column} is text`);
  return value;
}

export function textOrNull(row: Row, column: string): string | null {
  return row[column] === null ? null : text(row, column);
}

/** JSON text of a value, SQL NULL for null. What JSON cannot say (undefined) is null. */
export function toJson(value: unknown): string | null {
  if (value === null || value === undefined) {
    return null;
  }
  const json: string | undefined = JSON.stringify(value);
  return json ?? null;
}

export function json(row: Row, column: string): unknown {
  const value = textOrNull(row, column);
  return value === null ? null : (JSON.parse(value) as unknown);
}

const statuses: ReadonlySet<string> = new Set(taskStatuses);
const isStatus = (value: string): value is TaskStatus => statuses.has(value);

export function status(row: Row): TaskStatus {
  const value = text(row, 'status');
  invariant(isStatus(value), `status ${value} is known`);
  return value;
}

export const storedTask = (row: Row): StoredTask => ({
  session: sessionKey(text(row, 'session')),
  row: json(row, 'row') as TaskRow,
  payload: payloadOf(json(row, 'payload')),
  status: status(row),
  reason: textOrNull(row, 'reason'),
  final: json(row, 'result') as StoredTask['final'],
  seq: num(row, 'seq'),
  admittedAt: num(row, 'admitted_at'),
  endedAt: row['ended_at'] === null ? null : num(row, 'ended_at'),
});

export const idOrNull = (row: Row, column: string) => {
  const value = textOrNull(row, column);
  return value === null ? null : taskId(value);
};
