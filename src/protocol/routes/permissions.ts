/** Routes of the permission requests that wait for a person. */
import { PermissionRequestListSchema, RespondRequestSchema } from '../permissions.ts';
import { OkSchema } from '../tasks.ts';
import { type Route, sessionParams } from './route.ts';

export const permissionsRoutes = {
  listPermissionRequests: {
    method: 'GET',
    path: '/v1/permission-requests',
    scope: 'read',
    summary: 'List the permission requests that wait for a person, oldest first',
    success: { 200: PermissionRequestListSchema },
    codes: [],
  },
  respondToPermissionRequest: {
    method: 'POST',
    path: '/v1/sessions/{key}/permission-requests/respond',
    scope: 'operate',
    summary: 'Allow or deny a permission request of the agent of a session',
    params: sessionParams,
    body: RespondRequestSchema,
    success: { 200: OkSchema },
    codes: ['bad_id', 'unknown_session', 'no_permission_request'],
  },
} as const satisfies { readonly [operation: string]: Route };
