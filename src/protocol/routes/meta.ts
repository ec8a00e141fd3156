/** Routes of the server itself. */
import type { Route } from './route.ts';

export const metaRoutes = {
  health: {
    method: 'GET',
    path: '/healthz',
    scope: null,
    summary: 'The process answers',
    success: {
      200: {
        type: 'object',
        additionalProperties: false,
        required: ['status'],
        properties: { status: { type: 'string', const: 'ok' } },
      },
    },
    codes: [],
  },
  ready: {
    method: 'GET',
    path: '/readyz',
    scope: null,
    summary: 'Recovery is done, inputs are taken, and the database can be written',
    success: {
      200: {
        type: 'object',
        additionalProperties: false,
        required: ['status'],
        properties: { status: { type: 'string', const: 'ready' } },
      },
    },
    codes: ['not_ready'],
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    scope: 'metrics',
    summary: 'Figures in the Prometheus text format',
    success: { 200: { type: 'string' } },
    text: true,
    codes: [],
  },
  openapi: {
    method: 'GET',
    path: '/openapi.json',
    scope: null,
    summary: 'This description',
    success: { 200: { type: 'object', additionalProperties: true } },
    codes: [],
  },
} as const satisfies { readonly [operation: string]: Route };
