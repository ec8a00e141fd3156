/** What a live code runner may ask, also while its task is preempted. */
import { runnerActor } from '../model/actor.ts';
import { type Draft, endTask, putLive, putTask, setHold, taskEvent } from '../draft.ts';
import type { InputOf } from '../model/inputs.ts';
import type { Task, Verdict } from '../model/task.ts';
import type { Reply } from '../model/replies.ts';
import { interruptTurn, onWire } from './turn.ts';
import { releaseHold } from './turn-end.ts';

const okReply: Reply = { kind: 'ok' };

/** Asks for a turn. While the task is preempted the asking waits with it. */
export function call(d: Draft, task: Task, input: InputOf<'call'>): Reply {
  if (task.call !== null || task.verdict !== null || task.stage === 'released') {
    return { kind: 'stale', what: 'unexpected' };
  }
  putLive(d, { ...task, call: { id: input.call, model: input.model } });
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
    const left = putLive(d, { ...task, run: null, call: null });
    if (left.verdict === null) {
      putTask(d, { ...left, verdict });
    }
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
