/** What to do next, for each refusal. */
import { AppError } from '../core/errors.ts';
import type { SessionKey } from '../core/ids.ts';
import type { Reply } from '../core/outputs.ts';
import type { Refused } from './api.ts';

const HINTS: { readonly [C in Refused['code']]: string } = {
  queue_full: 'The session has as many open tasks as it accepts. Wait for some to end, or cancel some.',
  session_busy: 'Nothing was stored. Send it again later, or with another whenBusy.',
  rollback_unsupported: 'The agent cannot take a turn out of its conversation. Use whenBusy "interrupt".',
  not_queued: 'Only a task that has not started can be changed. Cancel it, or send a new one.',
  not_movable: 'Name a waiting task of the same lane and priority, or move it first or last.',
  unknown_task: 'Check the id; `signalbox tasks` lists the tasks.',
  nothing_held: 'There is nothing to take away; the next task owns the session.',
  agent_not_running: 'No agent is running for the session; one is started at need.',
  not_parked: 'There is nothing to unpark; the session grants as it is.',
  nothing_asked: 'It was answered, withdrawn or never asked. `signalbox asks` lists what waits for an answer.',
  duplicate_task: 'Ids are used once; leave the id out to have one made.',
  unknown_provider: '`signalbox providers` lists them.',
  not_throttled: 'There is nothing to resume; its sessions go on as they are.',
  unknown_session: 'Check the key; `signalbox sessions` lists the sessions.',
  unknown_runner: 'Register the runner under this name, or leave `runner` out for a prompt task.',
  task_ended: 'Nothing was changed, and an ended task never does; send a new one.',
  stale_epoch: 'The session has another owner by now. Read the session again.',
  session_faulted: 'The session was stopped by a fault. Read its tape, then unpark it.',
  closing: 'The daemon is closing. Send it again when it is back.',
};

export const refused = (code: Refused['code']): Refused => ({ kind: 'refused', code, hint: HINTS[code] });

/** The refusal in an answer of the core; an answer of another kind where a refusal is the only other one is a defect. */
export function refusal(reply: Reply | Refused): Refused {
  if (reply.kind === 'refused') {
    return 'hint' in reply ? reply : refused(reply.code);
  }
  if (reply.kind === 'stale') {
    return refused(reply.what === 'epoch' ? 'stale_epoch' : 'closing');
  }
  throw new AppError({ code: 'invariant_broken', message: `an answer of kind ${reply.kind} was not expected` });
}

export const sessionMoved = (session: SessionKey): AppError =>
  new AppError({
    code: 'session_moved',
    message: `session ${session} belongs to another node now`,
    hint: 'Send it again; the owning node will answer.',
    retryable: true,
  });

export const closing = (): AppError =>
  new AppError({ code: 'closing', message: 'the daemon is closing', hint: HINTS.closing, retryable: true });
