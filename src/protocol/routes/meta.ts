/** Routes of the server itself. */
import type { Schema } from '../schema.ts';
import type { Route } from './route.ts';

/** Of a store on a server. */
const StoreHealthSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['latencyMs', 'feedLagMs', 'durable'],
  properties: {
    latencyMs: { type: 'number', minimum: 0, description: 'Time of the last look at the database.' },
    feedLagMs: {
      type: 'number',
      minimum: 0,
      description: 'Events that are older are in the feed of all sessions, which waits for each open transaction.',
    },
    durable: { type: 'boolean', description: 'Whether a confirmed commit survives a crash of the server.' },
  },
} as const satisfies Schema;

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
        properties: { status: { type: 'string', const: 'ready' }, store: StoreHealthSchema },
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
