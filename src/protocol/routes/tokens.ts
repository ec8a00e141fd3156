/** Routes of named tokens. */
import { OkSchema } from '../tasks.ts';
import { NewTokenSchema, TokenListSchema, TokenRequestSchema, tokenParams } from '../tokens.ts';
import type { Route } from './route.ts';

export const tokensRoutes = {
  listTokens: {
    method: 'GET',
    path: '/v1/tokens',
    summary: 'List the named tokens',
    scope: 'admin',
    success: { 200: TokenListSchema },
    codes: [],
  },
  makeToken: {
    method: 'POST',
    path: '/v1/tokens',
    summary: 'Make a named token',
    description: 'The answer is the only place where its secret is shown.',
    scope: 'admin',
    body: TokenRequestSchema,
    success: { 201: NewTokenSchema, 200: NewTokenSchema },
    codes: ['token_exists'],
  },
  revokeToken: {
    method: 'POST',
    path: '/v1/tokens/{name}/revoke',
    summary: 'Revoke a named token',
    description: 'It is refused from now on, and its streams end.',
    scope: 'admin',
    params: tokenParams,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_token'],
  },
} as const satisfies { readonly [operation: string]: Route };
