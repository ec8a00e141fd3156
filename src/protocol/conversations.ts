/** What becomes of the conversation of a session: by configuration, and by command. */
import { conversationStates } from '../core/model/replies.ts';
import { SessionKeySchema } from './ids.ts';
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
