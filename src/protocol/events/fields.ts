/** What the schemas of many events have in common. */
import type { Schema } from '../schema.ts';
import { ActorSchema } from './parts.ts';

/** Data of one event, whose members are always there. `when`: when the event comes, in whole sentences. */
export const eventData = <const P extends { readonly [name: string]: Schema }>(
  when: string,
  properties: P,
  example: unknown,
) => ({
  type: 'object' as const,
  description: when,
  additionalProperties: false as const,
  required: Object.keys(properties) as readonly (keyof P & string)[],
  properties,
  examples: [example] as const,
});

export const nullable = <const S extends Schema>(schema: S, description: string) =>
  ({ anyOf: [schema, { type: 'null' }], description }) as const;

export const nullableText = (description: string) => ({ type: ['string', 'null'], description }) as const;

export const taskId = (description: string) => ({ type: 'string', description }) as const;

export const turn = {
  type: 'integer',
  description: 'Number of the turn in its session, from 1. A retried turn gets a new number.',
} as const;
export const epoch = {
  type: 'integer',
  description: 'Number of the hold, from 1. Each grant of the session gets the next one.',
} as const;
export const incarnation = {
  type: 'integer',
  description: 'Number of the started agent in its session, from 1.',
} as const;
/** Who acted. `who`: which kinds of actors it may be, and what null means. */
export const actor = (who: string) => nullable(ActorSchema, who);
