/** What Signalbox sends out, and what became of it. */
import { SessionKeySchema, TaskIdSchema, TimeSchema } from './ids.ts';
import type { Schema, Wire } from './schema.ts';

/** States of a message of the outbox. */
export const outboxStates = ['due', 'sending', 'posted', 'unclear', 'failed', 'expired', 'dropped'] as const;
export type OutboxState = (typeof outboxStates)[number];

export const ReplyStateSchema = {
  type: 'string',
  enum: outboxStates,
  description:
    '`due`: it waits to be sent. `sending`: its request is under way. `posted`: it has arrived. `unclear`: whether it has is not known. `failed`: its receiver does not take it. `expired`: it could not be sent in time. `dropped`: a person gave it up.',
} as const satisfies Schema;

const replyId = {
  type: 'string',
  pattern: '^[!-~]{1,200}$',
  description: 'Id of the message.',
} as const satisfies Schema;

const time = (description: string) => ({ ...TimeSchema, type: ['integer', 'null'], description }) as const;

export const ReplySchema = {
  type: 'object',
  description: 'A message that goes out.',
  additionalProperties: false,
  required: [
    'id',
    'door',
    'address',
    'session',
    'task',
    'type',
    'at',
    'state',
    'attempts',
    'nextAt',
    'reference',
    'problem',
    'changedAt',
  ],
  properties: {
    id: replyId,
    door: { type: 'string', description: 'What sends it: `push:` and the name of the receiver.' },
    address: { type: 'string', description: 'Messages of one address are sent in order.' },
    session: SessionKeySchema,
    task: { ...TaskIdSchema, type: ['string', 'null'] },
    type: { type: 'string', description: 'What it tells, such as `final`.' },
    at: { ...TimeSchema, description: 'When that happened.' },
    state: ReplyStateSchema,
    attempts: { type: 'integer', description: 'Requests begun.' },
    nextAt: time('When it is sent again at the earliest; null: it is not to be sent.'),
    reference: { type: ['string', 'null'], description: 'What the receiver calls it.' },
    problem: { type: ['string', 'null'], description: 'Why it is not posted.' },
    changedAt: { ...TimeSchema, description: 'When its state was found out.' },
  },
} as const satisfies Schema;
export type Reply = Wire<typeof ReplySchema>;

export const ReplyPageSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['items', 'cursor'],
  properties: {
    items: { type: 'array', items: ReplySchema },
    cursor: { type: ['string', 'null'], description: 'Send it to read the next page; null: this is the last page.' },
  },
} as const satisfies Schema;
export type ReplyPage = Wire<typeof ReplyPageSchema>;

export const replyParams = {
  type: 'object',
  additionalProperties: false,
  required: ['id'],
  properties: { id: replyId },
} as const satisfies Schema;
