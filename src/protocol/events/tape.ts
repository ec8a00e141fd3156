/**
 * Events as the server writes them: JSON pages and server-sent events.
 *
 * A stream carries events as unnamed messages (`id:` is the seq on a task's tape, the position in a feed; `data:` is the
 * event). Named messages are about the stream itself and have no id: `cut` (the server ended it, the reader may
 * reconnect from the last id) and `bye` (the daemon closes). A task's stream ends by itself after `final`.
 */
import type {
  EventType,
  SessionEventData,
  SessionEventType,
  TaskEventData,
  TaskEventType,
} from '../../core/model/events.ts';
import { SessionKeySchema, TaskIdSchema, TimeSchema } from '../ids.ts';
import type { Schema, Wire } from '../schema.ts';
import { sessionEvents } from './session.ts';
import { taskEvents } from './task.ts';
import type { Json } from '../describes.ts';

interface Stamp {
  readonly session: string;
  /** Dense from 1 on each tape. */
  readonly seq: number;
  /** Wall clock, milliseconds since 1970. */
  readonly at: number;
}

type OnTaskTape = {
  readonly [T in TaskEventType]: Stamp & {
    readonly task: string;
    readonly type: T;
    readonly data: Json<TaskEventData[T]>;
  };
};
type OnSessionTape = {
  readonly [T in SessionEventType]: Stamp & {
    readonly task: null;
    readonly type: T;
    readonly data: Json<SessionEventData[T]>;
  };
};

/** An event as this version writes it. Readers get `ReadEvent`: the tape may be of a later version. */
export type TapeEvent<T extends EventType = EventType> = (OnTaskTape & OnSessionTape)[T];
/** An event in the feed of one session or of all. `after: position` reads the events after it. */
export type FeedEvent<T extends EventType = EventType> = TapeEvent<T> & { readonly position: string };

export interface TapePage<E = TapeEvent> {
  readonly items: readonly E[];
  /** Send it as `after` to read the next page. */
  readonly next: number;
  /** The last item is `final`: nothing more will come. */
  readonly final: boolean;
}

export interface FeedPage<E = FeedEvent> {
  readonly items: readonly E[];
  /** Send it as `after` to read the next page; null: the feed is empty. */
  readonly next: string | null;
}

const onTape = (type: EventType, data: Schema, task: Schema): Schema => ({
  type: 'object',
  required: ['session', 'task', 'seq', 'at', 'type', 'data'],
  properties: {
    session: SessionKeySchema,
    task,
    seq: { type: 'integer', minimum: 1, description: 'Number on its tape, dense from 1.' },
    at: TimeSchema,
    type: { type: 'string', const: type },
    data,
  },
});

const ownTape = { type: 'null', description: "The event is on the session's own tape." } as const satisfies Schema;

/** Data of each event. The order is that of the documentation. */
export const eventDataSchemas: { readonly [T in EventType]: Schema } = { ...taskEvents, ...sessionEvents };

/** The whole of each event. */
export const eventSchemas: { readonly [type: string]: Schema } = Object.fromEntries([
  ...Object.entries(taskEvents).map(([type, data]) => [type, onTape(type as TaskEventType, data, TaskIdSchema)]),
  ...Object.entries(sessionEvents).map(([type, data]) => [type, onTape(type as SessionEventType, data, ownTape)]),
]);

export const TapeEventSchema: Schema = {
  description: 'An event of a tape. A later version may add types, and members to the data of a type: ignore them.',
  oneOf: Object.values(eventSchemas),
  discriminator: { propertyName: 'type' },
};

export const FeedEventSchema: Schema = {
  description: 'An event of a feed.',
  allOf: [
    TapeEventSchema,
    {
      type: 'object',
      required: ['position'],
      properties: { position: { type: 'string', description: 'Resume after this event with `after`.' } },
    },
  ],
};

export const TapePageSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['items', 'next', 'final'],
  properties: {
    items: { type: 'array', items: TapeEventSchema },
    next: { type: 'integer', description: 'Send it as `after` to read the next page.' },
    final: { type: 'boolean', description: 'The last item is `final`: nothing more will come.' },
  },
} as const satisfies Schema;

export const FeedPageSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['items', 'next'],
  properties: {
    items: { type: 'array', items: FeedEventSchema },
    next: {
      type: ['string', 'null'],
      description: 'Send it as `after` to read the next page; null: the feed is empty.',
    },
  },
} as const satisfies Schema;

export const StreamNoticeSchema = {
  type: 'object',
  description: 'Why a stream ended: data of `event: cut` and `event: bye`.',
  additionalProperties: false,
  required: ['reason', 'hint'],
  properties: {
    reason: {
      type: 'string',
      enum: ['slow_reader', 'stream_failed', 'closing'],
      description:
        '`slow_reader`: the reader did not keep up. `stream_failed`: events could not be read. `closing`: the daemon closes.',
    },
    hint: { type: 'string', description: 'What to do.' },
  },
} as const satisfies Schema;
/** Data of `event: cut` and `event: bye`. */
export type StreamNotice = Wire<typeof StreamNoticeSchema>;
