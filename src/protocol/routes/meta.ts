/** Routes of the server itself. */
import type { Route } from './route.ts';

export const metaRoutes = {
  health: {
    method: 'GET',
    path: '/healthz',
    summary: 'The process answers',
    success: {
      200: {
        type: 'object',
        additionalProperties: false,
        required: ['status'],
        properties: { status: { type: 'string', const: 'ok' } },
      },
    },
    open: true,
    codes: [],
  },
  ready: {
    method: 'GET',
    path: '/readyz',
    summary: 'Recovery is done, inputs are taken, and the database can be written',
    success: {
      200: {
        type: 'object',
        additionalProperties: false,
        required: ['status'],
        properties: { status: { type: 'string', const: 'ready' } },
      },
    },
    open: true,
    codes: ['not_ready'],
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Figures in the Prometheus text format',
    success: { 200: { type: 'string' } },
    text: true,
    codes: [],
  },
  openapi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This description',
    success: { 200: { type: 'object', additionalProperties: true } },
    open: true,
    codes: [],
  },
} as const satisfies { readonly [operation: string]: Route };
