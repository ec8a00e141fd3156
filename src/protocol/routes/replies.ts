/** Routes of the messages that go out. */
import { CursorSchema, SessionKeySchema } from '../ids.ts';
import { outboxStates, ReplyPageSchema, replyParams, ReplySchema, ReplyStateSchema } from '../replies.ts';
import { limit, type Route } from './route.ts';

export const repliesRoutes = {
  listReplies: {
    method: 'GET',
    path: '/v1/replies',
    scope: 'read',
    summary: 'List the messages that go out, newest first',
    query: {
      type: 'object',
      additionalProperties: false,
      properties: {
        session: SessionKeySchema,
        state: {
          type: 'array',
          items: ReplyStateSchema,
          minItems: 1,
          maxItems: outboxStates.length,
          description: 'Repeat it, or separate with commas.',
        },
        cursor: CursorSchema,
        limit: limit(50, 200),
      },
    },
    success: { 200: ReplyPageSchema },
    codes: ['bad_cursor'],
  },
  resendReply: {
    method: 'POST',
    path: '/v1/replies/{id}/resend',
    scope: 'operate',
    summary: 'Send a message again that is unclear, failed, expired or dropped',
    description: 'Its receiver may get an unclear message twice, unless it knows the second copy by its id.',
    params: replyParams,
    success: { 200: ReplySchema },
    codes: ['bad_id', 'unknown_reply', 'reply_state'],
  },
  dropReply: {
    method: 'POST',
    path: '/v1/replies/{id}/drop',
    scope: 'operate',
    summary: 'Give a message up that is due, unclear, failed or expired',
    params: replyParams,
    success: { 200: ReplySchema },
    codes: ['bad_id', 'unknown_reply', 'reply_state'],
  },
} as const satisfies { readonly [operation: string]: Route };
