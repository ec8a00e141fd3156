/**
 * What must follow from the facts at the end of every step: who owns the session, whose turn starts, who is interrupted,
 * (rules 2 to 6, 17). The only place that grants, starts a turn, or preempts.
 */
import { actorTask } from '../model/actor.ts';
import { type Draft, mustTask, noRequests, putTask, sessionEvent, setHold, taskEvent } from '../draft.ts';
import { invariant } from '../errors.ts';
import { epoch, incarnation, type TaskId, turnId } from '../model/ids.ts';
import type { Hold, Session, Turn, Up } from '../model/session.ts';
import type { Task } from '../model/task.ts';
import { interactiveWaits } from '../queue.ts';
import { treeFirst } from '../tree.ts';
import { applyAssignment, modelOf } from './assignment.ts';
import { atRest, closeAgent } from './agent-end.ts';
import { endOverdue } from './expiry.ts';
import { countPassedOver, dueWaiter, forgetPassedOver, isDue, timesPassedOver } from './fairness.ts';
import { inPhase, interruptTurn, mayGiveWay, newTurn, onWire, setTurn } from './turn.ts';
import { endConversation, endLater, isEndable, rewindOf } from './conversation.ts';
import { beginParts, mergedTasks, settle } from './parts.ts';
import { yieldHold } from './turn-end.ts';

export function arrange(d: Draft): void {
  leave(d);
  do {
    settle(d);
    endOverdue(d, false);
    settle(d);
    applyAssignment(d);
    endConversation(d);
    if (!stalled(d.s)) {
      settleOwner(d);
    }
    // Its time was up before, and it has to wait only now.
  } while (endOverdue(d, true));
  if (d.s.settling.length > 0) {
    d.effects.push({ type: 'continue' });
  }
  forgetPassedOver(d);
}

/** Another session gets the slot or the folder of the agent. Here, before the next prompt is sent to it. */
function leave(d: Draft): void {
  const { agent } = d.s;
  if (agent.kind === 'up' && agent.leavesFor !== null && atRest(agent)) {
    closeAgent(d, 'give_way', agent.leavesFor);
  }
}

/** Nothing is granted, sent or preempted: parked by the operator or a fault, or held back altogether. */
export const stalled = (session: Pick<Session, 'parked' | 'throttle'>): boolean =>
  session.parked !== null || session.throttle?.level === 'all';

export const inActivity = (agent: Up, activity: Up['activity'], model: string | null): Up => ({
  kind: 'up',
  incarnation: agent.incarnation,
  activity,
  model,
  unsolicited: agent.unsolicited,
  leavesFor: agent.leavesFor,
  caps: agent.caps,
});

/** Each round makes the owner yield, grants, begins a turn, or is the last: a defect in that order throws, and hangs nobody. */
function settleOwner(d: Draft): void {
  for (let round = 0; ; round += 1) {
    invariant(round < 8, 'the owner is settled in a few rounds');
    const hold = d.s.hold;
    if (hold === null) {
      const first = firstWaiter(d.s);
      if (first === null) {
        return;
      }
      grant(d, first);
      continue;
    }
    const task = mustTask(d, hold.task);
    const turn = hold.turn;
    if (onWire(turn)) {
      preemptIfDemanded(d, task, turn);
      return;
    }
    const back = isThrottled(d.s, task);
    const shielded = turn === null ? isDue(d.s, task) && wantsTurn(task) : turn.protected;
    if (task.lane === 'background' && (back || !shielded) && interactiveWaits(d.s)) {
      // Between two turns, or admitted and not sent: nothing is on the wire, so it gives way at once (rule 6). Protection is
      // for a turn that can go on; one that is held back has it again when its time comes.
      const by = treeFirst(d.s.indexes.queue)?.value;
      yieldHold(d, by === undefined ? null : actorTask(by));
      endOverdue(d, false);
      continue;
    }
    if (back || d.s.settling.length > 0) {
      return;
    }
    if (turn !== null) {
      sendTurn(d, hold, turn, task);
      return;
    }
    if (!wantsTurn(task)) {
      return;
    }
    beginTurn(d, task);
  }
}

/** Background work is throttled first; it keeps its hold until an interactive task comes. */
const isThrottled = (session: Pick<Session, 'throttle'>, task: Task): boolean =>
  session.throttle !== null && task.lane === 'background';

/** A code task between two turns has none to take until its runner asks. */
const wantsTurn = (task: Task): boolean => task.mode === 'prompt' || task.call !== null;

/** Who is granted next. A background task that is due comes before all others. */
function firstWaiter(session: Session): TaskId | null {
  const first = treeFirst(session.indexes.queue);
  if (first === null) {
    return null;
  }
  if (session.throttle !== null) {
    return first.key.rank === 0 ? first.value : null;
  }
  return dueWaiter(session) ?? first.value;
}

function grant(d: Draft, id: TaskId): void {
  const waiting = mustTask(d, id);
  const next = epoch(d.s.epoch + 1);
  const passedOver = timesPassedOver(d.s, id);
  countPassedOver(d, id);
  d.s.epoch = next;
  const first = waiting.status === 'queued';
  const starts = waiting.mode !== 'prompt' && waiting.run === null;
  invariant(waiting.mode !== 'external' || waiting.holder !== null, 'an external task is granted to its holder');
  const task = putTask(d, {
    ...waiting,
    status: 'running',
    stage: 'owner',
    attempts: first || starts ? waiting.attempts + 1 : waiting.attempts,
    run: starts ? next : waiting.run,
  });
  setHold(d, { task: id, epoch: next, turn: null });
  if (first) {
    beginParts(d, task);
    settle(d);
  }
  taskEvent(d, id, first ? 'granted' : 'resumed', { epoch: next, attempt: task.attempts, passedOver });
  if (starts) {
    d.effects.push({
      type: 'run',
      task: id,
      run: next,
      attempt: task.attempts,
      interruptedMidTurn: task.interruptedMidTurn,
    });
  }
}

function beginTurn(d: Draft, task: Task): void {
  d.s.turns = turnId(d.s.turns + 1);
  const turn = newTurn(d.s.turns, {
    phase: 'pending',
    call: task.call?.id ?? null,
    model: modelOf(d.s, task),
    permissionRequests: noRequests,
    protected: isDue(d.s, task),
  });
  setTurn(d, turn);
}

/** Starts the agent, waits for its boundary, or writes the prompt: never to an agent that is not known to be at a boundary. */
function sendTurn(d: Draft, hold: Hold, turn: Turn, task: Task): void {
  // Not before the turn can begin: it may still be cancelled, and another go on in the conversation.
  if (task.beginsFresh && d.s.conversation.firstTurn !== null && d.s.agent.kind !== 'ending' && isEndable(d.s)) {
    endLater(d, { why: 'task', by: actorTask(task.id) });
    endConversation(d);
  }
  const agent = d.s.agent;
  if (agent.kind === 'none') {
    const next = incarnation(d.s.incarnations + 1);
    d.s.incarnations = next;
    const { model } = turn;
    const agent = d.s.assigned?.agent ?? null;
    d.s.agent = { kind: 'starting', incarnation: next, model };
    if (d.s.conversation.id === null) {
      // Nothing can be resumed: what earlier agents were told, this one does not know.
      d.s.conversation = { ...d.s.conversation, firstTurn: null };
    }
    d.effects.push({ type: 'start', incarnation: next, conversation: d.s.conversation.id, agent, model });
    const named = agent === null ? {} : { agent };
    sessionEvent(d, 'agent-starting', { incarnation: next, resume: d.s.conversation.id !== null, model, ...named });
    return;
  }
  if (agent.kind !== 'up' || agent.activity !== 'boundary' || agent.unsolicited || d.s.conversation.ending !== null) {
    return;
  }
  if (agent.model !== turn.model) {
    switchModel(d, agent, turn.model);
    return;
  }
  d.s.agent = inActivity(agent, 'turn', agent.model);
  setTurn(d, inPhase(turn, 'sent'));
  const merged = mergedTasks(d.s, task);
  if (d.s.conversation.firstTurn === null) {
    d.s.conversation = { ...d.s.conversation, firstTurn: turn.id };
  }
  if (task.beginsFresh) {
    putTask(d, { ...task, beginsFresh: false });
  }
  const delivered = task.textIn === d.s.conversation.firstTurn;
  d.effects.push({
    type: 'prompt',
    incarnation: agent.incarnation,
    turn: turn.id,
    task: task.id,
    call: turn.call,
    mergedTasks: merged,
    attempt: task.attempts,
    resumed: task.started,
    interruptedMidTurn: task.interruptedMidTurn,
    delivered,
    conversationReset: d.s.conversation.reset,
    rewind: rewindOf(d.s),
  });
  taskEvent(d, task.id, 'turn-sent', {
    turn: turn.id,
    incarnation: agent.incarnation,
    epoch: hold.epoch,
    attempt: task.attempts,
    resumed: task.started,
    interruptedMidTurn: task.interruptedMidTurn,
    delivered,
    protected: turn.protected,
    mergedTasks: merged,
    model: turn.model,
  });
}

/** By protocol where the agent can, else by a restart with its conversation resumed. The turn stays pending meanwhile. */
function switchModel(d: Draft, agent: Up, model: string | null): void {
  if (!agent.caps.models) {
    closeAgent(d, 'model_switch');
    return;
  }
  d.s.agent = inActivity(agent, 'switching', model);
  d.effects.push({ type: 'switch', incarnation: agent.incarnation, model });
  sessionEvent(d, 'model-switching', { incarnation: agent.incarnation, from: agent.model, to: model });
}

function preemptIfDemanded(d: Draft, task: Task, turn: Turn): void {
  const demand = treeFirst(d.s.indexes.demand);
  if (demand !== null && mayGiveWay(task, turn)) {
    interruptTurn(d, turn, 'preempt', actorTask(demand.value));
  }
}
