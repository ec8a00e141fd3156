/** Identifiers and numbers in paths and queries. */
import { sessionStates, taskStates } from '../core/model/state.ts';
import { lanes, taskStages, taskStatuses, whenBusyPolicies } from '../core/model/task.ts';
import type { Schema } from './schema.ts';

export const TaskIdSchema = {
  type: 'string',
  description: 'Id of a task (a UUIDv7, unless the caller of the library makes its own ids).',
  pattern: '^[A-Za-z0-9._:-]{1,64}$',
  examples: ['0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11'],
} as const satisfies Schema;

export const SessionKeySchema = {
  type: 'string',
  description: 'Key of a session: 1 to 200 characters, no control characters, not `.` or `..`.',
  minLength: 1,
  maxLength: 200,
  // `.` and `..` cannot be addressed: every URL parser takes them, also as %2e, for steps in the path.
  pattern: '^(?!\\.{1,2}$)[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]+$',
  examples: ['github:acme/app'],
} as const satisfies Schema;

const sessionKeyPattern = new RegExp(SessionKeySchema.pattern, 'u');

/** The rules of `SessionKeySchema`, for keys that do not come over HTTP. Its characters are code points. */
export const isSessionKey = (text: string): boolean =>
  sessionKeyPattern.test(text) &&
  (text.length <= SessionKeySchema.maxLength || Array.from(text).length <= SessionKeySchema.maxLength);

export const CursorSchema = {
  type: 'string',
  description: 'The `cursor` of the previous page, unchanged.',
  pattern: '^[!-~]{1,500}$',
} as const satisfies Schema;

export const PositionSchema = {
  type: 'string',
  description:
    'Position in a feed, from an event or a page. Reading starts after it. Default: the beginning. `now`: only new events.',
  pattern: '^[!-~]{1,200}$',
} as const satisfies Schema;

export const LaneSchema = { type: 'string', enum: lanes } as const satisfies Schema;

export const WhenBusySchema = {
  type: 'string',
  enum: whenBusyPolicies,
  description: 'What the task does if the session is busy.',
} as const satisfies Schema;

export const StatusSchema = {
  type: 'string',
  enum: taskStatuses,
} as const satisfies Schema;

export const TaskStateSchema = {
  type: 'string',
  enum: taskStates,
  description:
    'What the task does now. `waiting`: it has not run yet. `preempted`: it has run, and waits to resume. `throttled`, `parked`: its session may not run it now. `merged`: its text goes with another task. `starting`: it owns the session, and its agent does not have the prompt yet. `asking`: its turn waits for a person to answer a permission request. `interrupting`: its turn is being interrupted. Ended: its status.',
} as const satisfies Schema;

export const SessionStateSchema = {
  type: 'string',
  enum: sessionStates,
  description:
    'What the session does now. `free`: no task is open. `waiting`: tasks wait, and none owns the session. The others are the state of its owner.',
} as const satisfies Schema;

export const LastWordsSchema = {
  type: ['string', 'null'],
  description:
    'The last line that its agent wrote, at most 200 characters; of a failed task, why it failed. null: not known.',
} as const satisfies Schema;

export const StageSchema = {
  type: 'string',
  enum: taskStages,
  description:
    'Stage of an open task. `collecting`: it waits for further tasks to merge. `waiting`: in the queue. `owner`: it owns the session. `merged`: it is part of the turn of another task.',
} as const satisfies Schema;

export const TimeSchema = {
  type: 'integer',
  description: 'Wall clock, milliseconds since 1970 (UTC).',
} as const satisfies Schema;

export const LabelsSchema = {
  type: 'object',
  description: 'Short texts that the sender attaches, such as a delivery id or the address of a reply.',
  additionalProperties: { type: 'string', maxLength: 1000 },
  propertyNames: { type: 'string', pattern: '^[A-Za-z0-9._:/-]{1,100}$' },
  maxProperties: 50,
} as const satisfies Schema;

export const BySchema = {
  type: 'string',
  description: 'Name of the person who makes the request; shown on the tape.',
  minLength: 1,
  maxLength: 200,
} as const satisfies Schema;
