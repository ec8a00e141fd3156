/**
 * The format of an export: one JSON value a line, in this order: what it is, tokens, tasks, events, sessions, replies
 * (rows of the outbox), consumers of the feed, the end.
 *
 *  export-format/1 The lines between the first and the last follow from the content of the store alone. Two stores hold the same if and
 *          only if these lines are the same.
 *  export-format/2 The last line has the number of each kind and the SHA-256 of all lines between, each with its line feed. A file without it is cut off.
 *  export-format/3 A file of version 1 has neither replies nor consumers.
 */
import { AppError } from '../../core/errors.ts';
import type { TaskRow } from '../../core/model/records.ts';
import { outboxStates } from '../../protocol/replies.ts';
import type { OutboxCopy } from '../outbox.ts';
import type { StoredEvent, TaskPayload, TokenRow } from '../port.ts';
import type { SnapshotSession } from './snapshot.ts';

export const format = 'signalbox-export';
export const version = 2;
const readable: readonly unknown[] = [1, version];

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

/** `events`: how many of the events of the file it has read, from the first on. A position is the store's own. */
export interface ConsumerLine {
  readonly name: string;
  readonly events: number;
}

export type Line =
  | { readonly token: TokenRow }
  | { readonly task: TaskLine }
  /** Without its position: that is the store's own. */
  | { readonly event: StoredEvent & { readonly position?: undefined } }
  | { readonly session: SnapshotSession }
  /** Never in `sending`. */
  | { readonly reply: OutboxCopy }
  | { readonly consumer: ConsumerLine };

export interface Counts {
  readonly tokens: number;
  readonly tasks: number;
  readonly events: number;
  readonly sessions: number;
  readonly replies: number;
  readonly consumers: number;
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
  if (!readable.includes(head.version)) {
    throw badExport(
      `the export is of version ${head.version}; this Signalbox reads versions ${readable.join(' and ')}`,
    );
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
  const known = ['token', 'task', 'event', 'session', 'reply', 'consumer', 'end'];
  if (typeof value !== 'object' || value === null || !known.includes(Object.keys(value)[0] ?? '')) {
    throw badExport(`line ${number} is none of ${known.join(', ')}`);
  }
  const line = value as Line | End;
  if ('reply' in line) {
    checkReply(line.reply, number);
  }
  return 'end' in line ? { end: { ...none, ...line.end } } : line;
}

/** What a file of version 1 does not count. */
const none = { replies: 0, consumers: 0 };

/** What is sent has a sender, which did not come with the file. */
function checkReply(copy: Partial<OutboxCopy> | null, number: number): void {
  const state = copy?.row?.state;
  if (state === undefined || state === 'sending' || !outboxStates.includes(state)) {
    throw badExport(`line ${number} has a reply whose state is ${state}`);
  }
}
