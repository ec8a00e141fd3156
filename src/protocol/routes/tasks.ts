/** Routes of tasks: submit, view, change, cancel. */
import { CursorSchema, LaneSchema, SessionKeySchema, StatusSchema } from '../ids.ts';
import {
  CancelReceiptSchema,
  CancelRequestSchema,
  EditRequestSchema,
  ExplanationSchema,
  MoveRequestSchema,
  OkSchema,
  SubmitReceiptSchema,
  SubmitRequestSchema,
  TaskPageSchema,
  TaskViewSchema,
} from '../tasks.ts';
import { OpenTasksSchema } from '../open-tasks.ts';
import { limit, type Route, taskParams } from './route.ts';

export const tasksRoutes = {
  submitTask: {
    method: 'POST',
    path: '/v1/tasks',
    scope: 'submit',
    summary: 'Submit a task',
    description:
      'The answer comes after the task is durable and any interrupt for it has been written. 201: a new task. 200: an earlier submit had the same Idempotency-Key.',
    headers: {
      'idempotency-key': {
        type: 'string',
        pattern: '^[!-~]{1,200}$',
        description:
          'Unique among the tasks of one `source`. The same request with the same key returns the first task and stores nothing; another request is refused.',
      },
    },
    body: SubmitRequestSchema,
    success: { 201: SubmitReceiptSchema, 200: SubmitReceiptSchema },
    codes: [
      'bad_idempotency_key',
      'too_many_hops',
      'queue_full',
      'source_full',
      'daemon_full',
      'session_busy',
      'rollback_unsupported',
      'unknown_runner',
      'mode_conflict',
      'duplicate_task',
      'key_reused',
    ],
  },
  listTasks: {
    method: 'GET',
    path: '/v1/tasks',
    scope: 'read',
    summary: 'List tasks, newest first',
    query: {
      type: 'object',
      additionalProperties: false,
      properties: {
        session: SessionKeySchema,
        status: {
          type: 'array',
          items: StatusSchema,
          minItems: 1,
          maxItems: 5,
          description: 'Repeat it, or separate with commas.',
        },
        lane: LaneSchema,
        source: { type: 'string', minLength: 1, maxLength: 200 },
        cursor: CursorSchema,
        limit: limit(50, 200),
      },
    },
    success: { 200: TaskPageSchema },
    codes: ['bad_cursor'],
  },
  openTasks: {
    method: 'GET',
    path: '/v1/open-tasks',
    scope: 'read',
    summary: 'Count the open tasks, in all and by source, beside their limits',
    success: { 200: OpenTasksSchema },
    codes: [],
  },
  getTask: {
    method: 'GET',
    path: '/v1/tasks/{id}',
    scope: 'read',
    summary: 'Show a task',
    params: taskParams,
    success: { 200: TaskViewSchema },
    codes: ['bad_id', 'unknown_task'],
  },
  editTask: {
    method: 'PATCH',
    path: '/v1/tasks/{id}',
    scope: 'operate',
    summary: 'Change the prompt of a task whose text is not with the agent yet',
    params: taskParams,
    body: EditRequestSchema,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_task', 'text_sent', 'task_ended'],
  },
  moveTask: {
    method: 'POST',
    path: '/v1/tasks/{id}/move',
    scope: 'operate',
    summary: 'Move a task that waits: its lane, its priority, or its position',
    params: taskParams,
    body: MoveRequestSchema,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_task', 'turn_sent', 'task_merged', 'not_movable', 'task_ended'],
  },
  cancelTask: {
    method: 'POST',
    path: '/v1/tasks/{id}/cancel',
    scope: 'operate',
    summary: 'Cancel a task',
    description:
      'The answer is a receipt. `requested` means that its turn is being interrupted and `final` will follow.',
    params: taskParams,
    body: CancelRequestSchema,
    success: { 200: CancelReceiptSchema },
    codes: ['bad_id', 'unknown_task'],
  },
  explainTask: {
    method: 'GET',
    path: '/v1/tasks/{id}/explain',
    scope: 'read',
    summary: 'Explain why a task does not run now',
    params: taskParams,
    success: { 200: ExplanationSchema },
    codes: ['bad_id', 'unknown_task'],
  },
} as const satisfies { readonly [operation: string]: Route };
