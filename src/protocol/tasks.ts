/** Tasks: requests, views and receipts. */
import { taskModes, terminalStatuses } from '../core/model/task.ts';
import { nullable } from './events/fields.ts';
import { ParkedSchema } from './events/parts.ts';
import { taskEvents } from './events/task.ts';
import {
  BySchema,
  LaneSchema,
  LastWordsSchema,
  StageSchema,
  SessionKeySchema,
  StatusSchema,
  TaskIdSchema,
  TaskStateSchema,
  TimeSchema,
} from './ids.ts';
import { PermissionRequestSchema } from './permissions.ts';
import { ThrottleSchema } from './providers.ts';
import type { Schema, Wire } from './schema.ts';
import { taskSpec } from './task-spec.ts';

export const SubmitRequestSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['session', 'prompt'],
  properties: { session: SessionKeySchema, ...taskSpec },
} as const satisfies Schema;
export type SubmitRequest = Wire<typeof SubmitRequestSchema>;

export const SubmitReceiptSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['task', 'session', 'duplicate', 'stage', 'mergedInto', 'endedTasks', 'fallback', 'waitsFor'],
  properties: {
    task: TaskIdSchema,
    session: { ...SessionKeySchema, description: 'The key that the session resolved to.' },
    duplicate: {
      type: 'boolean',
      description: 'An earlier submit had this idempotency key. This is its task, and nothing was stored.',
    },
    stage: StageSchema,
    mergedInto: { type: ['string', 'null'], description: 'The task it was merged or steered into.' },
    endedTasks: { type: 'array', items: TaskIdSchema, description: 'Tasks that it replaced or interrupted.' },
    fallback: {
      type: 'boolean',
      description: 'The agent could not take it into its turn (`steer`), so it was queued.',
    },
    waitsFor: {
      type: ['string', 'null'],
      description:
        'One sentence for a person, while nothing of its lane runs in the session: a park, a provider, the agent, a slot, or a folder. Null: it waits for other tasks at most.',
    },
  },
} as const satisfies Schema;
export type SubmitReceipt = Wire<typeof SubmitReceiptSchema>;

const summaryProperties = {
  id: TaskIdSchema,
  session: SessionKeySchema,
  status: StatusSchema,
  state: TaskStateSchema,
  lane: LaneSchema,
  mode: { type: 'string', enum: taskModes },
  stage: { anyOf: [StageSchema, { type: 'null' }], description: 'Null once the task has ended.' },
  priority: { type: 'integer' },
  title: { type: 'string', description: 'First line of the prompt, at most 120 characters.' },
  source: { type: 'string' },
  author: { type: ['string', 'null'] },
  reason: { type: ['string', 'null'], description: 'Reason code of the end; null while open.' },
  attempts: { type: 'integer', description: 'Attempts begun.' },
  lastWords: LastWordsSchema,
  seq: { type: 'integer', description: 'Last seq on its tape.' },
  admittedAt: TimeSchema,
  endedAt: { type: ['integer', 'null'], description: 'Wall clock, milliseconds since 1970; null while open.' },
} as const;

export const TaskSummarySchema = {
  type: 'object',
  additionalProperties: false,
  required: [
    'id',
    'session',
    'status',
    'state',
    'lane',
    'mode',
    'stage',
    'priority',
    'title',
    'source',
    'author',
    'reason',
    'attempts',
    'lastWords',
    'seq',
    'admittedAt',
    'endedAt',
  ],
  properties: summaryProperties,
} as const satisfies Schema;
export type TaskSummary = Wire<typeof TaskSummarySchema>;

const viewProperties = {
  ...summaryProperties,
  ...taskSpec,
  mergedInto: {
    type: ['string', 'null'],
    description:
      'The task that it was merged or steered into; null: it has its own turns. Where that task was cancelled alone, the next one merged into it has the turn: `explain` names it.',
  },
  mergedTasks: { type: 'array', items: TaskIdSchema, description: 'Tasks that its turn also answers, oldest first.' },
  expiresAt: {
    type: ['integer', 'null'],
    description: 'Until when it may wait, wall clock in ms; then it ends as `expired`. null: as long as it takes.',
  },
  interruptedMidTurn: {
    type: 'boolean',
    description: 'An earlier turn was interrupted midway; whether its last tool call happened is unknown.',
  },
  holder: {
    anyOf: [
      {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'epoch', 'leaseMs'],
        properties: {
          name: { type: 'string', description: 'The name that the holder gave itself.' },
          epoch: { type: 'integer', description: 'Fencing token of its calls.' },
          leaseMs: { type: 'integer', description: 'Milliseconds that it may be silent.' },
        },
      },
      { type: 'null' },
    ],
    description: 'The program that was granted the session for an external task; null: none, or the task has ended.',
  },
  idempotencyKey: { type: ['string', 'null'] },
  sentBy: {
    anyOf: [
      {
        type: 'object',
        additionalProperties: false,
        required: ['task', 'session', 'hops'],
        properties: {
          task: TaskIdSchema,
          session: SessionKeySchema,
          hops: { type: 'integer', description: 'How many agents, one after the other, have led to this task.' },
        },
      },
      { type: 'null' },
    ],
    description: 'The task in whose turn an agent submitted this one; null: no agent did.',
  },
  final: nullable(taskEvents.final, 'Data of its `final` event; null while open.'),
} as const;

/** The whole specification of the task, and its present state. */
export const TaskViewSchema = {
  type: 'object',
  additionalProperties: false,
  required: Object.keys(viewProperties) as (keyof typeof viewProperties)[],
  properties: viewProperties,
} as const satisfies Schema;
export type TaskView = Wire<typeof TaskViewSchema>;

export const TaskPageSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['items', 'cursor'],
  properties: {
    items: { type: 'array', items: TaskSummarySchema },
    cursor: { type: ['string', 'null'], description: 'Send it to read the next page; null: this is the last page.' },
  },
} as const satisfies Schema;
export type TaskPage = Wire<typeof TaskPageSchema>;

export const EditRequestSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['prompt'],
  properties: { prompt: { type: 'string', minLength: 1, maxLength: 1_000_000 }, by: BySchema },
} as const satisfies Schema;
export type EditRequest = Wire<typeof EditRequestSchema>;

export const MoveRequestSchema = {
  type: 'object',
  description: 'At least one of `lane`, `priority`, `to` and `before`.',
  additionalProperties: false,
  properties: {
    lane: LaneSchema,
    priority: { type: 'integer', minimum: -1000, maximum: 1000 },
    to: { type: 'string', enum: ['first', 'last'], description: 'Position in its lane. Not together with `before`.' },
    before: {
      ...TaskIdSchema,
      description: 'The task that it will precede. That task waits, in the same lane and with the same priority.',
    },
    by: BySchema,
  },
} as const satisfies Schema;
export type MoveRequest = Wire<typeof MoveRequestSchema>;

export const CancelRequestSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    reason: {
      type: 'string',
      minLength: 1,
      maxLength: 200,
      description: 'Reason code for the tape; default `cancelled`.',
    },
    by: BySchema,
  },
} as const satisfies Schema;
export type CancelRequest = Wire<typeof CancelRequestSchema>;

/** How a task ends that is cancelled or stopped. */
export const VerdictSchemas = {
  verdict: {
    type: 'string',
    enum: terminalStatuses,
    description:
      'How the task has ended or will end. An earlier verdict stands, such as that of the hold limit. A whole answer that crosses the interrupt still completes the task.',
  },
  reason: { type: 'string', description: 'Reason code of the verdict.' },
} as const satisfies { readonly [name: string]: Schema };

export const CancelReceiptSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['task', 'state', 'status', 'verdict', 'reason', 'turn'],
  properties: {
    task: TaskIdSchema,
    state: {
      type: 'string',
      enum: ['requested', 'acknowledged', 'already-terminal'],
      description:
        '`requested`: its turn is being interrupted. `acknowledged`: it has ended. `already-terminal`: it had ended before, and nothing changed.',
    },
    status: StatusSchema,
    ...VerdictSchemas,
    turn: { type: ['integer', 'null'], description: 'The turn that still runs and is being interrupted.' },
  },
} as const satisfies Schema;
export type CancelReceipt = Wire<typeof CancelReceiptSchema>;

export const OkSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['ok'],
  properties: { ok: { type: 'boolean', const: true } },
} as const satisfies Schema;
export type Ok = Wire<typeof OkSchema>;

export const OwnerSchema = {
  type: 'object',
  description: 'The hold on the session.',
  additionalProperties: false,
  required: ['task', 'epoch', 'lane', 'turn', 'phase', 'since'],
  properties: {
    task: TaskIdSchema,
    epoch: { type: 'integer', description: 'Fencing token of the hold.' },
    lane: LaneSchema,
    turn: { type: ['integer', 'null'] },
    phase: { type: 'string', description: '`pending`, `sent`, `running`, `draining`, or `between-turns`.' },
    since: TimeSchema,
  },
} as const satisfies Schema;
export type Owner = Wire<typeof OwnerSchema>;

export const ExplanationSchema = {
  type: 'object',
  description: 'Why a task does not run now. Every wait names its deadline, or has none.',
  additionalProperties: false,
  required: [
    'task',
    'session',
    'status',
    'state',
    'lastWords',
    'summary',
    'owner',
    'ahead',
    'aheadCount',
    'agent',
    'waitsFor',
    'parked',
    'throttle',
    'permissionRequests',
  ],
  properties: {
    task: TaskIdSchema,
    session: SessionKeySchema,
    status: StatusSchema,
    state: TaskStateSchema,
    lastWords: LastWordsSchema,
    summary: { type: 'string', description: 'One sentence for a person.' },
    owner: { anyOf: [OwnerSchema, { type: 'null' }] },
    ahead: {
      type: 'array',
      items: TaskIdSchema,
      description: 'Tasks that are granted before it, in order, at most 100.',
    },
    aheadCount: { type: 'integer', description: 'Number of all tasks ahead.' },
    agent: { type: 'string' },
    waitsFor: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['what', 'since', 'deadline', 'at'],
        properties: {
          what: { type: 'string' },
          since: TimeSchema,
          deadline: {
            type: ['string', 'null'],
            description: 'Name of the deadline that ends this wait; null: it has none.',
          },
          at: { type: ['integer', 'null'], description: 'Time of the deadline, wall clock in milliseconds.' },
        },
      },
    },
    parked: nullable(ParkedSchema, 'Why its session is parked; null: it is not parked.'),
    throttle: { anyOf: [ThrottleSchema, { type: 'null' }] },
    permissionRequests: {
      type: 'array',
      items: PermissionRequestSchema,
      description: 'Permission requests of the turn that runs in its session.',
    },
  },
} as const satisfies Schema;
export type Explanation = Wire<typeof ExplanationSchema>;
