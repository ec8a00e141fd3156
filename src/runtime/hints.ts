/** What to do next, for each refusal. */
import type { Refused } from './api.ts';

const HINTS: { readonly [C in Refused['code']]: string } = {
  queue_full: 'The session has as many open tasks as it accepts. Wait for some to end, or cancel some.',
  session_busy: 'Nothing was stored. Send it again later, or with another whenBusy.',
  rollback_unsupported: 'The agent cannot take a turn out of its conversation. Use whenBusy "interrupt".',
  not_queued: 'Only a task that has not started can be changed. Cancel it, or send a new one.',
  not_movable: 'Name a waiting task of the same lane and priority, or move it first or last.',
  unknown_task: 'Check the id; `signalbox tasks` lists the tasks.',
  nothing_held: 'No task owns the session now.',
  agent_not_running: 'No agent is running for the session; one is started at need.',
  not_parked: 'The session is not parked.',
  duplicate_task: 'A task with this id is open already.',
  unknown_session: 'Check the key; `signalbox sessions` lists the sessions.',
  unknown_runner: 'Register the runner under this name, or leave `runner` out for a prompt task.',
  task_ended: 'The task has ended; nothing was changed.',
  stale_epoch: 'The session has another owner by now. Read the session again.',
  session_faulted: 'The session was stopped by a fault. Read its tape, then unpark it.',
  closing: 'The daemon is closing. Send it again when it is back.',
};

export const refused = (code: Refused['code']): Refused => ({ kind: 'refused', code, hint: HINTS[code] });
