/** The shape of a route, and the schemas that several routes share. */
import type { ErrorCode } from '../../core/error-codes.ts';
import type { Scope } from '../tokens.ts';
import { PositionSchema, SessionKeySchema, TaskIdSchema } from '../ids.ts';
import type { ObjectSchema, Schema } from '../schema.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** `{name}` is one percent-encoded segment. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: ObjectSchema;
  readonly query?: ObjectSchema;
  readonly headers?: { readonly [name: string]: Schema };
  readonly body?: ObjectSchema;
  /** The body may be left out where none of its members is required. */
  readonly success: { readonly [status: number]: Schema };
  /** It also answers `text/event-stream` where the request accepts that. */
  readonly stream?: true;
  /** It answers text, not JSON. */
  readonly text?: true;
  /** What a token must allow; null: no token is needed. */
  readonly scope: Scope | null;
  readonly codes: readonly ErrorCode[];
}

export const taskParams = {
  type: 'object',
  additionalProperties: false,
  required: ['id'],
  properties: { id: TaskIdSchema },
} as const;
export const sessionParams = {
  type: 'object',
  additionalProperties: false,
  required: ['key'],
  properties: { key: SessionKeySchema },
} as const;

export const limit = (byDefault: number, maximum: number) =>
  ({
    type: 'integer',
    minimum: 1,
    maximum,
    default: byDefault,
    description: 'Maximum number of items in the page.',
  }) as const;
/** Seconds. A proxy in between may give up an answer that takes longer. */
export const waitMax = 60;
const waitFor = (what: string) =>
  ({ type: 'number', minimum: 0, maximum: waitMax, default: 0, description: what }) as const satisfies Schema;
export const wait = waitFor('Long poll: seconds to wait for the next event.');
export const waitForEnd = waitFor(
  'Long poll: seconds to wait for the end of the task. One that still has no `endedAt` has not ended: ask again.',
);

export const feedQuery = {
  type: 'object',
  additionalProperties: false,
  properties: { after: PositionSchema, limit: limit(100, 500), wait },
} as const satisfies ObjectSchema;

export const lastEventId = {
  'last-event-id': { type: 'string', description: 'Streams only: continue after this event. It overrides `after`.' },
} as const satisfies { readonly [name: string]: Schema };
