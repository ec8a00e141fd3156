/** The section `notify` of the configuration: who is told what, by signed HTTP requests. */
import type { Schema, Wire } from '../../protocol/schema.ts';
import { secret } from '../shared/config.ts';

export const pushEvents = ['final', 'permission-requested', 'hang', 'throttled', 'unclear'] as const;
export type PushEvent = (typeof pushEvents)[number];

export const NotifyConfigSchema = {
  type: 'array',
  maxItems: 100,
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['on', 'url', 'secret'],
    properties: {
      on: {
        type: 'array',
        minItems: 1,
        maxItems: pushEvents.length,
        items: { type: 'string', enum: pushEvents },
        description:
          '`final`: a task has ended. `permission-requested`: an agent waits for a person. `hang`: a hang report was written. `throttled`: work of a session waits. `unclear`: whether a message was sent is not known, and a person decides.',
      },
      url: {
        type: 'string',
        minLength: 1,
        maxLength: 2048,
        pattern: '^https?://',
        description: 'Where the request goes.',
      },
      secret,
      sessions: {
        type: 'array',
        minItems: 1,
        maxItems: 200,
        items: { type: 'string', minLength: 1, maxLength: 200 },
        description: 'Keys of sessions; `*`: any characters. Default: all.',
      },
      name: {
        type: 'string',
        pattern: '^[a-z0-9][a-z0-9._-]{0,62}$',
        description:
          'What lists call the receiver. What is to be sent to it follows the name: keep it when the URL changes. Default: made from the URL.',
      },
    },
  },
  description:
    'Receivers of [signed messages](notify.md), `{ on, url, secret, sessions, name }`. The same for all daemons that share a store.',
} as const satisfies Schema;

export type NotifyConfig = Wire<typeof NotifyConfigSchema>;
export type NotifyTarget = NotifyConfig[number];
