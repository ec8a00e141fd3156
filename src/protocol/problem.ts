/** Problem documents (RFC 9457), `application/problem+json`. */
import { errorEntry, type ErrorCode } from '../core/error-codes.ts';
import type { Schema, Wire } from './schema.ts';

export const ProblemSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['type', 'title', 'status', 'detail', 'code', 'hint', 'retryable'],
  properties: {
    type: { type: 'string', description: '`urn:signalbox:error:` and the code.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What is wrong in this case, and with which value.' },
    code: { type: 'string', description: 'Stable; every one is in docs/errors.md.' },
    hint: { type: 'string', description: 'What to do next.' },
    retryable: { type: 'boolean', description: 'The same request may succeed later without a change.' },
    retryAfterMs: { type: 'integer', minimum: 0, description: 'When to retry, as `Retry-After` says in seconds.' },
    instance: { type: 'string', description: 'Id of the request, for the log.' },
    errors: {
      type: 'array',
      description: 'Each place where the request does not fit its schema.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['path', 'message'],
        properties: {
          path: { type: 'string', description: 'JSON pointer, after `body`, `query`, `path` or `headers`.' },
          message: { type: 'string' },
          hint: { type: 'string' },
        },
      },
    },
  },
} as const satisfies Schema;
export type Problem = Wire<typeof ProblemSchema>;
export type ProblemFinding = NonNullable<Problem['errors']>[number];

export interface ProblemParts {
  readonly detail?: string;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
  readonly instance?: string;
  readonly errors?: readonly ProblemFinding[];
}

/** Makes the document of a code. Title, status and hint are the table's, whichever route answers. */
export function problem(code: ErrorCode, parts: ProblemParts = {}): Problem {
  const entry = errorEntry(code);
  return {
    type: `urn:signalbox:error:${code}`,
    title: entry.title,
    status: entry.status ?? 500,
    detail: parts.detail ?? entry.title,
    code,
    hint: entry.hint,
    retryable: parts.retryable ?? entry.retryable ?? false,
    ...(parts.retryAfterMs === undefined ? {} : { retryAfterMs: parts.retryAfterMs }),
    ...(parts.instance === undefined ? {} : { instance: parts.instance }),
    ...(parts.errors === undefined ? {} : { errors: parts.errors }),
  };
}

/** What the document of a full queue says. */
export function fullParts({
  what,
  name,
  open,
  limit,
  retryAfterMs,
}: {
  readonly what: 'session' | 'source' | 'daemon';
  readonly name: string | null;
  readonly open: number;
  readonly limit: number;
  readonly retryAfterMs: number;
}): ProblemParts {
  const named = name === null ? '' : ` ${JSON.stringify(name)}`;
  const whole = Math.ceil(retryAfterMs / 1000);
  const detail = `The ${what}${named} has ${open} open ${open === 1 ? 'task' : 'tasks'}; ${limit} is the limit. Retry in ${whole} s.`;
  return { detail, retryAfterMs: whole * 1000 };
}

/** Value of the header `Retry-After`, in whole seconds. */
export const retryAfterS = (ms: number): string => String(Math.ceil(ms / 1000));
