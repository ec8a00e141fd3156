/** From the rows of a database to what the port promises, and back. A value of the wrong kind is a damaged database. */
import { invariant } from '../core/errors.ts';
import type { TaskEventData } from '../core/model/events.ts';
import type { TaskRow } from '../core/model/records.ts';
import { sessionKey, taskId } from '../core/model/ids.ts';
import { taskStatuses, type TaskStatus } from '../core/model/task.ts';
import type { StoredTask } from './port.ts';
import { payloadOf } from './rules.ts';

export type Row = { readonly [column: string]: unknown };

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

/**
 * What most tasks have, and the file leaves out: a session may have ten thousand of them. What is absent means this, in every file ever
 * written, so a change here takes a migration. `id` and `lane` are columns.
 */
const usual = {
  mode: 'prompt',
  priority: 0,
  mergeGroup: null,
  onLost: 'retry',
  maxAttempts: 3,
  expiresAt: null,
  status: 'running',
  attempts: 0,
  mergedInto: null,
  leads: null,
  delivered: false,
  started: false,
  interruptedMidTurn: false,
  textIn: null,
  conversation: 'current',
  beginsFresh: false,
  verdict: null,
  model: null,
  retries: 0,
  run: null,
  holder: null,
} as const satisfies Partial<TaskRow>;

const usualFields: readonly (readonly [string, unknown])[] = Object.entries(usual);

export function taskToJson(task: TaskRow): string {
  // JSON leaves out what is undefined.
  const stored: { [field: string]: unknown } = { ...task, id: undefined, lane: undefined };
  for (const [field, value] of usualFields) {
    if (stored[field] === value) {
      stored[field] = undefined;
    }
  }
  return JSON.stringify(stored);
}

export function taskOf(row: Row): TaskRow {
  const stored = json(row, 'row') as Omit<TaskRow, keyof typeof usual> & Partial<TaskRow>;
  const holder = stored.holder ?? null;
  // A holder in a file from before it was kept what it knows was judged as one that knows of its grant.
  const known = holder === null ? null : { ...holder, told: holder.told ?? true };
  return {
    ...usual,
    ...stored,
    holder: known,
    id: taskId(text(row, 'id')),
    lane: text(row, 'lane') as TaskRow['lane'],
  };
}

type Final = TaskEventData['final'];

/** Data of the `final` event, without what is null. */
export const finalToJson = (final: Final): string =>
  JSON.stringify({
    ...final,
    by: final.by ?? undefined,
    answer: final.answer ?? undefined,
    result: final.result ?? undefined,
  });

/** In the order of its fields: a reader sees the same text before and after a restart. */
export function finalOf(row: Row, column: string): Final | null {
  const stored = json(row, column) as (Omit<Final, 'by' | 'answer' | 'result'> & Partial<Final>) | null;
  if (stored === null) {
    return null;
  }
  const { status, reason, by = null, attempts, answer = null, result = null } = stored;
  return { status, reason, by, attempts, answer, result };
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
  row: taskOf(row),
  payload: payloadOf(json(row, 'payload')),
  status: status(row),
  reason: textOrNull(row, 'reason'),
  final: finalOf(row, 'result'),
  seq: num(row, 'seq'),
  admittedAt: num(row, 'admitted_at'),
  endedAt: row['ended_at'] === null ? null : num(row, 'ended_at'),
});

export const idOrNull = (row: Row, column: string) => {
  const value = textOrNull(row, column);
  return value === null ? null : taskId(value);
};
