/** The providers of models, their state, and the throttle of a session. */
import { throttleLevels } from '../core/model/session.ts';
import { TimeSchema } from './ids.ts';
import type { Schema, Wire } from './schema.ts';

export const throttleCauses = ['provider', 'retry', 'context', 'crash', 'start', 'slot', 'folder', 'node'] as const;

const level = {
  type: 'string',
  enum: throttleLevels,
  description: '`background`: only that lane waits. `all`: nothing is granted or sent.',
} as const satisfies Schema;

export const ThrottleSchema = {
  type: 'object',
  description: 'Why work of a session waits, although the session is not parked.',
  additionalProperties: false,
  required: ['level', 'cause', 'reason', 'detail', 'since', 'until'],
  properties: {
    level,
    cause: {
      type: 'string',
      enum: throttleCauses,
      description:
        '`provider`: its provider. `retry`: its failed turn, which is retried. `context`: its conversation is too long. `crash`: its agent keeps ending. `start`: its agent cannot be started. `slot`: other sessions have all agent slots. `folder`: another session uses its folder. `node`: no node that can take it has the labels that it needs.',
    },
    reason: {
      type: 'string',
      description: 'Code: `rate_limit`, `agent_crash_loop`, `slots_taken`, `folder_in_use`, `no_node`, …',
    },
    detail: {
      type: ['string', 'null'],
      description:
        'The provider, the sessions that have the slots or the folder, the labels that no node has, or why the agent cannot be started.',
    },
    since: TimeSchema,
    until: {
      type: ['integer', 'null'],
      description: 'When it ends by itself, wall clock in ms; null: not known.',
    },
  },
} as const satisfies Schema;

export type Throttle = Wire<typeof ThrottleSchema>;

export const ProviderSchema = {
  type: 'object',
  additionalProperties: false,
  required: [
    'name',
    'agents',
    'state',
    'level',
    'reason',
    'since',
    'until',
    'throttlesInRow',
    'failures',
    'status',
    'message',
  ],
  properties: {
    name: { type: 'string' },
    agents: {
      type: 'array',
      items: { type: 'string' },
      description: 'Names of the agents of this daemon whose requests go to it.',
    },
    state: {
      type: 'string',
      enum: ['free', 'throttled', 'probing'],
      description:
        '`throttled`: the work that `level` names waits. `probing`: the throttle has ended, and background work waits for the first completed turn.',
    },
    level: { ...level, type: ['string', 'null'], enum: [...throttleLevels, null] },
    reason: {
      type: ['string', 'null'],
      description: 'Class of the failure: `rate_limit`, `overloaded`, `server_error`, `network`, `quota`, `auth`.',
    },
    since: { type: ['integer', 'null'], description: 'When this reason began, wall clock in ms.' },
    until: { type: ['integer', 'null'], description: 'When this state ends by itself, wall clock in ms.' },
    throttlesInRow: { type: 'integer', description: 'A completed turn sets it to 0.' },
    failures: {
      type: 'integer',
      description: 'Failed requests since the start of the daemon; of several on one database, those of all of them.',
    },
    status: { type: ['integer', 'null'], description: 'HTTP status of the last failure, where the agent reports it.' },
    message: { type: ['string', 'null'], description: "The provider's message with it." },
  },
} as const satisfies Schema;
export type Provider = Wire<typeof ProviderSchema>;

export const ProviderListSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['items'],
  properties: { items: { type: 'array', items: ProviderSchema } },
} as const satisfies Schema;
export type ProviderList = Wire<typeof ProviderListSchema>;
