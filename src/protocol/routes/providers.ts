/** Routes of the providers of models. */
import { ProviderListSchema } from '../providers.ts';
import { OkSchema } from '../tasks.ts';
import type { Route } from './route.ts';

export const providersRoutes = {
  listProviders: {
    method: 'GET',
    path: '/v1/providers',
    scope: 'read',
    summary: 'List the providers of models, and which of them throttle their sessions',
    success: { 200: ProviderListSchema },
    codes: [],
  },
  resumeProvider: {
    method: 'POST',
    path: '/v1/providers/{name}/resume',
    scope: 'operate',
    summary: 'Lift the throttle of a provider at once',
    params: {
      type: 'object',
      additionalProperties: false,
      required: ['name'],
      properties: { name: { type: 'string', minLength: 1, maxLength: 200 } },
    },
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_provider', 'not_throttled'],
  },
} as const satisfies { readonly [operation: string]: Route };
