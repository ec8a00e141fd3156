/** Routes of what keeps agents from working: permissions they ask for, and providers that hold them back. */
import { AnswerRequestSchema, AskListSchema } from '../permissions.ts';
import { ProviderListSchema } from '../providers.ts';
import { OkSchema } from '../tasks.ts';
import { type Route, sessionParams } from './route.ts';

export const workRoutes = {
  listAsks: {
    method: 'GET',
    path: '/v1/asks',
    summary: 'List what agents ask permission for, oldest first',
    success: { 200: AskListSchema },
    codes: [],
  },
  answerAsk: {
    method: 'POST',
    path: '/v1/sessions/{key}/answer',
    summary: 'Allow or deny what the agent of a session asks',
    params: sessionParams,
    body: AnswerRequestSchema,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_session', 'nothing_asked', 'session_faulted'],
  },
  listProviders: {
    method: 'GET',
    path: '/v1/providers',
    summary: 'List the providers of models, and which of them hold their sessions back',
    success: { 200: ProviderListSchema },
    codes: [],
  },
  resumeProvider: {
    method: 'POST',
    path: '/v1/providers/{name}/resume',
    summary: 'Let the sessions of a provider go on at once',
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
