/** Routes of hang reports. */
import { HangListSchema, HangReportSchema } from '../hangs.ts';
import type { Route } from './route.ts';

export const hangsRoutes = {
  listHangs: {
    method: 'GET',
    path: '/v1/hangs',
    scope: 'read',
    summary: 'List hang reports, newest first',
    success: { 200: HangListSchema },
    codes: [],
  },
  getHang: {
    method: 'GET',
    path: '/v1/hangs/{id}',
    scope: 'read',
    summary: 'Show a hang report: stack, threads, and what waits',
    params: {
      type: 'object',
      additionalProperties: false,
      required: ['id'],
      properties: { id: { type: 'string', minLength: 1, maxLength: 100 } },
    },
    success: { 200: HangReportSchema },
    codes: ['bad_id', 'unknown_hang'],
  },
  takeHang: {
    method: 'POST',
    path: '/v1/hangs',
    scope: 'operate',
    summary: 'Take a hang report now, even if nothing hangs',
    description:
      'A daemon whose main loop is blocked does not answer this route; `signalbox doctor --live` asks its launcher instead.',
    success: { 200: HangReportSchema },
    codes: ['no_watchdog'],
  },
} as const satisfies { readonly [operation: string]: Route };
