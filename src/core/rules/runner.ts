/** What a live runner may ask, of code or outside the daemon, also while its task is preempted. */
import { runnerActor } from '../model/actor.ts';
import { type Draft, endTask, putLive, putTask, setHold, taskEvent } from '../draft.ts';
import type { InputOf } from '../model/inputs.ts';
import type { Task, Verdict } from '../model/task.ts';
import type { Reply } from '../model/replies.ts';
import { interruptTurn, onWire } from './turn.ts';
import { releaseHold } from './turn-end.ts';

const okReply: Reply = { kind: 'ok' };

/**
 * A holder may ask the same call again, because its connection or the daemon was lost: it waits for the one turn of that call, or learns which
 * turn answered it. Null: it asks for something new.
 */
function askedBefore({ holder, call, stage }: Task, input: InputOf<'call'>): Reply | null {
  if (holder === null) {
    return null;
  }
  const { answered } = holder;
  if (answered?.call === input.call) {
    return { kind: 'answered', turn: answered.turn };
  }
  if (call !== null) {
    return call.id === input.call ? okReply : { kind: 'refused', code: 'turn_in_progress' };
  }
  if (answered !== null && input.call < answered.call) {
    return { kind: 'refused', code: 'call_out_of_order' };
  }
  return stage === 'released' ? { kind: 'refused', code: 'hold_released' } : null;
}

/** Asks for a turn. While the task is preempted the asking waits with it. */
export function call(d: Draft, task: Task, input: InputOf<'call'>): Reply {
  const before = askedBefore(task, input);
  if (before !== null) {
    return before;
  }
  if (task.call !== null || task.verdict !== null || task.stage === 'released') {
    return { kind: 'stale', what: 'unexpected' };
  }
  const asked: Task = { ...task, call: { id: input.call, model: input.model } };
  if (task.textIn === null) {
    putLive(d, asked);
  } else {
    // It has a text of its own. A holder that asks again after a restart may have another one, too.
    putTask(d, { ...asked, textIn: null });
  }
  return okReply;
}

export function progress(d: Draft, task: Task, input: InputOf<'progress'>): Reply {
  taskEvent(d, task.id, 'progress', { data: input.data });
  return okReply;
}

/**
 * The runner gives the session back, and works on without it. A turn that it left on the wire is interrupted first. The task is granted
 * again only to another runner, should this one be lost.
 */
export function release(d: Draft, task: Task): Reply {
  if (task.stage === 'released' || task.verdict !== null) {
    return { kind: 'stale', what: 'unexpected' };
  }
  const turn = task.stage === 'owner' ? (d.s.hold?.turn ?? null) : null;
  if (!onWire(turn)) {
    releaseHold(d, task);
    return okReply;
  }
  if (turn.interrupt?.intent === 'release') {
    return { kind: 'stale', what: 'unexpected' };
  }
  interruptTurn(d, turn, 'release', runnerActor);
  return okReply;
}

/** The runner has returned or thrown. A turn that it left on the wire is interrupted first; its verdict stands. */
export function finishRunner(d: Draft, task: Task, input: InputOf<'finish'>): Reply {
  const verdict: Verdict = {
    status: input.status,
    reason: input.reason,
    by: runnerActor,
    result: input.result,
    scope: 'task',
  };
  const hold = d.s.hold;
  const turn = task.stage === 'owner' && hold !== null ? hold.turn : null;
  if (onWire(turn)) {
    putTask(d, { ...task, run: null, holder: null, call: null, verdict: task.verdict ?? verdict });
    interruptTurn(d, turn, 'verdict', runnerActor);
    return okReply;
  }
  if (task.stage === 'owner') {
    setHold(d, null);
  }
  // It has returned: nobody is left to be aborted.
  putLive(d, { ...task, run: null });
  endTask(d, task.id, verdict, null);
  return okReply;
}
