/** Routes of holders: programs outside the daemon that claim an external task and take its turns. */
import {
  HoldEpochSchema,
  HoldFinishSchema,
  HoldProgressSchema,
  HoldReceiptSchema,
  HoldRequestSchema,
  HoldTurnReceiptSchema,
  HoldTurnRequestSchema,
} from '../holds.ts';
import { OkSchema } from '../tasks.ts';
import { type Route, taskParams } from './route.ts';

const evicted = ['bad_id', 'unknown_task', 'evicted'] as const;

export const holdsRoutes = {
  holdTask: {
    method: 'POST',
    path: '/v1/tasks/{id}/hold',
    scope: 'submit',
    summary: 'Claim an external task, and wait for the session',
    description:
      'Ask again until the state is `granted`; each request renews the lease. The same `holder` may ask again after a lost answer, and gets the same epoch.',
    params: taskParams,
    body: HoldRequestSchema,
    success: { 200: HoldReceiptSchema },
    codes: ['bad_id', 'unknown_task', 'not_external', 'task_claimed', 'task_ended', 'own_session', 'too_many_streams'],
  },
  takeTurn: {
    method: 'POST',
    path: '/v1/tasks/{id}/hold/turn',
    scope: 'submit',
    summary: 'Take a turn of the agent, and wait for its answer',
    description:
      'Ask again with the same `call` until the state is `answered`. A call is one turn, however often it is asked; its first prompt counts.',
    params: taskParams,
    body: HoldTurnRequestSchema,
    success: { 200: HoldTurnReceiptSchema },
    codes: [...evicted, 'turn_in_progress', 'call_out_of_order', 'hold_released', 'own_session', 'too_many_streams'],
  },
  reportProgress: {
    method: 'POST',
    path: '/v1/tasks/{id}/hold/progress',
    scope: 'submit',
    summary: 'Write a progress event',
    params: taskParams,
    body: HoldProgressSchema,
    success: { 200: OkSchema },
    codes: evicted,
  },
  heartbeat: {
    method: 'POST',
    path: '/v1/tasks/{id}/hold/heartbeat',
    scope: 'submit',
    summary: 'Renew the lease',
    params: taskParams,
    body: HoldEpochSchema,
    success: { 200: OkSchema },
    codes: evicted,
  },
  releaseHold: {
    method: 'POST',
    path: '/v1/tasks/{id}/hold/release',
    scope: 'submit',
    summary: 'Give the session back, and work on without it',
    description: 'The next task gets the session at once. The task stays open until its holder finishes it.',
    params: taskParams,
    body: HoldEpochSchema,
    success: { 200: OkSchema },
    codes: evicted,
  },
  finishTask: {
    method: 'POST',
    path: '/v1/tasks/{id}/hold/finish',
    scope: 'submit',
    summary: 'End the task',
    description:
      'A turn that is not over is interrupted first. The same request may be sent again after a lost answer.',
    params: taskParams,
    body: HoldFinishSchema,
    success: { 200: OkSchema },
    codes: evicted,
  },
} as const satisfies { readonly [operation: string]: Route };
