/** The section `hooks` of the configuration: one entry for each sender, by the name in its address. */
import type { Schema, Wire } from '../../protocol/schema.ts';
import { bytes, conditions, quoteMax, secret, task } from '../shared/config.ts';

export const HookConfigSchema = {
  type: 'object',
  description: 'A source that signs by Standard Webhooks, at `POST /hooks/{name}`.',
  additionalProperties: false,
  required: ['secret', 'session', 'prompt'],
  properties: {
    secret,
    ...conditions,
    ...task,
    quoteMax,
    maxBodyBytes: bytes('Standard Webhooks advises senders to stay below 20 kB.', 1_048_576),
  },
} as const satisfies Schema;

export const HooksConfigSchema = {
  type: 'object',
  maxProperties: 200,
  propertyNames: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,63}$' },
  additionalProperties: HookConfigSchema,
  description: 'By name, which is the last part of the address. A source with its own section already uses its name.',
} as const satisfies Schema;

/** As written in a file, without the defaults. */
export type HookConfigInput = Wire<typeof HookConfigSchema>;
export type HooksConfigInput = Readonly<{ [name: string]: HookConfigInput }>;
