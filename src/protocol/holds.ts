/** External tasks: what a program outside the daemon asks that holds a session, and what it is answered. */
import { turnOutcomes } from '../core/model/session.ts';
import { TurnReportSchema } from './events/parts.ts';
import { SessionKeySchema, TaskIdSchema } from './ids.ts';
import type { Schema, Wire } from './schema.ts';

/** Bounds of a lease that a holder may ask for: a shorter one lapses with every pause of a program, a longer one keeps others waiting for the dead. */
export const leaseBounds = { minMs: 1_000, maxMs: 3_600_000 } as const;

/** Seconds that one request waits: shorter than what proxies cut. */
const wait = {
  type: 'number',
  minimum: 0,
  maximum: 30,
  default: 25,
  description:
    'Long poll: seconds to wait, at most half the lease. An answer with `state: "waiting"` means: send the same request again.',
} as const satisfies Schema;

const epoch = {
  type: 'integer',
  minimum: 1,
  description: 'The epoch that the grant has given: the fencing token of the hold.',
} as const satisfies Schema;

export const HoldRequestSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['holder'],
  properties: {
    holder: {
      type: 'string',
      pattern: '^[!-~]{1,100}$',
      description: 'A name of the program, unique for each process. Under the same name it may ask again.',
      examples: ['worker-7f3a'],
    },
    leaseMs: {
      type: 'integer',
      minimum: leaseBounds.minMs,
      maximum: leaseBounds.maxMs,
      description: 'Milliseconds that the holder may be silent before it has lost the task. Default: `limits.leaseMs`.',
    },
    wait,
  },
} as const satisfies Schema;
export type HoldRequest = Wire<typeof HoldRequestSchema>;

export const HoldReceiptSchema = {
  type: 'object',
  additionalProperties: false,
  required: [
    'state',
    'task',
    'session',
    'leaseMs',
    'epoch',
    'prompt',
    'input',
    'attempt',
    'interruptedMidTurn',
    'call',
  ],
  properties: {
    state: {
      type: 'string',
      enum: ['waiting', 'granted'],
      description: '`waiting`: ask again. `granted`: the holder has the session.',
    },
    task: TaskIdSchema,
    session: SessionKeySchema,
    leaseMs: { type: 'integer', description: 'Milliseconds that the holder may be silent.' },
    epoch: { type: ['integer', 'null'], description: 'Fencing token of the hold; null: not granted yet.' },
    prompt: { type: ['string', 'null'], description: 'Text of the task; null: not granted yet.' },
    input: { description: 'JSON of the task; null: not granted yet.' },
    attempt: { type: ['integer', 'null'], description: 'Number of the attempt, from 1; null: not granted yet.' },
    interruptedMidTurn: {
      type: 'boolean',
      description: 'An earlier attempt was interrupted midway; whether its last step happened is unknown.',
    },
    call: {
      type: ['integer', 'null'],
      description: 'The last call of this epoch that was answered. Null: none; the first call is 1.',
    },
  },
} as const satisfies Schema;
export type HoldReceipt = Wire<typeof HoldReceiptSchema>;

export const HoldTurnRequestSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['epoch', 'call', 'prompt'],
  properties: {
    epoch,
    call: {
      type: 'integer',
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description:
        'Number of the call, upwards from 1 in each epoch. The same number again waits for the same turn, or returns its answer.',
    },
    prompt: { type: 'string', minLength: 1, maxLength: 1_000_000, description: 'Text of the turn, for the agent.' },
    model: {
      type: ['string', 'null'],
      minLength: 1,
      maxLength: 200,
      default: null,
      description: 'Model of the turn. Default: that of the task.',
    },
    wait,
  },
} as const satisfies Schema;
export type HoldTurnRequest = Wire<typeof HoldTurnRequestSchema>;

export const TurnAnswerSchema = {
  type: 'object',
  description: 'How the turn ended, and what the agent reports.',
  additionalProperties: false,
  required: ['outcome', 'text'],
  properties: {
    outcome: { type: 'string', enum: turnOutcomes, description: 'How the turn ended.' },
    ...TurnReportSchema.properties,
  },
} as const satisfies Schema;

export const HoldTurnReceiptSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['state', 'call', 'answer'],
  properties: {
    state: {
      type: 'string',
      enum: ['waiting', 'answered'],
      description: '`waiting`: the turn is not over, or the task is preempted; ask again with the same `call`.',
    },
    call: { type: 'integer' },
    answer: { anyOf: [TurnAnswerSchema, { type: 'null' }], description: 'Null: not answered yet.' },
  },
} as const satisfies Schema;
export type HoldTurnReceipt = Wire<typeof HoldTurnReceiptSchema>;

export const HoldProgressSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['epoch', 'data'],
  properties: { epoch, data: { description: 'Any JSON; it is on the tape as a `progress` event.' } },
} as const satisfies Schema;
export type HoldProgress = Wire<typeof HoldProgressSchema>;

export const HoldEpochSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['epoch'],
  properties: { epoch },
} as const satisfies Schema;
export type HoldEpoch = Wire<typeof HoldEpochSchema>;

export const HoldFinishSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['epoch', 'status'],
  properties: {
    epoch,
    status: { type: 'string', enum: ['completed', 'failed'], description: 'How the task ends.' },
    reason: {
      type: 'string',
      pattern: '^[a-z][a-z0-9_]{0,99}$',
      description: 'Reason code. Default: `completed`, or `runner_failed`.',
    },
    result: { default: null, description: 'Result of the task: any JSON.' },
  },
} as const satisfies Schema;
export type HoldFinish = Wire<typeof HoldFinishSchema>;
