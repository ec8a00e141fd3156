/** Permission requests that wait for a person. */
import { actorOf } from '../caller.ts';
import { type Handlers, okOrRefuse } from '../context.ts';

type PermissionOperation = 'listPermissionRequests' | 'respondToPermissionRequest';

export const permissionHandlers: Handlers<PermissionOperation> = {
  listPermissionRequests: async (_call, { signalbox }) => ({
    status: 200,
    body: { items: await signalbox.permissionRequests() },
  }),
  respondToPermissionRequest: async ({ params, body, caller }, { signalbox }) =>
    okOrRefuse(await signalbox.respond(params.key, { ...body, by: actorOf(caller, body.by) }), params.key),
};
