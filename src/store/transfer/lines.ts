/**
 * The format of an export: one JSON value a line, in this order: what it is, tokens, tasks, events, sessions, the end.
 *
 *  export-format/1 The lines between the first and the last follow from the content of the store alone. Two stores hold the same if and
 *          only if these lines are the same.
 *  export-format/2 The last line has the number of each kind and the SHA-256 of all lines between, each with its line feed. A file without it is cut off.
 */
import { AppError } from '../../core/errors.ts';
import type { TaskRow } from '../../core/model/records.ts';
import type { StoredEvent, TaskPayload, TokenRow } from '../port.ts';
import type { SnapshotSession } from './snapshot.ts';

export const format = 'signalbox-export';
export const version = 1;

export interface Head {
  readonly format: typeof format;
  readonly version: number;
  /** Kind of the store that it is from. */
  readonly store: string;
}

export interface TaskLine {
  readonly session: string;
  readonly admittedAt: number;
  readonly row: TaskRow;
  readonly payload: TaskPayload;
}

export type Line =
  | { readonly token: TokenRow }
  | { readonly task: TaskLine }
  /** Without its position: that is the store's own. */
  | { readonly event: StoredEvent & { readonly position?: undefined } }
  | { readonly session: SnapshotSession };

export interface Counts {
  readonly tokens: number;
  readonly tasks: number;
  readonly events: number;
  readonly sessions: number;
}

export interface End {
  readonly end: Counts & { readonly sha256: string };
}

export const badExport = (what: string): AppError => new AppError({ code: 'bad_export', message: what });

export function readHead(text: string | undefined): Head {
  const head = text === undefined ? null : (parse(text, 1) as Partial<Head> | null);
  if (typeof head !== 'object' || head === null || head.format !== format) {
    throw badExport('the file does not begin as an export of Signalbox does');
  }
  if (head.version !== version) {
    throw badExport(`the export is of version ${head.version}; this Signalbox reads version ${version}`);
  }
  return head as Head;
}

/** `number`: of the line, from 1, for the error. */
export function parse(text: string, number: number): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw badExport(`line ${number} is not JSON: the file is damaged or cut off`);
  }
}

export function lineOf(text: string, number: number): Line | End {
  const value = parse(text, number);
  const known = ['token', 'task', 'event', 'session', 'end'];
  if (typeof value !== 'object' || value === null || !known.includes(Object.keys(value)[0] ?? '')) {
    throw badExport(`line ${number} is none of ${known.join(', ')}`);
  }
  return value as Line | End;
}
