/** Sessions: views, and requests of an operator. */
import { AssignedSchema } from './conversations.ts';
import { stopScopes } from '../core/model/inputs.ts';
import { nullable } from './events/fields.ts';
import { ParkedSchema } from './events/parts.ts';
import {
  BySchema,
  LastWordsSchema,
  SessionKeySchema,
  SessionStateSchema,
  StatusSchema,
  TaskIdSchema,
  TimeSchema,
} from './ids.ts';
import { PermissionRequestSchema } from './permissions.ts';
import { ThrottleSchema } from './providers.ts';
import type { Schema, Wire } from './schema.ts';
import { OwnerSchema, VerdictSchemas } from './tasks.ts';

const summaryProperties = {
  key: SessionKeySchema,
  state: SessionStateSchema,
  open: { type: 'integer', description: 'Tasks that have not ended.' },
  queued: { type: 'integer' },
  epoch: { type: 'integer', description: 'Last fencing token granted.' },
  turns: { type: 'integer', description: 'Turns numbered so far.' },
  incarnations: { type: 'integer', description: 'Agents started so far.' },
  owner: {
    anyOf: [
      {
        type: 'object',
        additionalProperties: false,
        required: ['task', 'epoch'],
        properties: { task: TaskIdSchema, epoch: { type: 'integer', description: 'Fencing token of the owner.' } },
      },
      { type: 'null' },
    ],
    description: 'The task that owns the session.',
  },
  ownedSince: {
    type: ['integer', 'null'],
    description:
      'Since when its owner has it, wall clock in ms; null: no owner, or one that is live in another daemon.',
  },
  lastWords: { ...LastWordsSchema, description: 'The last line that its agent wrote in a turn; null: not known.' },
  conversation: { type: ['string', 'null'], description: "The agent's own id of the conversation." },
  parked: nullable(ParkedSchema, 'Why it is parked; null: it is not parked.'),
  changedAt: TimeSchema,
} as const;

export const SessionSummarySchema = {
  type: 'object',
  additionalProperties: false,
  required: [
    'key',
    'state',
    'open',
    'queued',
    'epoch',
    'turns',
    'incarnations',
    'owner',
    'ownedSince',
    'lastWords',
    'conversation',
    'parked',
    'changedAt',
  ],
  properties: summaryProperties,
} as const satisfies Schema;
export type SessionSummary = Wire<typeof SessionSummarySchema>;

export const SessionViewSchema = {
  type: 'object',
  additionalProperties: false,
  required: [...SessionSummarySchema.required, 'agent', 'model', 'assigned', 'queue', 'throttle', 'permissionRequests'],
  properties: {
    ...summaryProperties,
    owner: { anyOf: [OwnerSchema, { type: 'null' }] },
    agent: { type: 'string' },
    model: {
      type: ['string', 'null'],
      description: "The model that its agent was started with or switched to; null: the agent's default, or no agent.",
    },
    assigned: {
      anyOf: [AssignedSchema, { type: 'null' }],
      description: 'The agent that the session has; null: no task has named one yet.',
    },
    queue: { type: 'array', items: TaskIdSchema, description: 'Waiting tasks in the order of their grants.' },
    throttle: { anyOf: [ThrottleSchema, { type: 'null' }] },
    permissionRequests: {
      type: 'array',
      items: PermissionRequestSchema,
      description: 'Permission requests of its agent that wait for a person, oldest first.',
    },
  },
} as const satisfies Schema;
export type SessionView = Wire<typeof SessionViewSchema>;

export const SessionPageSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['items', 'cursor'],
  properties: { items: { type: 'array', items: SessionSummarySchema }, cursor: { type: ['string', 'null'] } },
} as const satisfies Schema;
export type SessionPage = Wire<typeof SessionPageSchema>;

export const StopRequestSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['scope'],
  properties: {
    scope: {
      type: 'string',
      enum: stopScopes,
      description: '`turn`: the task that owns the session. `queue`: all waiting tasks. `session`: both.',
    },
    by: BySchema,
  },
} as const satisfies Schema;
export type StopRequest = Wire<typeof StopRequestSchema>;

export const StopReceiptSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['session', 'scope', 'receipts'],
  properties: {
    session: SessionKeySchema,
    scope: StopRequestSchema.properties.scope,
    receipts: {
      type: 'array',
      description: 'One for each stopped task: it has ended, or its turn is being interrupted.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['task', 'state', 'status', 'verdict', 'reason', 'turn'],
        properties: {
          task: TaskIdSchema,
          state: { type: 'string', enum: ['requested', 'acknowledged'] },
          status: StatusSchema,
          ...VerdictSchemas,
          turn: { type: ['integer', 'null'] },
        },
      },
    },
  },
} as const satisfies Schema;
export type StopReceipt = Wire<typeof StopReceiptSchema>;

export const EvictRequestSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    epoch: { type: 'integer', minimum: 1, description: 'Epoch of the hold to end. Default: the present hold.' },
    by: BySchema,
  },
} as const satisfies Schema;
export type EvictRequest = Wire<typeof EvictRequestSchema>;

export const ParkRequestSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['reason'],
  properties: { reason: { type: 'string', minLength: 1, maxLength: 500 }, by: BySchema },
} as const satisfies Schema;
export type ParkRequest = Wire<typeof ParkRequestSchema>;

export const ByRequestSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { by: BySchema },
} as const satisfies Schema;
