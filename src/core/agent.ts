/** What the agent's driver reports, and the deadlines that guard against an agent that reports nothing (rules 7 to 10, 18). */
import { type Draft, getTask, leaveCarrier, mustTask, putTask, sessionEvent, taskEvent } from './draft.ts';
import type { InputOf } from './inputs.ts';
import { atRest } from './arrange.ts';
import { limitReached } from './commands.ts';
import type { Turn, TurnResult } from './model.ts';
import type { Reply, StaleKind } from './outputs.ts';
import { TURN_CELLS, turnSituation, type TurnInput } from './table.ts';
import { treeFirst } from './tree.ts';
import { disarmAgent, endTurn, interruptTurn, killAgent, loseTurn, onWire, setTurn, writeInterrupt } from './turn.ts';

const OK: Reply = { kind: 'ok' };
const stale = (what: StaleKind): Reply => ({ kind: 'stale', what });

export function agentReady(d: Draft, input: InputOf<'agent-ready'>): Reply {
  const agent = d.s.agent;
  if (agent.kind !== 'starting' || agent.inc !== input.inc) {
    return stale('incarnation');
  }
  d.s.agent = { kind: 'up', inc: agent.inc, at: 'boundary', unsolicited: false, caps: input.caps, lost: input.lost };
  d.effects.push({ type: 'disarm', timer: 'start', of: agent.inc });
  if (input.lost) {
    sessionEvent(d, 'conversation-lost', { conversation: d.s.conversation });
  }
  if (input.conversation !== null || input.lost) {
    d.s.conversation = input.conversation;
  }
  sessionEvent(d, 'agent-ready', { incarnation: agent.inc, conversation: d.s.conversation, caps: input.caps });
  return OK;
}

export function agentExited(d: Draft, input: InputOf<'agent-exited'>): Reply {
  const agent = d.s.agent;
  if (agent.kind === 'none' || agent.inc !== input.inc) {
    return stale('incarnation');
  }
  d.s.agent = { kind: 'none' };
  disarmAgent(d, agent);
  sessionEvent(d, 'agent-exited', { incarnation: agent.inc, reason: input.reason, data: input.data });
  if (onWire(d.s.hold?.turn ?? null)) {
    endTurn(d, { kind: 'lost', reason: 'agent_lost', burns: true });
  } else if (agent.kind === 'starting' || (agent.kind === 'up' && agent.unsolicited)) {
    loseStart(d, null);
  }
  return OK;
}

/**
 * The agent that the owner's turn waits for did not come to a boundary: that is an attempt, so a session cannot restart its
 * agent for ever. `deadline`: the one that ended the wait, if the agent did not leave by itself.
 */
function loseStart(d: Draft, deadline: 'start' | 'unsolicited' | null): void {
  const hold = d.s.hold;
  if (hold !== null && hold.turn?.phase === 'pending') {
    if (deadline !== null) {
      taskEvent(d, hold.task, 'deadline', { name: deadline, turn: hold.turn.id });
    }
    loseTurn(d, deadline === 'unsolicited' ? 'unsolicited_deadline' : 'agent_start_failed', false, true);
  }
}

/** The live turn that a turn-scoped event of this incarnation may speak of, or why it is stale. */
function liveTurn(d: Draft, type: TurnInput, inc: number, id: number): Turn | StaleKind {
  const agent = d.s.agent;
  if (agent.kind !== 'up' || agent.inc !== inc) {
    return 'incarnation';
  }
  const turn = d.s.hold?.turn ?? null;
  if (turn === null || turn.id !== id) {
    return 'turn';
  }
  return TURN_CELLS[turnSituation(turn)][type] === 'apply' ? turn : 'unasked';
}

export function turnStarted(d: Draft, input: InputOf<'turn-started'>): Reply {
  const turn = liveTurn(d, 'turn-started', input.inc, input.turn);
  if (typeof turn === 'string') {
    return stale(turn);
  }
  const task = d.s.hold?.task;
  if (task === undefined) {
    return stale('turn');
  }
  taskEvent(d, task, 'turn-started', { turn: turn.id });
  if (turn.intent === null) {
    setTurn(d, { ...turn, phase: 'running' });
    return OK;
  }
  // The interrupt was latched: it leaves with the confirmation (rule 5).
  setTurn(d, { ...turn, phase: 'draining' });
  writeInterrupt(d, turn, false);
  d.effects.push({ type: 'arm', timer: 'drain', of: turn.id });
  return OK;
}

export function output(d: Draft, input: InputOf<'output'>): Reply {
  if (input.turn === null) {
    const agent = d.s.agent;
    if (agent.kind === 'none' || agent.inc !== input.inc) {
      return stale('incarnation');
    }
    sessionEvent(d, 'raw', { incarnation: agent.inc, kind: input.kind, data: input.data });
    return OK;
  }
  const turn = liveTurn(d, 'output', input.inc, input.turn);
  const task = d.s.hold?.task;
  if (typeof turn === 'string' || task === undefined) {
    return stale(typeof turn === 'string' ? turn : 'turn');
  }
  taskEvent(d, task, 'output', { turn: turn.id, kind: input.kind, data: input.data });
  return OK;
}

export function ack(d: Draft, input: InputOf<'ack'>): Reply {
  const turn = liveTurn(d, 'ack', input.inc, input.turn);
  const task = d.s.hold?.task;
  if (typeof turn === 'string' || task === undefined) {
    return stale(typeof turn === 'string' ? turn : 'turn');
  }
  if (turn.acked && !(input.none && turn.result === null)) {
    return stale('unasked');
  }
  taskEvent(d, task, 'interrupt-acked', { turn: turn.id, none: input.none });
  const none: TurnResult = { outcome: 'interrupted', empty: true, data: null };
  const result = turn.result ?? (input.none ? none : null);
  setTurn(d, { ...turn, acked: true, result });
  if (result !== null) {
    boundary(d, result);
  }
  return OK;
}

export function result(d: Draft, input: InputOf<'result'>): Reply {
  const turn = liveTurn(d, 'result', input.inc, input.turn);
  if (typeof turn === 'string') {
    return stale(turn);
  }
  if (turn.result !== null) {
    return stale('unasked');
  }
  const agent = d.s.agent;
  const given = stated(turn, input.result);
  if (turn.phase === 'draining' && !turn.acked && agent.kind === 'up' && agent.caps.acks) {
    // The boundary is known when the matching ack has been read too; the drain deadline bounds the wait.
    setTurn(d, { ...turn, result: given });
    return OK;
  }
  boundary(d, given);
  return OK;
}

/** After an interrupt, an empty "completed", or one that follows the ack, is the interrupt's doing and no completion (rule 10). */
function stated(turn: Turn, given: TurnResult): TurnResult {
  const interrupted = turn.phase === 'draining' && given.outcome === 'completed' && (turn.acked || given.empty);
  return interrupted ? { outcome: 'interrupted', empty: given.empty, data: given.data } : given;
}

/** The agent has said all about the turn: it is at its boundary, and the turn is over. */
function boundary(d: Draft, given: TurnResult): void {
  const agent = d.s.agent;
  if (agent.kind === 'up') {
    d.s.agent = { ...agent, at: 'boundary' };
  }
  endTurn(d, { kind: 'result', result: given });
}

export function steered(d: Draft, input: InputOf<'steered'>): Reply {
  const turn = liveTurn(d, 'steered', input.inc, input.turn);
  if (typeof turn === 'string') {
    return stale(turn);
  }
  const rider = getTask(d, input.task);
  if (
    rider === null ||
    rider.place !== 'riding' ||
    rider.whenBusy !== 'steer' ||
    rider.taken ||
    rider.carrier !== d.s.hold?.task
  ) {
    return stale('unasked');
  }
  if (input.taken) {
    putTask(d, { ...rider, taken: true });
    taskEvent(d, rider.id, 'steered', { into: rider.carrier, turn: turn.id, taken: true });
    return OK;
  }
  const carrier = mustTask(d, rider.carrier);
  putTask(d, { ...carrier, riders: carrier.riders.filter((id) => id !== rider.id) });
  leaveCarrier(d, rider.id, 'cancelled');
  return OK;
}

export function unsolicited(d: Draft, input: InputOf<'unsolicited'>): Reply {
  const agent = d.s.agent;
  if (agent.kind !== 'up' || agent.inc !== input.inc) {
    return stale('incarnation');
  }
  const began = input.phase === 'began';
  if (agent.unsolicited === began) {
    return stale('unasked');
  }
  d.s.agent = { ...agent, unsolicited: began };
  d.effects.push({ type: began ? 'arm' : 'disarm', timer: 'unsolicited', of: agent.inc });
  sessionEvent(d, 'unsolicited', { incarnation: agent.inc, phase: input.phase, data: input.data });
  return OK;
}

export function timer(d: Draft, input: InputOf<'timer'>): Reply {
  switch (input.name) {
    case 'start':
    case 'unsolicited':
    case 'idle':
      return agentTimer(d, input.name, input.of);
    case 'drain':
    case 'silence':
    case 'protected':
      return turnTimer(d, input.name, input.of);
    case 'hold':
      return holdTimer(d, input.of);
    case 'collect': {
      const task = typeof input.of === 'string' ? getTask(d, input.of) : null;
      if (task === null || task.place !== 'collecting') {
        return stale('timer');
      }
      putTask(d, { ...task, place: 'waiting' });
      return OK;
    }
  }
}

function agentTimer(d: Draft, name: 'start' | 'unsolicited' | 'idle', of: number | string): Reply {
  const agent = d.s.agent;
  if (agent.kind === 'none' || agent.kind === 'ending' || agent.inc !== of) {
    return stale('timer');
  }
  if (name === 'start') {
    if (agent.kind !== 'starting') {
      return stale('timer');
    }
    killAgent(d, 'start_deadline');
    loseStart(d, 'start');
    return OK;
  }
  if (agent.kind !== 'up' || !(name === 'unsolicited' ? agent.unsolicited : atRest(agent))) {
    return stale('timer');
  }
  if (name === 'idle') {
    closeAgent(d, 'idle');
    return OK;
  }
  if (agent.at === 'turn') {
    // Our own turn's deadlines are in charge; ask again later.
    d.effects.push({ type: 'arm', timer: 'unsolicited', of: agent.inc });
    return OK;
  }
  killAgent(d, 'unsolicited_deadline');
  loseStart(d, 'unsolicited');
  return OK;
}

/** Lets an agent at rest leave; the next turn starts another with the conversation resumed. */
function closeAgent(d: Draft, reason: string): void {
  const agent = d.s.agent;
  if (agent.kind === 'up') {
    d.s.agent = { kind: 'ending', inc: agent.inc };
    d.effects.push({ type: 'close', inc: agent.inc });
    disarmAgent(d, agent);
    sessionEvent(d, 'agent-ending', { incarnation: agent.inc, reason });
  }
}

export function makeRoom(d: Draft): Reply {
  const agent = d.s.agent;
  if (!atRest(agent)) {
    return { kind: 'refused', code: 'agent_not_running' };
  }
  closeAgent(d, 'make_room');
  return OK;
}

function turnTimer(d: Draft, name: 'drain' | 'silence' | 'protected', of: number | string): Reply {
  const hold = d.s.hold;
  const turn = hold?.turn ?? null;
  if (hold === null || turn === null || turn.id !== of || !onWire(turn)) {
    return stale('timer');
  }
  if (name === 'protected') {
    if (!turn.protected) {
      return stale('timer');
    }
    setTurn(d, { ...turn, protected: false });
    return OK;
  }
  if (name === 'silence' ? turn.intent !== null : turn.intent === null) {
    return stale('timer');
  }
  taskEvent(d, hold.task, 'deadline', { name, turn: turn.id });
  if (name === 'drain') {
    drainReached(d, turn);
    return OK;
  }
  interruptTurn(d, turn, 'silence', null);
  return OK;
}

/** The interrupt is written a second time if the turn runs on; after that the agent is given up and ended (rule 9). */
function drainReached(d: Draft, turn: Turn): void {
  if (turn.phase === 'draining' && turn.result === null && !turn.again) {
    setTurn(d, { ...turn, again: true });
    writeInterrupt(d, turn, true);
    d.effects.push({ type: 'arm', timer: 'drain', of: turn.id });
    return;
  }
  killAgent(d, 'drain_deadline');
  endTurn(d, { kind: 'lost', reason: 'drain_deadline', burns: false });
}

function holdTimer(d: Draft, of: number | string): Reply {
  const hold = d.s.hold;
  if (hold === null || hold.epoch !== of || !hold.limited) {
    return stale('timer');
  }
  d.s.hold = { task: hold.task, epoch: hold.epoch, turn: hold.turn, limited: false };
  if (treeFirst(d.s.queue) !== null && d.s.parked === null) {
    limitReached(d);
  }
  return OK;
}
