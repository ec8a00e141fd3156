/** Routes of events: of one task, of one session, of all sessions. */
import { FeedPageSchema, TapePageSchema } from '../events/tape.ts';
import { feedQuery, lastEventId, limit, type Route, sessionParams, taskParams, wait } from './route.ts';

export const eventsRoutes = {
  taskEvents: {
    method: 'GET',
    path: '/v1/tasks/{id}/events',
    scope: 'read',
    summary: "Read or follow a task's tape",
    description: 'A JSON page, a long poll with `wait`, or server-sent events; a stream ends after `final`.',
    params: taskParams,
    query: {
      type: 'object',
      additionalProperties: false,
      properties: {
        after: {
          type: 'integer',
          minimum: 0,
          maximum: 9_007_199_254_740_991,
          default: 0,
          description: 'Read the events after this seq.',
        },
        limit: limit(100, 500),
        wait,
      },
    },
    headers: lastEventId,
    success: { 200: TapePageSchema },
    stream: true,
    codes: ['bad_id', 'unknown_task', 'bad_cursor', 'bad_last_event_id', 'own_session', 'too_many_streams'],
  },
  sessionEvents: {
    method: 'GET',
    path: '/v1/sessions/{key}/events',
    scope: 'read',
    summary: 'Read or follow all events of a session, its tasks included',
    params: sessionParams,
    query: feedQuery,
    headers: lastEventId,
    success: { 200: FeedPageSchema },
    stream: true,
    codes: ['bad_id', 'unknown_session', 'bad_cursor', 'bad_last_event_id', 'too_many_streams'],
  },
  allEvents: {
    method: 'GET',
    path: '/v1/events',
    scope: 'read',
    summary: 'Read or follow all events of all sessions',
    query: feedQuery,
    headers: lastEventId,
    success: { 200: FeedPageSchema },
    stream: true,
    codes: ['bad_cursor', 'bad_last_event_id', 'too_many_streams'],
  },
} as const satisfies { readonly [operation: string]: Route };
