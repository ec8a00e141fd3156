/**
 * Why an input is stale or refused, stated a second time: the first of its tokens that is not the live one, or what is not there. The reply
 * has to say just that. Admissions, edits and moves are judged elsewhere (`durable.ts`, `edit-and-move.ts`).
 */
import type { AgentInput, Input, InputOf, RunnerInput, TurnInput } from '../../../src/core/model/inputs.ts';
import type { Refusal, Reply, StaleKind } from '../../../src/core/model/replies.ts';
import type { Session, Turn, TurnPhase } from '../../../src/core/model/session.ts';
import type { Task } from '../../../src/core/model/task.ts';
import { treeEntries, treeGet } from '../../../src/core/tree.ts';

/** Undefined: not judged here. Null: the input applies. */
type Why = StaleKind | Refusal | null | undefined;

/** What is wrong with the reason that the reply gives, or null. */
export function wrongWhy(before: Session, input: Input, reply: Reply): string | null {
  const wanted = whyNot(before, input);
  const given = reply.kind === 'stale' ? reply.what : reply.kind === 'refused' ? reply.code : null;
  return wanted === undefined || wanted === given
    ? null
    : `${input.type} is ${given === null ? 'applied' : `${reply.kind} (${given})`}, not ${wanted ?? 'applied'}`;
}

function whyNot(session: Session, input: Input): Why {
  if (session.fenced) {
    return 'fenced';
  }
  switch (input.type) {
    case 'submit':
    case 'edit':
    case 'move':
    case 'timer':
      return undefined;
    case 'cancel':
      return treeGet(session.tasks, input.task) === undefined ? 'unknown_task' : null;
    case 'evict':
      return ofEviction(session, input);
    case 'unpark':
      return session.parked === null ? 'not_parked' : null;
    case 'restart-agent':
      return session.agent.kind === 'none' ? 'agent_not_running' : null;
    case 'make-room':
      return isAtRest(session) ? null : 'agent_not_running';
    case 'respond': {
      const turn = session.hold?.turn ?? null;
      const isOpen = turn?.id === input.turn && turn.permissionRequests.includes(input.request);
      return isOpen ? null : 'no_permission_request';
    }
    case 'claim':
      return ofClaim(session, input);
    case 'call':
    case 'progress':
    case 'heartbeat':
    case 'release':
    case 'finish':
      return ofRunner(session, input);
    case 'output':
      return input.turn === null ? ofAgent(session, input) : ofTurn(session, input);
    case 'agent-ready':
    case 'agent-exited':
    case 'switched':
    case 'unsolicited':
    case 'give-way':
      return ofAgent(session, input);
    case 'turn-started':
    case 'ack':
    case 'result':
    case 'steered':
    case 'permission-requested':
    case 'permission-withdrawn':
    case 'turn-limit':
      return ofTurn(session, input);
    case 'continue':
      return session.settling.length === 0 ? 'unexpected' : null;
    case 'stop':
    case 'park':
    case 'fault':
    case 'throttle':
    case 'report':
    case 'rewound':
    case 'new-conversation':
    case 'assign-agent':
    case 'recovered':
    case 'fenced':
      return null;
  }
}

function ofEviction({ hold }: Session, { epoch }: InputOf<'evict'>): Why {
  if (epoch !== null && epoch !== hold?.epoch) {
    return 'epoch';
  }
  return hold === null ? 'nothing_held' : null;
}

function ofClaim({ tasks }: Session, input: InputOf<'claim'>): Why {
  const task = treeGet(tasks, input.task);
  if (task === undefined) {
    return 'unknown_task';
  }
  if (task.mode !== 'external') {
    return 'not_external';
  }
  return task.holder !== null && task.holder.name !== input.holder ? 'task_claimed' : null;
}

/** A holder may ask again what it is answered or waits for; one call is open at a time, and calls are numbered upwards. */
function ofHoldersCall({ holder, call, stage, verdict }: Task, asked: number): Why {
  const last = holder?.answered?.call ?? null;
  if (asked === last || asked === call?.id) {
    return null;
  }
  if (call !== null) {
    return 'turn_in_progress';
  }
  if (last !== null && asked < last) {
    return 'call_out_of_order';
  }
  if (stage === 'released') {
    return 'hold_released';
  }
  return verdict === null ? null : 'unexpected';
}

const isAtRest = ({ agent }: Session): boolean =>
  agent.kind === 'up' && agent.activity === 'boundary' && !agent.unsolicited;

function ofRunner({ tasks, hold }: Session, input: RunnerInput): Why {
  const task = treeGet(tasks, input.task);
  if (task === undefined) {
    return 'ended';
  }
  if (task.run !== input.run) {
    return 'epoch';
  }
  const isOver = task.stage === 'released' || task.verdict !== null;
  switch (input.type) {
    case 'call':
      if (task.mode === 'external') {
        return ofHoldersCall(task, input.call);
      }
      return isOver || task.call !== null ? 'unexpected' : null;
    case 'release':
      return isOver || (hold?.task === task.id && hold.turn?.interrupt?.intent === 'release') ? 'unexpected' : null;
    case 'progress':
    case 'heartbeat':
    case 'finish':
      return null;
  }
}

function ofAgent({ agent }: Session, input: AgentInput): Why {
  if (agent.kind === 'none' || agent.incarnation !== input.incarnation) {
    return 'incarnation';
  }
  switch (input.type) {
    case 'agent-ready':
      return agent.kind === 'starting' ? null : 'incarnation';
    case 'give-way':
      return agent.kind === 'up' ? null : 'agent_not_running';
    case 'agent-exited':
    case 'output':
      return null;
    case 'switched': {
      if (agent.kind !== 'up') {
        return 'incarnation';
      }
      return agent.activity === 'switching' && agent.model === input.model ? null : 'unexpected';
    }
    case 'unsolicited': {
      if (agent.kind !== 'up') {
        return 'incarnation';
      }
      return agent.unsolicited === (input.phase === 'began') ? 'unexpected' : null;
    }
  }
}

const phases: { readonly [T in TurnInput['type']]: readonly TurnPhase[] } = {
  'turn-started': ['sent'],
  output: ['sent', 'running', 'draining'],
  ack: ['draining'],
  result: ['sent', 'running', 'draining'],
  steered: ['running', 'draining'],
  'permission-requested': ['sent', 'running', 'draining'],
  'permission-withdrawn': ['sent', 'running'],
  'turn-limit': ['sent', 'running'],
};

function ofTurn(session: Session, input: TurnInput): Why {
  const { agent, hold } = session;
  if (agent.kind !== 'up' || agent.incarnation !== input.incarnation) {
    return 'incarnation';
  }
  const turn = hold?.turn ?? null;
  if (turn === null || turn.id !== input.turn) {
    return 'turn';
  }
  return phases[input.type].includes(turn.phase) && isExpected(session, turn, input) ? null : 'unexpected';
}

/** It has not been said before. */
function isExpected({ tasks, hold }: Session, turn: Turn, input: TurnInput): boolean {
  switch (input.type) {
    case 'turn-started':
    case 'output':
      return true;
    case 'ack':
      return turn.interrupt?.acked !== true || (input.noResult && turn.result === null);
    case 'result':
      return turn.result === null;
    case 'steered': {
      const part = treeGet(tasks, input.task);
      const owner = hold === null ? undefined : treeGet(tasks, hold.task);
      const isPart = owner !== undefined && part?.mergedInto === (owner.leads ?? owner.id);
      return isPart && part.stage === 'steered' && !part.delivered;
    }
    case 'permission-requested':
      // Not by the order of the tree, which is the core's.
      return !Array.from(treeEntries(turn.requested), ([name]) => name).includes(input.request);
    case 'turn-limit':
      return turn.interrupt === null;
    case 'permission-withdrawn':
      return turn.permissionRequests.includes(input.request);
  }
}
