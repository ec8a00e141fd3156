/** `approve` and `deny`: which permission requests they name, and the response to each. */
import type { Client } from '../client/index.ts';
import { AppError } from '../core/errors.ts';
import type { PermissionRequest } from '../protocol/permissions.ts';
import type { Call } from './call.ts';
import type { Argument, Flag } from './command.ts';
import { whoAsks } from './operator.ts';
import { connect } from './connect.ts';
import type { Io } from './io.ts';
import { taskIdOf } from './task-id.ts';
import { oneLine } from './output/paint.ts';

/** What both take. */
export const requestArguments: readonly Argument[] = [
  { name: 'TARGET', optional: true },
  { name: 'REQUEST', optional: true },
];
export const allFlag: Flag = { name: 'all', what: 'every pending request, of TARGET where it is given' };

const line = ({ session, request, tool, title }: PermissionRequest): string =>
  `  ${oneLine(session, 60)} ${oneLine(request, 60)}  ${oneLine(`${tool}: ${title}`, 120)}`;

/** Those of a session, or of a task that the beginning of its id names; null: all. */
export async function requestsOf(
  client: Client,
  open: readonly PermissionRequest[],
  target: string | null,
): Promise<readonly PermissionRequest[]> {
  if (target === null) {
    return open;
  }
  const ofSession = open.filter(({ session }) => session === target);
  if (ofSession.length > 0) {
    return ofSession;
  }
  const id = await taskIdOf(client, target);
  return open.filter(({ task }) => task === id);
}

/**
 * The requests that the command names. Throws `no_permission_request` where there is none, and `usage` where there are
 * several: a person must not allow a request unread.
 */
function selected(
  open: readonly PermissionRequest[],
  ofTarget: readonly PermissionRequest[],
  call: Call,
): readonly PermissionRequest[] {
  const name = call.argOr('REQUEST', null);
  const exact = ofTarget.filter(({ request }) => request === name);
  const named =
    name === null ? ofTarget : exact.length > 0 ? exact : ofTarget.filter(({ request }) => request.startsWith(name));
  if (named.length === 0) {
    throw new AppError({
      code: 'no_permission_request',
      message:
        open.length === 0
          ? 'no permission request is pending'
          : `no pending permission request has this name; pending are\n${open.map(line).join('\n')}`,
    });
  }
  if (named.length > 1 && !call.on('all')) {
    throw new AppError({
      code: 'usage',
      message: `${named.length} permission requests are pending:\n${named.map(line).join('\n')}`,
      hint: 'Name one by its session and request, or add --all.',
    });
  }
  return named;
}

export async function respond(call: Call, io: Io, allow: boolean): Promise<number> {
  const client = await connect(call, io);
  const note = allow ? null : call.text('reason');
  const open = (await client.permissionRequests()).items;
  const requests = selected(open, await requestsOf(client, open, call.argOr('TARGET', null)), call);
  for (const { session, turn, request } of requests) {
    await client.respond(session, { turn, request, allow, ...(note === null ? {} : { note }), ...whoAsks(call, io) });
  }
  if (io.json) {
    io.document({ allow, items: requests });
  } else {
    const word = allow ? io.paint.good('allowed') : io.paint.warn('denied');
    for (const request of requests) {
      io.print(`${word}${line(request).slice(1)}`);
    }
  }
  return 0;
}
