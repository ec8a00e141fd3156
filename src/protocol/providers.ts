/** Whom the agents' requests to models go to, how they do, and what holds a session back. */
import { THROTTLE_LEVELS } from '../core/model/session.ts';
import { TimeSchema } from './ids.ts';
import type { Schema, Wire } from './schema.ts';

const level = {
  type: 'string',
  enum: THROTTLE_LEVELS,
  description: '`background`: only that lane waits. `all`: nothing is granted or sent.',
} as const satisfies Schema;

export const ThrottleSchema = {
  type: 'object',
  description: 'Why a session holds back, though nobody parked it.',
  additionalProperties: false,
  required: ['level', 'cause', 'reason', 'detail', 'since', 'until'],
  properties: {
    level,
    cause: {
      type: 'string',
      enum: ['provider', 'retry', 'context', 'crash', 'folder'],
      description:
        'Its provider; its own failed turn, which is tried again; its conversation, which is too long; its agent, which keeps ending; its folder, which another session has.',
    },
    reason: { type: 'string', description: 'Code: `rate_limit`, `agent_crash_loop`, `folder_in_use`, …' },
    detail: { type: ['string', 'null'], description: 'The provider; who has the folder.' },
    since: TimeSchema,
    until: {
      type: ['integer', 'null'],
      description: 'When it is lifted by itself, wall clock in ms; null: not known.',
    },
  },
} as const satisfies Schema;

export type Throttle = Wire<typeof ThrottleSchema>;

export const ProviderSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'state', 'level', 'reason', 'since', 'until', 'pauses', 'failures', 'status', 'message'],
  properties: {
    name: { type: 'string' },
    state: {
      type: 'string',
      enum: ['free', 'paused', 'probing'],
      description:
        '`paused`: `level` waits. `probing`: the pause is over, and background work waits for the first turn that completes.',
    },
    level: { ...level, type: ['string', 'null'], enum: [...THROTTLE_LEVELS, null] },
    reason: {
      type: ['string', 'null'],
      description: 'Class of the failure: `rate_limit`, `overloaded`, `server_error`, `network`, `quota`, `auth`.',
    },
    since: { type: ['integer', 'null'], description: 'Since when there is this reason, wall clock in ms.' },
    until: { type: ['integer', 'null'], description: 'When this state is over by itself, wall clock in ms.' },
    pauses: { type: 'integer', description: 'Pauses in a row; a completed turn begins anew.' },
    failures: { type: 'integer', description: 'Failed requests since the start of the daemon.' },
    status: { type: ['integer', 'null'], description: 'HTTP status of the last failure, where the agent tells it.' },
    message: { type: ['string', 'null'], description: "The provider's own words with it." },
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
