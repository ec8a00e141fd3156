/** Whether a caller may do what a request asks for: its scopes, and the sessions that its token is for. */
import type { Route } from '../protocol/index.ts';
import { allows } from '../protocol/index.ts';
import type { Signalbox } from '../runtime/api.ts';
import { absent } from './context.ts';
import { ProblemError } from './respond.ts';
import { type Caller, isFor } from './tokens.ts';

interface Parts {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/** Of a part of a request that its schema has accepted. */
export const memberOf = (part: unknown, name: string): unknown =>
  typeof part === 'object' && part !== null ? (part as { readonly [name: string]: unknown })[name] : undefined;

const named = (part: unknown, member: string): string | null => {
  const value = memberOf(part, member);
  return typeof value === 'string' ? value : null;
};

/** Throws `forbidden`. */
export function checkScope(route: Route, caller: Caller): void {
  if (route.scope !== null && !allows(caller.scopes, route.scope)) {
    throw new ProblemError('forbidden', {
      detail: `The token ${JSON.stringify(caller.name)} has the scopes ${caller.scopes.join(', ')}; this needs ${route.scope}.`,
    });
  }
}

/**
 * Throws `forbidden` for another session than the token is for, and for what spans all sessions; `unknown_task` for a task of another session,
 * as if there were none.
 */
export async function checkSession(
  route: Route,
  { params, query, body }: Parts,
  caller: Caller,
  signalbox: Signalbox,
): Promise<void> {
  if (caller.sessions === null) {
    return;
  }
  const id = route.path.startsWith('/v1/tasks/{id}') ? named(params, 'id') : null;
  if (id !== null) {
    const task = await signalbox.task(id);
    if (task !== null && !isFor(caller, task.session)) {
      throw absent('unknown_task', id);
    }
    return;
  }
  const key = named(params, 'key') ?? named(body, 'session') ?? named(query, 'session');
  if (key === null || !isFor(caller, signalbox.sessionKey(key))) {
    const what = key === null ? 'this spans all sessions' : `not for ${JSON.stringify(key)}`;
    throw new ProblemError('forbidden', {
      detail: `The token ${JSON.stringify(caller.name)} is for the sessions ${caller.sessions.join(', ')}: ${what}.`,
    });
  }
}
