/** What the agent's driver reports (rules 7 to 10). What guards against an agent that reports nothing is in `timers.ts`. */
import type { TurnLimit } from '../model/turn-limits.ts';
import {
  deadlineReached,
  inPhase,
  interruptTurn,
  mayGiveWay,
  noteOutput,
  onWire,
  setTurn,
  writeInterrupt,
} from './turn.ts';
import { atRest, closeAgent } from './agent-end.ts';
import { endOrInterrupt, endTurn, loseTurn } from './turn-end.ts';
import { invariant } from '../errors.ts';
import { actorLimit } from '../model/actor.ts';
import { type Draft, getTask, mustHold, mustTask, putTask, sessionEvent, taskEvent } from '../draft.ts';
import type { InputOf } from '../model/inputs.ts';
import { inActivity, stalled } from './arrange.ts';
import type { Task } from '../model/task.ts';
import type { Agent, Turn, TurnResult, Up } from '../model/session.ts';
import type { Reply } from '../model/replies.ts';
import { endedUnstarted, promptRead } from './conversation.ts';
import { leaveTurn, refuseSteered, steeredTasks } from './parts.ts';
import { entryOf } from '../queue.ts';

const okReply: Reply = { kind: 'ok' };
const unexpected: Reply = { kind: 'stale', what: 'unexpected' };

type Live = Exclude<Agent, { kind: 'none' }>;
type Starting = Extract<Agent, { kind: 'starting' }>;

export function agentReady(d: Draft, agent: Starting, input: InputOf<'agent-ready'>): Reply {
  const { incarnation, model } = agent;
  d.s.agent = {
    kind: 'up',
    incarnation,
    activity: 'boundary',
    model,
    unsolicited: false,
    leavesFor: null,
    caps: input.caps,
  };
  if (input.conversationReset) {
    sessionEvent(d, 'conversation-reset', { conversation: d.s.conversation.id });
    d.s.conversation = { ...d.s.conversation, id: input.conversation, reset: 'lost', firstTurn: null, rewind: null };
  } else if (input.conversation !== null) {
    d.s.conversation = { ...d.s.conversation, id: input.conversation };
  }
  sessionEvent(d, 'agent-ready', { incarnation, conversation: d.s.conversation.id, caps: input.caps });
  return okReply;
}

export function agentExited(d: Draft, agent: Live, input: InputOf<'agent-exited'>): Reply {
  d.s.agent = { kind: 'none' };
  sessionEvent(d, 'agent-exited', { incarnation: agent.incarnation, reason: input.reason, data: input.data });
  if (onWire(d.s.hold?.turn ?? null)) {
    endTurn(d, { kind: 'lost', reason: input.loss ?? 'agent_lost' });
  } else if (agent.kind === 'starting' || (agent.kind === 'up' && agent.unsolicited)) {
    loseStart(d, null);
  }
  return okReply;
}

/**
 * The agent that the owner's turn waits for did not come to a boundary. The turn was not sent, so it is not to blame, and waits for the next
 * one. `deadline`: the one that ended the wait, if the agent did not leave by itself.
 */
export function loseStart(d: Draft, deadline: 'start' | 'unsolicited' | null): void {
  const hold = d.s.hold;
  if (hold !== null && hold.turn?.phase === 'pending') {
    if (deadline !== null) {
      deadlineReached(d, deadline);
    }
    loseTurn(d, deadline === 'unsolicited' ? 'unsolicited_deadline' : 'agent_start_failed', false);
  }
}

export function turnStarted(d: Draft, turn: Turn): Reply {
  const { task } = mustHold(d);
  taskEvent(d, task, 'turn-started', { turn: turn.id });
  promptRead(d, turn);
  if (turn.interrupt === null) {
    setTurn(d, inPhase(turn, 'running'));
    sendSteered(d, mustTask(d, task), turn);
    return okReply;
  }
  // The interrupt was latched: it leaves with the confirmation (rule 5).
  setTurn(d, inPhase(turn, 'draining'));
  writeInterrupt(d, turn, false);
  return okReply;
}

/** What was steered into a turn before the agent confirmed it is sent now; nothing is sent while the session is held back. */
function sendSteered(d: Draft, owner: Task, turn: Turn): void {
  const agent = d.s.agent;
  if (stalled(d.s) || agent.kind !== 'up') {
    leaveTurn(d, owner, {
      completed: false,
      report: null,
      loss: null,
      burns: false,
      interruptedMidTurn: false,
    });
    return;
  }
  for (const id of steeredTasks(d.s, owner)) {
    d.effects.push({ type: 'steer', incarnation: agent.incarnation, turn: turn.id, task: id });
  }
}

export function output(d: Draft, turn: Turn, { part }: InputOf<'output'>): Reply {
  taskEvent(d, mustHold(d).task, 'output', { turn: turn.id, part });
  noteOutput(d, turn, part);
  return okReply;
}

export function unexpectedOutput(d: Draft, { incarnation, part }: InputOf<'output'>): Reply {
  sessionEvent(d, 'unexpected-output', { incarnation, part });
  return okReply;
}

export function ack(d: Draft, turn: Turn, input: InputOf<'ack'>): Reply {
  const { interrupt } = turn;
  invariant(interrupt !== null, 'a turn that drains is being interrupted');
  if (interrupt.acked && !(input.noResult && turn.result === null)) {
    return unexpected;
  }
  taskEvent(d, mustHold(d).task, 'interrupt-acked', { turn: turn.id, noResult: input.noResult });
  const none: TurnResult = { outcome: 'interrupted', empty: true, report: null };
  const result = turn.result ?? (input.noResult ? none : null);
  setTurn(d, { ...turn, interrupt: { ...interrupt, acked: true }, result });
  if (result !== null) {
    boundary(d, result);
  }
  return okReply;
}

export function result(d: Draft, turn: Turn, input: InputOf<'result'>): Reply {
  if (turn.result !== null) {
    return unexpected;
  }
  const agent = d.s.agent;
  const given = stated(turn, input.result);
  if (turn.phase === 'draining' && !isAcked(turn) && agent.kind === 'up' && agent.caps.acks) {
    // The boundary is known when the matching ack has been read too; the drain deadline bounds the wait.
    setTurn(d, { ...turn, result: given });
    return okReply;
  }
  boundary(d, given);
  return okReply;
}

const isAcked = ({ interrupt }: Turn): boolean => interrupt !== null && interrupt.acked;

/** After an interrupt, an empty "completed", or one that follows the ack, is the interrupt's doing and no completion (rule 10). */
function stated(turn: Turn, given: TurnResult): TurnResult {
  const interrupted = turn.phase === 'draining' && given.outcome === 'completed' && (isAcked(turn) || given.empty);
  return interrupted ? { ...given, outcome: 'interrupted' } : given;
}

/** The agent has said all about the turn: it is at its boundary, and the turn is over. */
function boundary(d: Draft, given: TurnResult): void {
  const agent = d.s.agent;
  if (agent.kind === 'up') {
    d.s.agent = inActivity(agent, 'boundary', agent.model);
  }
  const turn = d.s.hold?.turn;
  if (turn?.phase === 'sent') {
    endedUnstarted(d, turn, given);
  }
  endTurn(d, { kind: 'result', result: given });
}

const limitReasons: { readonly [L in TurnLimit]: string } = {
  output: 'turn_output_limit',
  tools: 'turn_tool_limit',
  tokens: 'turn_token_limit',
  time: 'turn_time_limit',
};

/** The turn is interrupted and ends its task, whether anything waits or not. One that is being interrupted already has its deadline. */
export function turnLimit(d: Draft, turn: Turn, { limit, bound }: InputOf<'turn-limit'>): Reply {
  if (turn.interrupt !== null) {
    return unexpected;
  }
  const task = mustTask(d, mustHold(d).task);
  taskEvent(d, task.id, 'limit-reached', { turn: turn.id, limit, bound });
  const by = actorLimit(limit);
  endOrInterrupt(d, task, { status: 'failed', reason: limitReasons[limit], by, result: null, scope: 'turn' });
  return okReply;
}

export function steered(d: Draft, turn: Turn, input: InputOf<'steered'>): Reply {
  const part = getTask(d, input.task);
  const owner = mustTask(d, mustHold(d).task);
  if (part === null || part.stage !== 'steered' || part.delivered || part.mergedInto !== entryOf(owner)) {
    return unexpected;
  }
  if (input.taken) {
    putTask(d, { ...part, delivered: true, status: 'running', attempts: part.attempts + 1 });
    taskEvent(d, part.id, 'steered', { into: owner.id, turn: turn.id, delivered: true });
  } else {
    refuseSteered(d, part, owner);
  }
  return okReply;
}

export function unsolicited(d: Draft, agent: Up, input: InputOf<'unsolicited'>): Reply {
  const began = input.phase === 'began';
  if (agent.unsolicited === began) {
    return unexpected;
  }
  d.s.agent = { ...agent, unsolicited: began };
  sessionEvent(d, 'unsolicited-turn', { incarnation: agent.incarnation, phase: input.phase, data: input.data });
  return okReply;
}

/** The model was changed, or the agent would not: then it is closed, and another is started with that model. No attempt is burnt. */
export function switched(d: Draft, agent: Up, input: InputOf<'switched'>): Reply {
  if (agent.activity !== 'switching' || agent.model !== input.model) {
    return unexpected;
  }
  sessionEvent(d, 'model-switched', { incarnation: agent.incarnation, model: input.model, ok: input.ok });
  if (!input.ok) {
    closeAgent(d, 'model_switch');
    return okReply;
  }
  d.s.agent = inActivity(agent, 'boundary', agent.model);
  return okReply;
}

/**
 * Rule 20: between sessions the same order holds as within one. Only a background turn that may be preempted is interrupted, if it is still the
 * one that is meant; in any case the agent leaves at the end of the turn that it has.
 */
export function leaveFor(d: Draft, agent: Up, { interrupts, by }: InputOf<'give-way'>): Reply {
  d.s.agent = { ...agent, leavesFor: by };
  const turn = d.s.hold?.turn ?? null;
  if (onWire(turn) && turn.id === interrupts && mayGiveWay(mustTask(d, mustHold(d).task), turn)) {
    interruptTurn(d, turn, 'give-way', by);
  }
  return okReply;
}

export function makeRoom(d: Draft): Reply {
  const agent = d.s.agent;
  if (!atRest(agent)) {
    return { kind: 'refused', code: 'agent_not_running' };
  }
  closeAgent(d, 'make_room');
  return okReply;
}
