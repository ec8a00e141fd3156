/** Routes of sessions: views, and requests of an operator. */
import { ConversationReceiptSchema } from '../conversations.ts';
import { CursorSchema } from '../ids.ts';
import {
  ByRequestSchema,
  EvictRequestSchema,
  ParkRequestSchema,
  SessionPageSchema,
  SessionViewSchema,
  StopReceiptSchema,
  StopRequestSchema,
} from '../sessions.ts';
import { OkSchema } from '../tasks.ts';
import { limit, type Route, sessionParams } from './route.ts';

export const sessionsRoutes = {
  listSessions: {
    method: 'GET',
    path: '/v1/sessions',
    scope: 'read',
    summary: 'List sessions',
    query: {
      type: 'object',
      additionalProperties: false,
      properties: { cursor: CursorSchema, limit: limit(50, 200) },
    },
    success: { 200: SessionPageSchema },
    codes: ['bad_cursor'],
  },
  getSession: {
    method: 'GET',
    path: '/v1/sessions/{key}',
    scope: 'read',
    summary: 'Show a session: owner, agent, queue',
    params: sessionParams,
    success: { 200: SessionViewSchema },
    codes: ['bad_id', 'unknown_session'],
  },
  stopSession: {
    method: 'POST',
    path: '/v1/sessions/{key}/stop',
    scope: 'operate',
    summary: 'Stop the running turn, the queue, or both',
    params: sessionParams,
    body: StopRequestSchema,
    success: { 200: StopReceiptSchema },
    codes: ['bad_id', 'unknown_session'],
  },
  evictSession: {
    method: 'POST',
    path: '/v1/sessions/{key}/evict',
    scope: 'operate',
    summary: 'End the hold without the help of its owner',
    params: sessionParams,
    body: EvictRequestSchema,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_session', 'nothing_held', 'stale_epoch'],
  },
  parkSession: {
    method: 'POST',
    path: '/v1/sessions/{key}/park',
    scope: 'operate',
    summary: 'Grant and send nothing until it is unparked',
    params: sessionParams,
    body: ParkRequestSchema,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_session'],
  },
  unparkSession: {
    method: 'POST',
    path: '/v1/sessions/{key}/unpark',
    scope: 'operate',
    summary: 'Unpark a session',
    params: sessionParams,
    body: ByRequestSchema,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_session', 'not_parked'],
  },
  restartAgent: {
    method: 'POST',
    path: '/v1/sessions/{key}/restart-agent',
    scope: 'operate',
    summary: 'Restart the agent and resume its conversation',
    params: sessionParams,
    body: ByRequestSchema,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_session', 'agent_not_running'],
  },
  newConversation: {
    method: 'POST',
    path: '/v1/sessions/{key}/conversation',
    scope: 'operate',
    summary: 'Begin a fresh conversation with the next prompt',
    params: sessionParams,
    body: ByRequestSchema,
    success: { 200: ConversationReceiptSchema },
    codes: ['bad_id', 'unknown_session'],
  },
} as const satisfies { readonly [operation: string]: Route };
