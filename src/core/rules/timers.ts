/** The deadlines that guard against an agent that reports nothing, and against an owner that others wait for (rules 9 and 18). */
import { actorDeadline } from '../model/actor.ts';
import { type Draft, getTask, mustHold, mustTask, putTask, taskEvent } from '../draft.ts';
import type { InputOf } from '../model/inputs.ts';
import { atRest, firstWaiter } from './arrange.ts';
import type { Agent, Turn } from '../model/session.ts';
import type { Reply, StaleKind } from '../model/replies.ts';
import { denyOpenRequests } from './permission.ts';
import { fairWaiter, hadItsTurn } from './fairness.ts';
import { loseStart } from './agent.ts';
import { deadlineReached, interruptTurn, onWire, quietTimer, setTurn, writeInterrupt } from './turn.ts';
import { closeAgent, killAgent } from './agent-end.ts';
import { endOrInterrupt, endTurn } from './turn-end.ts';

const okReply: Reply = { kind: 'ok' };
const stale = (what: StaleKind): Reply => ({ kind: 'stale', what });

export function timer(d: Draft, input: InputOf<'timer'>): Reply {
  switch (input.name) {
    case 'start':
    case 'switch':
    case 'unsolicited':
    case 'idle':
      return agentTimer(d, input.name, input.subject);
    case 'drain':
    case 'silence':
    case 'permission':
    case 'protected':
      return turnTimer(d, input.name, input.subject);
    case 'hold':
      return holdTimer(d, input.subject);
    case 'wait':
      return waitTimer(d, input.subject);
    case 'collect': {
      const task = typeof input.subject === 'string' ? getTask(d, input.subject) : null;
      if (task === null || task.stage !== 'collecting') {
        return stale('timer');
      }
      putTask(d, { ...task, stage: 'waiting' });
      return okReply;
    }
  }
}

function agentTimer(d: Draft, name: 'start' | 'switch' | 'unsolicited' | 'idle', subject: number | string): Reply {
  const agent = d.s.agent;
  if (agent.kind === 'none' || agent.kind === 'ending' || agent.incarnation !== subject) {
    return stale('timer');
  }
  if (name === 'start') {
    if (agent.kind !== 'starting') {
      return stale('timer');
    }
    killAgent(d, 'start_deadline');
    loseStart(d, 'start');
    return okReply;
  }
  if (agent.kind !== 'up' || !guards(name, agent)) {
    return stale('timer');
  }
  if (name === 'switch') {
    const hold = d.s.hold;
    if (hold !== null && hold.turn?.phase === 'pending') {
      deadlineReached(d, hold, name);
    }
    killAgent(d, 'switch_deadline');
    return okReply;
  }
  if (name === 'idle') {
    closeAgent(d, 'idle');
    return okReply;
  }
  if (agent.activity === 'turn') {
    // Our own turn's deadlines are in charge; ask again later.
    d.effects.push({ type: 'arm', timer: 'unsolicited', subject: agent.incarnation });
    return okReply;
  }
  killAgent(d, 'unsolicited_deadline');
  loseStart(d, 'unsolicited');
  return okReply;
}

function guards(name: 'switch' | 'unsolicited' | 'idle', agent: Extract<Agent, { kind: 'up' }>): boolean {
  switch (name) {
    case 'switch':
      return agent.activity === 'switching';
    case 'unsolicited':
      return agent.unsolicited;
    case 'idle':
      return atRest(agent);
  }
}

function turnTimer(d: Draft, name: 'drain' | 'silence' | 'permission' | 'protected', subject: number | string): Reply {
  const hold = d.s.hold;
  const turn = hold?.turn ?? null;
  if (hold === null || turn === null || turn.id !== subject || !onWire(turn)) {
    return stale('timer');
  }
  if (name === 'protected') {
    if (!turn.protected) {
      return stale('timer');
    }
    setTurn(d, { ...turn, protected: false });
    hadItsTurn(d, hold.task);
    return okReply;
  }
  const armed = turn.intent === null ? quietTimer(turn) : 'drain';
  if (name !== armed) {
    return stale('timer');
  }
  deadlineReached(d, hold, name);
  if (name === 'drain') {
    drainReached(d, turn);
    return okReply;
  }
  if (name === 'permission') {
    denyOpenRequests(d, turn);
    return okReply;
  }
  interruptTurn(d, turn, 'silence', actorDeadline('silence'));
  return okReply;
}

/** The interrupt is written a second time if the turn runs on; after that the agent is given up and ended (rule 9). */
function drainReached(d: Draft, turn: Turn): void {
  if (turn.phase === 'draining' && turn.result === null && !turn.interruptResent) {
    setTurn(d, { ...turn, interruptResent: true });
    writeInterrupt(d, turn, true);
    d.effects.push({ type: 'arm', timer: 'drain', subject: turn.id });
    return;
  }
  killAgent(d, 'drain_deadline');
  endTurn(d, { kind: 'lost', reason: 'drain_deadline', burns: false });
}

/** It has waited long enough, however few were granted before it. */
function waitTimer(d: Draft, subject: number | string): Reply {
  const waiter = fairWaiter(d.s);
  if (waiter === null || waiter.task !== subject) {
    return stale('timer');
  }
  d.s.passedOver = { ...waiter, times: d.s.limits.maxPassedOver };
  return okReply;
}

function holdTimer(d: Draft, subject: number | string): Reply {
  const hold = d.s.hold;
  if (hold === null || hold.epoch !== subject || !hold.limited) {
    return stale('timer');
  }
  d.s.hold = { task: hold.task, epoch: hold.epoch, turn: hold.turn, limited: false };
  if (firstWaiter(d.s) !== null) {
    limitReached(d);
  }
  return okReply;
}

/** The hold limit: a task has waited too long for this owner. */
function limitReached(d: Draft): void {
  const hold = mustHold(d);
  const task = mustTask(d, hold.task);
  taskEvent(d, task.id, 'deadline-reached', { name: 'hold', turn: hold.turn?.id ?? null, epoch: hold.epoch });
  const by = actorDeadline('hold');
  const scope = onWire(hold.turn) ? 'turn' : 'task';
  endOrInterrupt(d, mustTask(d, task.id), { status: 'failed', reason: 'hold_limit', by, result: null, scope });
}
