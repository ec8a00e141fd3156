/** The actors that the core itself names. Those of a caller's kind (`person`, `token`, `rule`) come in with the inputs. */
import type { Actor } from './events.ts';
import type { TaskId } from './ids.ts';
import type { TimerName } from './inputs.ts';

export const AGENT: Actor = { kind: 'agent', name: 'agent' };
export const POLICY: Actor = { kind: 'policy', name: 'policy' };
export const RUNNER: Actor = { kind: 'runner', name: 'runner' };
/** More permission requests are open at once than a person could answer. */
export const OPEN_REQUESTS: Actor = { kind: 'limit', name: 'open-requests' };

export const actorTask = (id: TaskId): Actor => ({ kind: 'task', name: id });
export const actorDeadline = (name: TimerName): Actor => ({ kind: 'deadline', name });
