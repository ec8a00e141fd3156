/** Who acts on a task or a session. */

import type { TaskId } from './ids.ts';
import type { TurnLimit } from './turn-limits.ts';
import type { TimerName } from './timers.ts';

/** What kinds of actors there are. */
export const actorKinds = [
  'person', // a user of the command line or the API who gave a name, and has the daemon's own token
  'token', // a caller of the API, by the name of its token
  'rule', // a webhook rule
  'task', // another task; `name` is its id
  'runner', // the task's own code runner
  'agent',
  'policy', // the permission policy of the task
  'deadline', // `name` is that of the deadline
  'limit', // a bound: of a turn (`TurnLimit`), or one that cannot be configured
  'daemon',
] as const;
type ActorKind = (typeof actorKinds)[number];

/**
 * Who did something. Only the surfaces that callers reach make `person`, `token` and `rule`, and they make nothing else. `name`
 * repeats the kind where there is only one actor of it. Nothing is decided by a name.
 */
export interface Actor {
  readonly kind: ActorKind;
  readonly name: string;
  /** Who a caller with a named token says that it is: nobody has checked that. */
  readonly claims?: string;
}

// The actors that the core itself names. Those of a caller's kind (`person`, `token`, `rule`) come in with the inputs.
export const agentActor: Actor = { kind: 'agent', name: 'agent' };
export const policyActor: Actor = { kind: 'policy', name: 'policy' };
export const runnerActor: Actor = { kind: 'runner', name: 'runner' };
/** More permission requests are open at once than a person could answer. */
export const openRequests: Actor = { kind: 'limit', name: 'open-requests' };

export const actorTask = (id: TaskId): Actor => ({ kind: 'task', name: id });
export const actorLimit = (name: TurnLimit): Actor => ({ kind: 'limit', name });
export const actorDeadline = (name: TimerName): Actor => ({ kind: 'deadline', name });
