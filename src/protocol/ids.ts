/** Identifiers and numbers that stand in paths and queries. */
import type { Schema } from './schema.ts';

export const TaskIdSchema = {
  type: 'string',
  description: 'Id of a task (a UUIDv7, unless the library was given ids of its own).',
  pattern: '^[A-Za-z0-9._:-]{1,64}$',
  examples: ['0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11'],
} as const satisfies Schema;

export const SessionKeySchema = {
  type: 'string',
  description:
    'Key of a session, percent-encoded where it stands in a path: 1 to 200 characters, no control characters, not `.` or `..`.',
  minLength: 1,
  maxLength: 200,
  // `.` and `..` cannot be addressed: every URL parser takes them, also as %2e, for steps in the path.
  pattern: '^(?!\\.{1,2}$)[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]+$',
  examples: ['github:acme/app'],
} as const satisfies Schema;

export const CursorSchema = {
  type: 'string',
  description: 'Opaque; the `cursor` of the page before.',
  pattern: '^[!-~]{1,500}$',
} as const satisfies Schema;

export const PositionSchema = {
  type: 'string',
  description: 'Opaque position in a feed; reading goes on after it. Left out: from the beginning. `now`: from now on.',
  pattern: '^[!-~]{1,200}$',
} as const satisfies Schema;

export const LaneSchema = { type: 'string', enum: ['interactive', 'background'] } as const satisfies Schema;

export const WhenBusySchema = {
  type: 'string',
  enum: ['preempt', 'enqueue', 'steer', 'collect', 'replace', 'interrupt', 'rollback', 'reject'],
  description: 'What the message does when it finds the session busy.',
} as const satisfies Schema;

export const StatusSchema = {
  type: 'string',
  enum: ['queued', 'running', 'completed', 'failed', 'cancelled'],
} as const satisfies Schema;

export const PlaceSchema = {
  type: 'string',
  enum: ['collecting', 'waiting', 'owner', 'merged'],
  description:
    'Where an open task stands: its window for further parts is open; in the queue; owns the session; part of the turn of another task.',
} as const satisfies Schema;

export const TimeSchema = {
  type: 'integer',
  description: 'Wall clock, milliseconds since 1970 (UTC).',
} as const satisfies Schema;

export const LabelsSchema = {
  type: 'object',
  description: 'Small strings of the sender: delivery id, issue number, address of the reply.',
  additionalProperties: { type: 'string', maxLength: 1000 },
  propertyNames: { type: 'string', pattern: '^[A-Za-z0-9._:/-]{1,100}$' },
  maxProperties: 50,
} as const satisfies Schema;

export const BySchema = {
  type: 'string',
  description: 'Who asked; shown on the tape.',
  minLength: 1,
  maxLength: 200,
} as const satisfies Schema;
