/**
 * The one pure transition function of a session. It reads no clock, makes no ids and does no I/O: the same session and
 * input give the same records and effects, in production, in the simulator and in the model checker. See SPEC.md.
 */
import {
  ack,
  agentExited,
  agentReady,
  leaveFor,
  makeRoom,
  output,
  result,
  steered,
  switched,
  turnLimit,
  turnStarted,
  unexpectedOutput,
  unsolicited,
} from './rules/agent.ts';
import { timer } from './rules/timers.ts';
import { assignAgent } from './rules/assignment.ts';
import { arrange } from './rules/arrange.ts';
import { newConversation } from './rules/conversation.ts';
import { isArmed, setDeadlines } from './rules/deadlines.ts';
import {
  cancel,
  edit,
  evict,
  move,
  park,
  report,
  restartAgent,
  rewound,
  stop,
  throttle,
  unpark,
} from './rules/commands.ts';
import { begin, type Draft, finish, getTask, mustTask } from './draft.ts';
import type { AgentInput, Input, RunnerInput, TurnInput } from './model/inputs.ts';
import type { Session } from './model/session.ts';
import type { Reply, RuleReply, StaleKind, StepResult } from './model/replies.ts';
import { claim, claimed, knowsOfGrant } from './rules/holder.ts';
import { permissionRequested, respond, permissionWithdrawn } from './rules/permission.ts';
import { fault, fenced, recovered } from './rules/recover.ts';
import { call, finishRunner, progress, release } from './rules/runner.ts';
import { submit } from './rules/submit.ts';
import { turnCells } from './rules/table.ts';

function apply(d: Draft, input: Input): RuleReply {
  switch (input.type) {
    case 'submit':
      return submit(d, input);
    case 'cancel':
      return cancel(d, input);
    case 'edit':
      return edit(d, input);
    case 'move':
      return move(d, input);
    case 'stop':
      return stop(d, input);
    case 'evict':
      return evict(d, input);
    case 'park':
      return park(d, input);
    case 'unpark':
      return unpark(d, input);
    case 'fault':
      return fault(d, input);
    case 'restart-agent':
      return restartAgent(d, input);
    case 'new-conversation':
      return newConversation(d, input);
    case 'assign-agent':
      return assignAgent(d, input);
    case 'make-room':
      return makeRoom(d);
    case 'throttle':
      return throttle(d, input);
    case 'report':
      return report(d, input);
    case 'rewound':
      return rewound(d, input);
    case 'respond':
      return respond(d, input);
    case 'claim':
      return claim(d, input);
    case 'call':
    case 'progress':
    case 'heartbeat':
    case 'release':
    case 'finish':
      return ofRunner(d, input);
    case 'output':
      return input.turn === null ? ofAgent(d, input) : ofTurn(d, input);
    case 'agent-ready':
    case 'agent-exited':
    case 'switched':
    case 'unsolicited':
    case 'give-way':
      return ofAgent(d, input);
    case 'turn-started':
    case 'ack':
    case 'result':
    case 'steered':
    case 'permission-requested':
    case 'permission-withdrawn':
    case 'turn-limit':
      return ofTurn(d, input);
    case 'timer':
      return isArmed(d, input.name, input.subject) ? timer(d, input) : stale('timer');
    case 'continue':
      return d.s.settling.length > 0 ? { kind: 'ok' } : stale('unexpected');
    case 'recovered':
      return recovered(d);
    case 'fenced':
      return fenced(d);
  }
}

/** Only the runner that was started for the task may speak, through preemptions and resumptions. */
function ofRunner(d: Draft, input: RunnerInput): RuleReply {
  const known = getTask(d, input.task);
  if (known === null) {
    return stale('ended');
  }
  if (known.run !== input.run) {
    return stale('epoch');
  }
  const task = knowsOfGrant(d, known);
  switch (input.type) {
    case 'call':
      return call(d, task, input);
    case 'progress':
      return progress(d, task, input);
    case 'heartbeat':
      return { kind: 'ok' };
    case 'release':
      return release(d, task);
    case 'finish':
      return finishRunner(d, task, input);
  }
}

/** Only the process that is the agent now may speak. One that is ending has nothing to say of its state but that it is gone. */
function ofAgent(d: Draft, input: AgentInput): RuleReply {
  const { agent } = d.s;
  if (agent.kind === 'none' || agent.incarnation !== input.incarnation) {
    return stale('incarnation');
  }
  switch (input.type) {
    case 'agent-ready':
      return agent.kind === 'starting' ? agentReady(d, agent, input) : stale('incarnation');
    case 'agent-exited':
      return agentExited(d, agent, input);
    case 'output':
      return unexpectedOutput(d, input);
    case 'switched':
      return agent.kind === 'up' ? switched(d, agent, input) : stale('incarnation');
    case 'unsolicited':
      return agent.kind === 'up' ? unsolicited(d, agent, input) : stale('incarnation');
    case 'give-way':
      return agent.kind === 'up' ? leaveFor(d, agent, input) : { kind: 'refused', code: 'agent_not_running' };
  }
}

/** The agent may speak of the turn that it has, and say what can happen in its phase. */
function ofTurn(d: Draft, input: TurnInput): RuleReply {
  const { agent, hold } = d.s;
  if (agent.kind !== 'up' || agent.incarnation !== input.incarnation) {
    return stale('incarnation');
  }
  const turn = hold?.turn ?? null;
  if (turn === null || turn.id !== input.turn) {
    return stale('turn');
  }
  if (turnCells[turn.phase][input.type] === 'stale') {
    return stale('unexpected');
  }
  switch (input.type) {
    case 'turn-started':
      return turnStarted(d, turn);
    case 'output':
      return output(d, turn, input);
    case 'ack':
      return ack(d, turn, input);
    case 'result':
      return result(d, turn, input);
    case 'steered':
      return steered(d, turn, input);
    case 'permission-requested':
      return permissionRequested(d, turn, input);
    case 'permission-withdrawn':
      return permissionWithdrawn(d, turn, input);
    case 'turn-limit':
      return turnLimit(d, turn, input);
  }
}

const stale = (what: StaleKind): Reply => ({ kind: 'stale', what });

const nothing: readonly never[] = [];
const fencedReply: Reply = stale('fenced');

const unchanged = (session: Session, reply: Reply): StepResult => ({
  session,
  records: nothing,
  effects: nothing,
  reply,
});

/** Where the admitted task stands, and what a claim has come to, after the step and not only after its rule. */
function placed(d: Draft, input: Input, reply: RuleReply): Reply {
  if (reply.kind === 'claimed' && input.type === 'claim') {
    const task = getTask(d, input.task);
    return task === null ? reply : claimed(knowsOfGrant(d, task));
  }
  if (reply.kind !== 'admitted') {
    return reply;
  }
  const { stage } = mustTask(d, reply.task);
  return { ...reply, stage };
}

/** Throws `invariant_broken` only if the core itself is wrong: the shell parks the session and keeps the daemon. */
export function step(session: Session, input: Input): StepResult {
  if (session.fenced) {
    return unchanged(session, fencedReply);
  }
  const d = begin(session, input.at);
  const reply = apply(d, input);
  if (reply.kind === 'refused' || reply.kind === 'stale') {
    return unchanged(session, reply);
  }
  if (!d.s.fenced) {
    arrange(d);
    setDeadlines(d, input.type === 'recovered');
  }
  return finish(d, placed(d, input, reply));
}
