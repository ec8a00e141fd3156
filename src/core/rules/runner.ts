/** What a live code runner may ask. It is fenced by the epoch at which it was started, through preemptions and resumptions. */
import { runnerActor } from '../model/actor.ts';
import { type Draft, endTask, getTask, putLive, putTask, setHold, taskEvent } from '../draft.ts';
import type { Epoch, TaskId } from '../model/ids.ts';
import type { InputOf } from '../model/inputs.ts';
import type { Task, Verdict } from '../model/task.ts';
import type { Reply } from '../model/replies.ts';
import { interruptTurn, onWire } from './turn.ts';

const okReply: Reply = { kind: 'ok' };

function runnersTask(d: Draft, id: TaskId, run: Epoch): Task | 'ended' | 'epoch' {
  const task = getTask(d, id);
  if (task === null) {
    return 'ended';
  }
  return task.run === run ? task : 'epoch';
}

/** Asks for a turn. While the task is preempted the asking waits with it. */
export function call(d: Draft, input: InputOf<'call'>): Reply {
  const task = runnersTask(d, input.task, input.run);
  if (typeof task === 'string') {
    return { kind: 'stale', what: task };
  }
  if (task.call !== null || task.verdict !== null) {
    return { kind: 'stale', what: 'unexpected' };
  }
  putLive(d, { ...task, call: { id: input.call, model: input.model } });
  return okReply;
}

export function progress(d: Draft, input: InputOf<'progress'>): Reply {
  const task = runnersTask(d, input.task, input.run);
  if (typeof task === 'string') {
    return { kind: 'stale', what: task };
  }
  taskEvent(d, task.id, 'progress', { data: input.data });
  return okReply;
}

/** The runner has returned or thrown. A turn that it left on the wire is interrupted first; its verdict stands. */
export function finishRunner(d: Draft, input: InputOf<'finish'>): Reply {
  const task = runnersTask(d, input.task, input.run);
  if (typeof task === 'string') {
    return { kind: 'stale', what: task };
  }
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
  endTask(d, task.id, verdict, null);
  return okReply;
}
