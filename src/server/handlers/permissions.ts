/** Permission requests that wait for a person. */
import { callerOf } from '../../runtime/session/callers.ts';
import { type Handlers, okOrRefuse } from '../context.ts';

type PermissionOperation = 'listPermissionRequests' | 'respondToPermissionRequest';

export const permissionHandlers: Handlers<PermissionOperation> = {
  listPermissionRequests: async (_call, { signalbox }) => ({
    status: 200,
    body: { items: await signalbox.permissionRequests() },
  }),
  respondToPermissionRequest: async ({ params, body }, { signalbox }) =>
    okOrRefuse(await signalbox.respond(params.key, { ...body, by: callerOf(body.by) }), params.key),
};
