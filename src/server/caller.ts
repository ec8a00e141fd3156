/** The actor behind a request: what its token says, and what it says of itself. */
import type { Actor } from '../core/model/actor.ts';
import { type Caller, isDaemonToken } from './tokens.ts';

/** Who has the daemon's own token is believed; what another caller says of itself is only shown. */
export function actorOf(caller: Caller, name: string | null | undefined): Actor {
  const says = name === undefined || name === null || name === '' ? null : name;
  if (isDaemonToken(caller) && says !== null) {
    return { kind: 'person', name: says };
  }
  return { kind: 'token', name: caller.name, ...(says === null || isDaemonToken(caller) ? {} : { claims: says }) };
}
