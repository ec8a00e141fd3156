/** Named tokens: who may call the HTTP API, for what, and for which sessions. */
import type { Schema, Wire } from './schema.ts';
import { TimeSchema } from './ids.ts';

/** What a token may do. Each route asks for one of them. */
export const scopes = ['metrics', 'read', 'submit', 'operate', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** What else a scope allows: everything that those behind it do. */
const includes: { readonly [S in Scope]: readonly Scope[] } = {
  metrics: [],
  read: ['metrics'],
  submit: [],
  operate: ['read', 'submit'],
  admin: ['operate'],
};

/** Whether the scopes of a token allow what asks for `needed`. */
export const allows = (held: readonly Scope[], needed: Scope): boolean =>
  held.some((scope) => scope === needed || allows(includes[scope], needed));

/** The daemon's own token, the file `token` in the data folder, is called so; no other token can be. */
export const ownTokenName = 'api';

const name = {
  type: 'string',
  pattern: '^[a-z0-9][a-z0-9._-]{0,62}$',
  description:
    'Name of the token: lower-case letters, digits, `.`, `_` and `-`. It is shown on tapes, and is not a secret.',
  examples: ['ci'],
} as const satisfies Schema;

const scopeList = {
  type: 'array',
  items: { type: 'string', enum: scopes },
  minItems: 1,
  maxItems: scopes.length,
  description:
    '`metrics`: the figures alone. `read`: sessions, tasks and tapes, and the figures. `submit`: new tasks, and the holds of external tasks. `operate`: both, and every change: cancel, stop, park, respond to permission requests. `admin`: all of that, and tokens.',
} as const satisfies Schema;

const sessionList = {
  type: ['array', 'null'],
  items: { type: 'string', minLength: 1, maxLength: 300 },
  minItems: 1,
  maxItems: 50,
  default: null,
  description:
    'Keys of the sessions that it is for; `*` matches any text. With such a list, the token can read nothing that spans all sessions. null: for all sessions.',
  examples: [['github:acme/*']],
} as const satisfies Schema;

export const TokenRequestSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'scopes'],
  properties: {
    name,
    scopes: scopeList,
    sessions: sessionList,
    expiresIn: {
      type: ['integer', 'null'],
      minimum: 1_000,
      maximum: 315_360_000_000,
      default: null,
      description: 'Milliseconds after which it is refused. null: it holds until it is revoked.',
    },
  },
} as const satisfies Schema;
export type TokenRequest = Wire<typeof TokenRequestSchema>;

const shown = {
  name,
  scopes: scopeList,
  sessions: sessionList,
  madeAt: TimeSchema,
  expiresAt: { ...TimeSchema, type: ['integer', 'null'], description: 'Wall-clock milliseconds; null: never.' },
} as const;

export const TokenSchema = {
  type: 'object',
  description: 'A named token. Its secret is shown once, when it is made; only a digest of it is stored.',
  additionalProperties: false,
  required: ['name', 'scopes', 'sessions', 'madeAt', 'expiresAt'],
  properties: shown,
} as const satisfies Schema;
export type Token = Wire<typeof TokenSchema>;

export const NewTokenSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'scopes', 'sessions', 'madeAt', 'expiresAt', 'token'],
  properties: {
    ...shown,
    token: { type: 'string', description: 'The secret: send it as `Authorization: Bearer …`. It is not shown again.' },
  },
} as const satisfies Schema;
export type NewToken = Wire<typeof NewTokenSchema>;

export const TokenListSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['items'],
  properties: { items: { type: 'array', items: TokenSchema } },
} as const satisfies Schema;

export type TokenList = Wire<typeof TokenListSchema>;

export const tokenParams = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: { name },
} as const satisfies Schema;
