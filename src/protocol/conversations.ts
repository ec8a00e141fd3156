/** What becomes of the conversation of a session: by configuration, and by command. */
import { assignmentStates, conversationStates } from '../core/model/replies.ts';
import { BySchema, SessionKeySchema } from './ids.ts';
import type { Schema, Wire } from './schema.ts';

/** What happens when a conversation is too long for its model. */
export const onFullPolicies = ['fresh', 'fail'] as const;
export type OnFull = (typeof onFullPolicies)[number];
export const defaultOnFull: OnFull = 'fresh';

export const ConversationConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    onFull: {
      type: 'string',
      enum: onFullPolicies,
      default: defaultOnFull,
      description:
        'When a conversation is too long for its model. `fresh`: it ends, and the task continues in a fresh one with its whole text; the task fails only if that is too long as well. `fail`: the task fails.',
    },
  },
} as const satisfies Schema;

export const ConversationReceiptSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['session', 'state', 'turn'],
  properties: {
    session: SessionKeySchema,
    state: {
      type: 'string',
      enum: conversationStates,
      description:
        '`ended`: the next prompt begins a fresh conversation. `requested`: the conversation ends with the turn that runs, or as soon as the agent is ready. `unused`: nothing was said in it, so it is fresh already.',
    },
    turn: { type: ['integer', 'null'], description: 'The turn that runs, with which it ends.' },
  },
} as const satisfies Schema;
export type ConversationReceipt = Wire<typeof ConversationReceiptSchema>;

export const AssignRequestSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['agent'],
  properties: {
    agent: { type: 'string', minLength: 1, maxLength: 50, description: 'Name of the agent in the configuration.' },
    model: {
      type: ['string', 'null'],
      minLength: 1,
      maxLength: 200,
      description: "Model of tasks that name none. Default: the agent's own default.",
    },
    by: BySchema,
  },
} as const satisfies Schema;
export type AssignRequest = Wire<typeof AssignRequestSchema>;

export const AssignmentReceiptSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['session', 'agent', 'model', 'state', 'turn', 'conversationLost'],
  properties: {
    session: SessionKeySchema,
    agent: { type: 'string' },
    model: { type: ['string', 'null'] },
    state: {
      type: 'string',
      enum: assignmentStates,
      description:
        '`applied`: the next prompt goes to that agent. `requested`: the session gets it with the end of the turn that runs, or as soon as its agent is ready. `unchanged`: the session has that agent and model.',
    },
    turn: { type: ['integer', 'null'], description: 'The turn that runs, with which it changes.' },
    conversationLost: { type: 'boolean', description: 'The agent does not know what was said in the session before.' },
  },
} as const satisfies Schema;
export type AssignmentReceipt = Wire<typeof AssignmentReceiptSchema>;

export const AssignedSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['agent', 'model'],
  properties: {
    agent: { type: 'string', description: 'Name of the agent in the configuration.' },
    model: { type: ['string', 'null'], description: "Model of tasks that name none; null: the agent's own default." },
  },
} as const satisfies Schema;
