/** What can be followed: a task's tape by `seq`, or the feed of a session or of all by opaque positions. */
import { sessionKey } from '../../core/model/ids.ts';
import type { FeedEvent, StoredEvent, StoredTask } from '../../store/port.ts';
import type { Signalbox, Tape } from '../../runtime/api.ts';

/** Committed events as the channel hands them out, in order. */
export interface Batch {
  readonly events: readonly FeedEvent[];
  /** Cursor of the event right before the first one; undefined: not known. */
  readonly prior: Cursor | undefined;
}

/** Position of a reader: the last seq or position that it has; null: none yet. */
export type Cursor = number | string | null;

export const gapSeq = -1;

export interface Source {
  readonly key: string;
  readonly tape: Tape;
  read(after: Cursor, limit: number): Promise<readonly StoredEvent[]>;
  cursorOf(event: StoredEvent): Cursor;
  /** Index of the event that comes right after the cursor; the length of the batch: it has them all; GAP: that is not certain. */
  indexAfter(batch: Batch, cursor: Cursor): number;
  frame(event: StoredEvent): string;
  /** No event follows this one. */
  isLast(event: StoredEvent): boolean;
}

/** Tapes are dense, so arithmetic says what a batch holds for whom. */
export function taskSource(signalbox: Signalbox, task: StoredTask): Source {
  const { id } = task.row;
  const head = whose(task.session, id);
  return {
    key: `task ${id}`,
    tape: { task: id },
    read: (after, limit) => signalbox.tape(task.session, id, Number(after ?? 0), limit),
    cursorOf: (event) => event.seq,
    indexAfter({ events }, cursor) {
      const first = events[0]?.seq ?? 0;
      const skip = Number(cursor ?? 0) + 1 - first;
      const isDense = (events.at(-1)?.seq ?? 0) - first === events.length - 1;
      return skip < 0 || !isDense ? gapSeq : Math.min(skip, events.length);
    },
    frame: (event) => `id: ${event.seq}\ndata: ${head}${tail(event)}}\n\n`,
    isLast: (event) => event.type === 'final',
  };
}

/** Positions can only be compared for equality, so a batch follows a cursor when the cursor is in it, or right before it. */
export function feedSource(signalbox: Signalbox, session: string | null): Source {
  return {
    key: session === null ? 'all' : `session ${session}`,
    tape: session === null ? { all: true } : { session: sessionKey(session) },
    read: (after, limit) => signalbox.feed(session, after === null ? null : String(after), limit),
    cursorOf: (event) => positionOf(event),
    indexAfter({ events, prior }, cursor) {
      // In it first: a page that was read while the batch was being committed is ahead of it, and `prior` may be from that page.
      const at = cursor === null ? -1 : events.findLastIndex((event) => event.position === cursor);
      if (at >= 0) {
        return at + 1;
      }
      return prior !== undefined && prior === cursor ? 0 : gapSeq;
    },
    frame(event) {
      const position = positionOf(event);
      const head = whose(event.session, event.task);
      return `id: ${position}\ndata: ${head}${tail(event)},"position":${JSON.stringify(position)}}\n\n`;
    },
    isLast: () => false,
  };
}

// The JSON of an event by hand, in the order of its schema: only `data` is of any shape, and a replay is mostly this.
const whose = (session: string, task: string | null): string =>
  `{"session":${JSON.stringify(session)},"task":${JSON.stringify(task)}`;

function tail({ seq, at, type, data }: StoredEvent): string {
  return `,"seq":${seq},"at":${at},"type":${JSON.stringify(type)},"data":${JSON.stringify(data ?? null)}`;
}

function positionOf(event: StoredEvent): string {
  return 'position' in event && typeof event.position === 'string' ? event.position : '';
}
