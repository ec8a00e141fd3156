/** What the deadlines do that guard against an agent that reports nothing, and against an owner that others wait for (rules 9, 18). */
import { actorDeadline } from '../model/actor.ts';
import { type Draft, mustHold, mustTask, putLive, putTask } from '../draft.ts';
import { invariant } from '../errors.ts';
import type { TaskId } from '../model/ids.ts';
import type { InputOf } from '../model/inputs.ts';
import type { Turn } from '../model/session.ts';
import type { Reply } from '../model/replies.ts';
import { denyOpenRequests } from './permission.ts';
import { becomeDue, hadItsTurn } from './fairness.ts';
import { lapse } from './holder.ts';
import { loseStart } from './agent.ts';
import { deadlineReached, interruptTurn, isInterruptRepeated, onWire, setTurn, writeInterrupt } from './turn.ts';
import { closeAgent, killAgent } from './agent-end.ts';
import { endOrInterrupt, endTurn, giveWay } from './turn-end.ts';

export function timer(d: Draft, { name, subject }: InputOf<'timer'>): Reply {
  switch (name) {
    case 'start':
      killAgent(d, 'start_deadline');
      loseStart(d, name);
      break;
    case 'switch':
      if (d.s.hold?.turn?.phase === 'pending') {
        deadlineReached(d, name);
      }
      killAgent(d, 'switch_deadline');
      break;
    case 'unsolicited':
      killAgent(d, 'unsolicited_deadline');
      loseStart(d, name);
      break;
    case 'idle':
      closeAgent(d, 'idle');
      break;
    case 'drain':
      deadlineReached(d, name);
      drainReached(d, wireTurn(d));
      break;
    case 'silence':
      deadlineReached(d, name);
      interruptTurn(d, wireTurn(d), 'silence', actorDeadline(name));
      break;
    case 'permission':
      deadlineReached(d, name);
      denyOpenRequests(d, wireTurn(d));
      break;
    case 'protected':
      setTurn(d, { ...wireTurn(d), protected: false });
      hadItsTurn(d, mustHold(d).task);
      break;
    case 'hold':
      limitReached(d);
      break;
    case 'wait':
      becomeDue(d);
      break;
    case 'collect':
      putTask(d, { ...mustTask(d, subject as TaskId), stage: 'waiting' });
      break;
    case 'lease':
      lapse(d, mustTask(d, subject as TaskId));
      break;
    case 'expiry':
      putLive(d, { ...mustTask(d, subject as TaskId), overdue: true });
      break;
  }
  return { kind: 'ok' };
}

function wireTurn(d: Draft): Turn {
  const { turn } = mustHold(d);
  invariant(onWire(turn), 'the deadline of a turn is armed while that is on the wire');
  return turn;
}

/** The interrupt is written a second time if the turn runs on; after that the agent is given up and ended (rule 9). */
function drainReached(d: Draft, turn: Turn): void {
  const { interrupt } = turn;
  if (interrupt !== null && isInterruptRepeated(turn)) {
    setTurn(d, { ...turn, interrupt: { ...interrupt, resent: true } });
    writeInterrupt(d, turn, true);
    return;
  }
  killAgent(d, 'drain_deadline');
  endTurn(d, { kind: 'lost', reason: 'drain_deadline' });
}

/** A task has waited too long for this owner. A background owner gives way and takes its turn again; an interactive one ends. */
function limitReached(d: Draft): void {
  deadlineReached(d, 'hold');
  const by = actorDeadline('hold');
  const { task: id, turn } = mustHold(d);
  const task = mustTask(d, id);
  if (task.lane === 'interactive') {
    const scope = onWire(turn) ? 'turn' : 'task';
    endOrInterrupt(d, task, { status: 'failed', reason: 'hold_limit', by, result: null, scope });
  } else if (onWire(turn)) {
    interruptTurn(d, turn, 'hold', by);
  } else {
    giveWay(d, by);
  }
}
