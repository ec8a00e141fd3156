/**
 * Every route of the HTTP API. The server registers from this table and validates with its schemas, /openapi.json is made
 * from it, and the client takes its types from it. Codes that any route may answer are in `COMMON_CODES`.
 */
import type { ErrorCode } from './errors.ts';
import { FeedPageSchema, TapePageSchema } from './events.ts';
import { CursorSchema, LaneSchema, PositionSchema, SessionKeySchema, StatusSchema, TaskIdSchema } from './ids.ts';
import type { ObjectSchema, Schema, Wire } from './schema.ts';
import {
  ByRequestSchema,
  EvictRequestSchema,
  ParkRequestSchema,
  SessionPageSchema,
  SessionViewSchema,
  StopReceiptSchema,
  StopRequestSchema,
} from './sessions.ts';
import {
  CancelReceiptSchema,
  CancelRequestSchema,
  EditRequestSchema,
  ExplanationSchema,
  MoveRequestSchema,
  OkSchema,
  SubmitReceiptSchema,
  SubmitRequestSchema,
  TaskPageSchema,
  TaskViewSchema,
} from './tasks.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** `{name}` stands for one percent-encoded segment. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: ObjectSchema;
  readonly query?: ObjectSchema;
  readonly headers?: { readonly [name: string]: Schema };
  readonly body?: ObjectSchema;
  /** The body may be left out where none of its members is required. */
  readonly success: { readonly [status: number]: Schema };
  /** It also answers `text/event-stream` when that is what is accepted. */
  readonly stream?: true;
  /** It answers text, not JSON. */
  readonly text?: true;
  /** Open to anybody who reaches the address. */
  readonly open?: true;
  readonly codes: readonly ErrorCode[];
}

const taskParams = {
  type: 'object',
  additionalProperties: false,
  required: ['id'],
  properties: { id: TaskIdSchema },
} as const;
const sessionParams = {
  type: 'object',
  additionalProperties: false,
  required: ['key'],
  properties: { key: SessionKeySchema },
} as const;

const limit = (byDefault: number, maximum: number) =>
  ({ type: 'integer', minimum: 1, maximum, default: byDefault, description: 'Most items in the page.' }) as const;
const wait = {
  type: 'number',
  minimum: 0,
  maximum: 60,
  default: 0,
  description: 'Long poll: seconds to wait for an event when there is none yet.',
} as const satisfies Schema;

const feedQuery = {
  type: 'object',
  additionalProperties: false,
  properties: { after: PositionSchema, limit: limit(100, 500), wait },
} as const satisfies ObjectSchema;

const lastEventId = {
  'last-event-id': { type: 'string', description: 'Streams only: go on after this event. Goes before `after`.' },
} as const satisfies { readonly [name: string]: Schema };

/** Codes that every route may answer; those of the body and of the token only where there is one. */
export const COMMON_CODES = [
  'bad_request',
  'invalid_request',
  'wrong_host',
  'unauthorized',
  'headers_too_large',
  'too_many_connections',
  'closing',
  'internal',
  'store_failed',
] as const satisfies readonly ErrorCode[];
export const BODY_CODES = [
  'bad_json',
  'body_too_large',
  'unsupported_media_type',
  'request_timeout',
] as const satisfies readonly ErrorCode[];

export const ROUTES = {
  submitTask: {
    method: 'POST',
    path: '/v1/tasks',
    summary: 'Submit a task',
    description:
      'Answered after the task is durable; an interrupt that it fires has been written by then. 201 for a new task; 200 when the Idempotency-Key had one already.',
    headers: {
      'idempotency-key': {
        type: 'string',
        pattern: '^[!-~]{1,200}$',
        description: 'Unique over all sessions: a second submit with it returns the first task and stores nothing.',
      },
    },
    body: SubmitRequestSchema,
    success: { 201: SubmitReceiptSchema, 200: SubmitReceiptSchema },
    codes: [
      'bad_idempotency_key',
      'queue_full',
      'session_busy',
      'rollback_unsupported',
      'unknown_runner',
      'session_faulted',
      'duplicate_task',
    ],
  },
  listTasks: {
    method: 'GET',
    path: '/v1/tasks',
    summary: 'List tasks, newest first',
    query: {
      type: 'object',
      additionalProperties: false,
      properties: {
        session: SessionKeySchema,
        status: {
          type: 'array',
          items: StatusSchema,
          minItems: 1,
          maxItems: 5,
          description: 'Repeat it, or separate with commas.',
        },
        lane: LaneSchema,
        source: { type: 'string', minLength: 1, maxLength: 200 },
        cursor: CursorSchema,
        limit: limit(50, 200),
      },
    },
    success: { 200: TaskPageSchema },
    codes: ['bad_cursor'],
  },
  getTask: {
    method: 'GET',
    path: '/v1/tasks/{id}',
    summary: 'Show a task',
    params: taskParams,
    success: { 200: TaskViewSchema },
    codes: ['bad_id', 'unknown_task'],
  },
  editTask: {
    method: 'PATCH',
    path: '/v1/tasks/{id}',
    summary: 'Change the prompt of a queued task',
    params: taskParams,
    body: EditRequestSchema,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_task', 'not_queued', 'task_ended', 'session_faulted'],
  },
  moveTask: {
    method: 'POST',
    path: '/v1/tasks/{id}/move',
    summary: 'Move a queued task: its lane, its priority, or its place',
    params: taskParams,
    body: MoveRequestSchema,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_task', 'not_queued', 'not_movable', 'task_ended', 'session_faulted'],
  },
  cancelTask: {
    method: 'POST',
    path: '/v1/tasks/{id}/cancel',
    summary: 'Cancel a task',
    description:
      'The answer is a receipt; `requested` means that its turn is being interrupted and `final` is still to come.',
    params: taskParams,
    body: CancelRequestSchema,
    success: { 200: CancelReceiptSchema },
    codes: ['bad_id', 'unknown_task', 'session_faulted'],
  },
  explainTask: {
    method: 'GET',
    path: '/v1/tasks/{id}/explain',
    summary: 'Say why a task is not running now',
    params: taskParams,
    success: { 200: ExplanationSchema },
    codes: ['bad_id', 'unknown_task'],
  },
  taskEvents: {
    method: 'GET',
    path: '/v1/tasks/{id}/events',
    summary: "Read or follow a task's tape",
    description: 'A JSON page, a long poll with `wait`, or server-sent events; a stream ends after `final`.',
    params: taskParams,
    query: {
      type: 'object',
      additionalProperties: false,
      properties: {
        after: {
          type: 'integer',
          minimum: 0,
          maximum: 9_007_199_254_740_991,
          default: 0,
          description: 'Seq to read on after.',
        },
        limit: limit(100, 500),
        wait,
      },
    },
    headers: lastEventId,
    success: { 200: TapePageSchema },
    stream: true,
    codes: ['bad_id', 'unknown_task', 'bad_cursor', 'bad_last_event_id', 'too_many_streams'],
  },
  listSessions: {
    method: 'GET',
    path: '/v1/sessions',
    summary: 'List sessions',
    query: {
      type: 'object',
      additionalProperties: false,
      properties: { cursor: CursorSchema, limit: limit(50, 200) },
    },
    success: { 200: SessionPageSchema },
    codes: ['bad_cursor'],
  },
  getSession: {
    method: 'GET',
    path: '/v1/sessions/{key}',
    summary: 'Show a session: owner, agent, queue',
    params: sessionParams,
    success: { 200: SessionViewSchema },
    codes: ['bad_id', 'unknown_session'],
  },
  sessionEvents: {
    method: 'GET',
    path: '/v1/sessions/{key}/events',
    summary: 'Read or follow all events of a session, its tasks included',
    params: sessionParams,
    query: feedQuery,
    headers: lastEventId,
    success: { 200: FeedPageSchema },
    stream: true,
    codes: ['bad_id', 'unknown_session', 'bad_cursor', 'bad_last_event_id', 'too_many_streams'],
  },
  stopSession: {
    method: 'POST',
    path: '/v1/sessions/{key}/stop',
    summary: 'Stop the running turn, the queue, or both',
    params: sessionParams,
    body: StopRequestSchema,
    success: { 200: StopReceiptSchema },
    codes: ['bad_id', 'unknown_session', 'session_faulted'],
  },
  evictSession: {
    method: 'POST',
    path: '/v1/sessions/{key}/evict',
    summary: 'Take the hold away without its owner’s cooperation',
    params: sessionParams,
    body: EvictRequestSchema,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_session', 'nothing_held', 'stale_epoch', 'session_faulted'],
  },
  parkSession: {
    method: 'POST',
    path: '/v1/sessions/{key}/park',
    summary: 'Grant and send nothing until it is unparked',
    params: sessionParams,
    body: ParkRequestSchema,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_session', 'session_faulted'],
  },
  unparkSession: {
    method: 'POST',
    path: '/v1/sessions/{key}/unpark',
    summary: 'Let a parked session go on',
    params: sessionParams,
    body: ByRequestSchema,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_session', 'not_parked', 'session_faulted'],
  },
  restartAgent: {
    method: 'POST',
    path: '/v1/sessions/{key}/restart-agent',
    summary: 'Restart the agent and resume its conversation',
    params: sessionParams,
    body: ByRequestSchema,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_session', 'agent_not_running', 'session_faulted'],
  },
  allEvents: {
    method: 'GET',
    path: '/v1/events',
    summary: 'Read or follow all events of all sessions',
    query: feedQuery,
    headers: lastEventId,
    success: { 200: FeedPageSchema },
    stream: true,
    codes: ['bad_cursor', 'bad_last_event_id', 'too_many_streams'],
  },
  health: {
    method: 'GET',
    path: '/healthz',
    summary: 'The process answers',
    success: {
      200: {
        type: 'object',
        additionalProperties: false,
        required: ['status'],
        properties: { status: { type: 'string', const: 'ok' } },
      },
    },
    open: true,
    codes: [],
  },
  ready: {
    method: 'GET',
    path: '/readyz',
    summary: 'Recovery is done and inputs are taken',
    success: {
      200: {
        type: 'object',
        additionalProperties: false,
        required: ['status'],
        properties: { status: { type: 'string', const: 'ready' } },
      },
    },
    open: true,
    codes: ['not_ready'],
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Figures in the Prometheus text format',
    success: { 200: { type: 'string' } },
    text: true,
    codes: [],
  },
  openapi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This description',
    success: { 200: { type: 'object', additionalProperties: true } },
    open: true,
    codes: [],
  },
} as const satisfies { readonly [operation: string]: Route };

export type Operation = keyof typeof ROUTES;
export const OPERATIONS = Object.keys(ROUTES) as readonly Operation[];

type Part<O extends Operation, K extends string> = (typeof ROUTES)[O] extends {
  readonly [key in K]: infer S extends Schema;
}
  ? Wire<S>
  : undefined;
type Parts<K extends string> = { readonly [O in Operation]: Part<O, K> };
type Answers = {
  readonly [O in Operation]: (typeof ROUTES)[O]['success'] extends { readonly 200: infer S extends Schema }
    ? Wire<S>
    : never;
};

// Interfaces and no aliases: the compiler looks a member up instead of working the schema out again for every generic use.
interface ParamsByOperation extends Parts<'params'> {}
interface QueryByOperation extends Parts<'query'> {}
interface BodyByOperation extends Parts<'body'> {}
interface ResponseByOperation extends Answers {}

export type ParamsOf<O extends Operation> = ParamsByOperation[O];
export type QueryOf<O extends Operation> = QueryByOperation[O];
export type BodyOf<O extends Operation> = BodyByOperation[O];
export type ResponseOf<O extends Operation> = ResponseByOperation[O];
