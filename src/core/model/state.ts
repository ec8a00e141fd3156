/** What open tasks and their sessions do now, in one word for a person. `protocol` and the command line make their lists from these. */
import { terminalStatuses } from './task.ts';

/**
 * `waiting`: it has not run yet. `preempted`: it has run, and waits to resume. `throttled` and `parked`: its session may not run it
 * now. `merged`: its text goes with another task. `starting`: it owns the session, and its agent does not have the prompt yet.
 * `running`. `asking`: its turn waits for a person to answer a permission request. `interrupting`: its turn is being interrupted.
 */
export const openTaskStates = [
  'waiting',
  'preempted',
  'throttled',
  'parked',
  'merged',
  'starting',
  'running',
  'asking',
  'interrupting',
] as const;
export type OpenTaskState = (typeof openTaskStates)[number];
export const taskStates = [...openTaskStates, ...terminalStatuses] as const;
export type TaskState = (typeof taskStates)[number];

/** `free`: nothing is open. `waiting`: tasks wait, and none of them owns the session. The others are those of its owner. */
export const sessionStates = [
  'free',
  'waiting',
  'throttled',
  'parked',
  'starting',
  'running',
  'asking',
  'interrupting',
] as const;
export type SessionState = (typeof sessionStates)[number];
