/** Routes of the daemons that share the store. */
import { NodeListSchema, NodeNameSchema } from '../nodes.ts';
import { OkSchema } from '../tasks.ts';
import type { Route } from './route.ts';

const params = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: { name: NodeNameSchema },
} as const;

export const nodesRoutes = {
  listNodes: {
    method: 'GET',
    path: '/v1/nodes',
    scope: 'read',
    summary: 'List the daemons that share the store; none where it is not shared',
    success: { 200: NodeListSchema },
    codes: [],
  },
  drainNode: {
    method: 'POST',
    path: '/v1/nodes/{name}/drain',
    scope: 'operate',
    summary: 'Let a node hand its sessions over to the others and take no more',
    params,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_node'],
  },
  resumeNode: {
    method: 'POST',
    path: '/v1/nodes/{name}/resume',
    scope: 'operate',
    summary: 'Let a draining node take sessions again',
    params,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_node'],
  },
} as const satisfies { readonly [operation: string]: Route };
