/**
 * Events as readers get them: JSON pages and server-sent events.
 *
 * A stream carries tape events as unnamed messages (`id:` is the seq on a task's tape, the position in a feed; `data:` is
 * the event). Named messages are about the stream itself and carry no id: `cut` (the server ended it, the reader may come
 * back from the last id) and `bye` (the daemon closes). A task's stream ends by itself after `final`.
 */
import { SessionKeySchema, TimeSchema } from './ids.ts';
import type { Schema, Wire } from './schema.ts';

const eventProperties = {
  session: SessionKeySchema,
  task: { type: ['string', 'null'], description: "Null: the session's own tape." },
  seq: { type: 'integer', minimum: 1, description: 'Dense from 1 on each tape.' },
  at: TimeSchema,
  type: { type: 'string', description: '`final` comes exactly once, last, on every task’s tape.' },
  data: { description: 'Any JSON; its shape depends on `type`.' },
} as const;

export const TapeEventSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['session', 'task', 'seq', 'at', 'type', 'data'],
  properties: eventProperties,
} as const satisfies Schema;
export type TapeEvent = Wire<typeof TapeEventSchema>;

export const FeedEventSchema = {
  type: 'object',
  additionalProperties: false,
  required: [...TapeEventSchema.required, 'position'],
  properties: {
    ...eventProperties,
    position: { type: 'string', description: 'Resume after this event with `after`.' },
  },
} as const satisfies Schema;
export type FeedEvent = Wire<typeof FeedEventSchema>;

export const TapePageSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['items', 'next', 'final'],
  properties: {
    items: { type: 'array', items: TapeEventSchema },
    next: { type: 'integer', description: 'Give it back as `after` to read on.' },
    final: { type: 'boolean', description: 'The last item is `final`: nothing more will come.' },
  },
} as const satisfies Schema;
export type TapePage = Wire<typeof TapePageSchema>;

export const FeedPageSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['items', 'next'],
  properties: {
    items: { type: 'array', items: FeedEventSchema },
    next: {
      type: ['string', 'null'],
      description: 'Give it back as `after` to read on; null: nothing has happened yet.',
    },
  },
} as const satisfies Schema;
export type FeedPage = Wire<typeof FeedPageSchema>;

export const StreamNoticeSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['reason', 'hint'],
  properties: {
    reason: { type: 'string', enum: ['slow_reader', 'stream_failed', 'closing'] },
    hint: { type: 'string' },
  },
} as const satisfies Schema;
/** Data of `event: cut` and `event: bye`. */
export type StreamNotice = Wire<typeof StreamNoticeSchema>;
