/** The daemons that share one store. */
import type { Schema, Wire } from './schema.ts';

export const NodeNameSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 100,
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
} as const satisfies Schema;

export const NodeLabelsSchema = {
  type: 'array',
  maxItems: 50,
  items: { type: 'string', maxLength: 63, pattern: '^[A-Za-z0-9][A-Za-z0-9._:/=-]*$' },
} as const satisfies Schema;

export const NodeSchema = {
  type: 'object',
  additionalProperties: false,
  required: [
    'name',
    'state',
    'local',
    'host',
    'pid',
    'version',
    'address',
    'sessions',
    'agents',
    'maxAgents',
    'waiting',
    'labels',
    'ttlMs',
  ],
  properties: {
    name: { type: 'string' },
    state: {
      type: 'string',
      enum: ['up', 'draining'],
      description: '`draining`: it takes no sessions, and hands its own over.',
    },
    local: { type: 'boolean', description: 'It is the one that answers.' },
    host: { type: 'string' },
    pid: { type: 'integer', description: 'The process that takes its signals.' },
    version: { type: 'string' },
    address: { type: ['string', 'null'], description: 'URL of its API, as it sees it itself.' },
    sessions: { type: 'integer', description: 'Sessions that it owns.' },
    agents: { type: 'integer', description: 'Running agents.' },
    maxAgents: { type: 'integer' },
    waiting: { type: 'integer', description: 'Starts of agents that wait for a slot.' },
    labels: { ...NodeLabelsSchema, description: 'What sessions may need of it.' },
    ttlMs: {
      type: 'integer',
      description: 'Milliseconds without a sign of life after which others take its sessions over.',
    },
  },
} as const satisfies Schema;

export type Node = Wire<typeof NodeSchema>;

export const NodeListSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['items'],
  properties: { items: { type: 'array', items: NodeSchema } },
} as const satisfies Schema;

export type NodeList = Wire<typeof NodeListSchema>;
