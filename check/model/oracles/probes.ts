/**
 * Probes: in every state, inputs with a wrong, old or future token, and inputs that come twice, are stale or refused and
 * change nothing. They take the place of all late events of all past processes, turns, holds and runners.
 */
import {
  type Epoch,
  type Incarnation,
  type TaskId,
  type TurnId,
  epoch,
  incarnation,
  taskId,
  turnId,
} from '../../../src/core/model/ids.ts';
import type { Input } from '../../../src/core/model/inputs.ts';
import type { TimerName } from '../../../src/core/model/timers.ts';
import type { Session, TurnResult } from '../../../src/core/model/session.ts';
import type { StepResult } from '../../../src/core/model/replies.ts';
import { treeGet } from '../../../src/core/tree.ts';
import type { Core } from '../core.ts';
import { action } from '../moves.ts';
import { wrongWhy } from './why.ts';
import { requestName, requestsMade, type StateView } from '../world.ts';

const at = 1;
const completed: TurnResult = { outcome: 'completed', empty: false, report: { text: '' } };
const nobody = taskId('nobody');

type Try = (input: Input) => void;

/** What is wrong with the first probe that is applied, or null. */
export function probe(core: Core, world: StateView): string | null {
  const { session } = world;
  let wrong: string | null = null;
  const attempt: Try = (input) => {
    if (wrong !== null) {
      return;
    }
    const result = stepOf(core, session, input);
    if (typeof result === 'string') {
      wrong = `${said(input)} throws: ${result}`;
      return;
    }
    const { kind } = result.reply;
    if (kind !== 'stale' && kind !== 'refused') {
      wrong = `${said(input)} is applied`;
    } else if (result.session !== session || result.records.length > 0 || result.effects.length > 0) {
      wrong = `${said(input)} is ${kind} and changes something`;
    } else {
      wrong = wrongWhy(session, input, result.reply);
    }
  };
  if (session.fenced) {
    everything(world, attempt);
    return wrong;
  }
  for (const inc of wrongIncarnations(session)) {
    agentProbes(inc, session.turns, attempt, true);
  }
  const live = session.agent.kind === 'none' ? null : session.agent.incarnation;
  if (live !== null) {
    for (const turn of wrongTurns(session)) {
      agentProbes(live, turn, attempt, false);
    }
  }
  if (session.agent.kind === 'ending') {
    agentProbes(session.agent.incarnation, session.turns, attempt, false);
  }
  liveAgentProbes(session, attempt);
  turnProbes(session, attempt);
  requestProbes(world, attempt);
  holdProbes(world, attempt);
  runnerProbes(world, attempt);
  return wrong;
}

function stepOf(core: Core, session: Session, input: Input): StepResult | string {
  try {
    return core.step(session, input);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const said = (input: Input): string => JSON.stringify(input).replaceAll('"', '');

function wrongIncarnations({ agent, incarnations }: Session): Incarnation[] {
  const live = agent.kind === 'none' ? null : agent.incarnation;
  return [0, incarnations - 1, incarnations, incarnations + 1].map(incarnation).filter((inc) => inc !== live);
}

function wrongTurns({ hold, turns }: Session): TurnId[] {
  const live = hold?.turn?.id;
  return [turns - 1, turns, turns + 1].map(turnId).filter((turn) => turn !== live);
}

/** Events of a process or of a turn that is not the live one. */
function agentProbes(inc: Incarnation, turn: TurnId, attempt: Try, wrongProcess: boolean): void {
  attempt({ at, type: 'turn-started', incarnation: inc, turn });
  attempt({ at, type: 'ack', incarnation: inc, turn, noResult: false });
  attempt({ at, type: 'ack', incarnation: inc, turn, noResult: true });
  attempt({ at, type: 'result', incarnation: inc, turn, result: completed });
  attempt({ at, type: 'steered', incarnation: inc, turn, task: nobody, taken: true });
  attempt({ at, type: 'output', incarnation: inc, turn, part: { kind: 'text', text: 'probe' } });
  for (const policyDecision of ['allow', null] as const) {
    attempt({
      at,
      type: 'permission-requested',
      incarnation: inc,
      turn,
      request: 'probe',
      policyDecision,
      policyNote: null,
      action,
    });
  }
  attempt({ at, type: 'permission-withdrawn', incarnation: inc, turn, request: 'r1' });
  attempt({ at, type: 'turn-limit', incarnation: inc, turn, limit: 'output', bound: 1 });
  if (!wrongProcess) {
    return;
  }
  attempt({
    at,
    type: 'agent-ready',
    incarnation: inc,
    caps: { acks: true, steer: true, rewind: true, models: true, keepsPrompts: false },
    conversation: 'x',
    conversationReset: false,
  });
  attempt({ at, type: 'give-way', incarnation: inc, interrupts: null, by: { kind: 'task', name: 'probe' } });
  attempt({ at, type: 'agent-exited', incarnation: inc, reason: 'probe', data: null });
  attempt({ at, type: 'unsolicited', incarnation: inc, phase: 'began', data: null });
  attempt({ at, type: 'unsolicited', incarnation: inc, phase: 'ended', data: null });
  attempt({ at, type: 'switched', incarnation: inc, model: null, ok: false });
  for (const name of ['start', 'switch', 'unsolicited', 'idle'] as const) {
    attempt({ at, type: 'timer', name, subject: inc });
  }
}

/** Events of the live agent that come before their time or a second time. */
function liveAgentProbes({ agent }: Session, attempt: Try): void {
  if (agent.kind === 'up') {
    attempt({
      at,
      type: 'agent-ready',
      incarnation: agent.incarnation,
      caps: agent.caps,
      conversation: 'x',
      conversationReset: false,
    });
    const phase = agent.unsolicited ? 'began' : 'ended';
    attempt({ at, type: 'unsolicited', incarnation: agent.incarnation, phase, data: null });
    // Nobody asked for it, or for another one.
    const model = agent.activity === 'switching' ? 'probe' : agent.model;
    attempt({ at, type: 'switched', incarnation: agent.incarnation, model, ok: true });
    attempt({ at, type: 'switched', incarnation: agent.incarnation, model, ok: false });
    if (agent.activity !== 'switching') {
      attempt({ at, type: 'timer', name: 'switch', subject: agent.incarnation });
    }
  }
}

/** Events of the live turn that come before their time or a second time. */
function turnProbes(session: Session, attempt: Try): void {
  const { agent } = session;
  const turn = session.hold?.turn ?? null;
  attempt({ at, type: 'respond', turn: session.turns, request: 'probe', allow: true, by: null, note: null });
  if (turn !== null && agent.kind !== 'none') {
    const { incarnation: inc } = agent;
    if (turn.phase !== 'sent') {
      attempt({ at, type: 'turn-started', incarnation: inc, turn: turn.id });
    }
    if (turn.phase !== 'draining' || turn.interrupt?.acked === true) {
      attempt({ at, type: 'ack', incarnation: inc, turn: turn.id, noResult: false });
    }
    if (turn.result !== null) {
      attempt({ at, type: 'result', incarnation: inc, turn: turn.id, result: completed });
    }
    if (turn.phase === 'pending') {
      agentProbes(inc, turn.id, attempt, false);
    }
    if (turn.interrupt === null) {
      attempt({ at, type: 'timer', name: 'drain', subject: turn.id });
    } else {
      attempt({ at, type: 'turn-limit', incarnation: inc, turn: turn.id, limit: 'output', bound: 1 });
    }
    if (turn.interrupt !== null || turn.permissionRequests.length > 0) {
      attempt({ at, type: 'timer', name: 'silence', subject: turn.id });
    }
    if (turn.interrupt !== null || turn.permissionRequests.length === 0) {
      attempt({ at, type: 'timer', name: 'permission', subject: turn.id });
    }
    if (turn.phase !== 'pending') {
      attempt({ at, type: 'permission-withdrawn', incarnation: inc, turn: turn.id, request: 'probe' });
      for (const request of turn.permissionRequests) {
        for (const other of wrongTurns(session)) {
          attempt({ at, type: 'respond', turn: other, request, allow: true, by: null, note: null });
        }
      }
    }
    if (!turn.permissionRequests.includes('r1')) {
      attempt({ at, type: 'respond', turn: turn.id, request: 'r1', allow: true, by: null, note: null });
    }
    if (!turn.protected) {
      attempt({ at, type: 'timer', name: 'protected', subject: turn.id });
    }
  }
  for (const of of wrongTurns(session)) {
    for (const name of ['drain', 'silence', 'permission', 'protected'] as const satisfies TimerName[]) {
      attempt({ at, type: 'timer', name, subject: of });
    }
  }
}

/** A request of the live turn comes a second time, whether it is open, was decided or was withdrawn. */
function requestProbes(world: StateView, attempt: Try): void {
  const { agent, hold } = world.session;
  const turn = hold?.turn ?? null;
  if (agent.kind === 'none' || turn === null) {
    return;
  }
  for (let made = 1; made <= requestsMade(world); made += 1) {
    const again = { at, type: 'permission-requested', turn: turn.id, request: requestName(made), action } as const;
    for (const policyDecision of ['allow', null] as const) {
      attempt({ ...again, incarnation: agent.incarnation, policyDecision, policyNote: null });
    }
  }
}

function wrongEpochs(session: Session, live: Epoch | null | undefined): Epoch[] {
  const { epoch: last } = session;
  return [0, last - 1, last, last + 1].map(epoch).filter((one) => one !== live);
}

function holdProbes({ session, slots }: StateView, attempt: Try): void {
  for (const of of wrongEpochs(session, session.hold?.epoch)) {
    attempt({ at, type: 'timer', name: 'hold', subject: of });
    attempt({ at, type: 'evict', epoch: of, by: null });
  }
  attempt({ at, type: 'timer', name: 'collect', subject: nobody });
  attempt({ at, type: 'timer', name: 'expiry', subject: nobody });
  for (const task of [nobody, ...slots.filter((slot) => slot.state === 'ended').map((slot) => slot.id)]) {
    attempt({ at, type: 'cancel', task, reason: 'probe', by: null });
    attempt({ at, type: 'edit', task, title: '', payload: null, by: null });
    attempt({ at, type: 'move', task, lane: 'interactive', priority: 9, where: 'first', by: null });
    attempt({ at, type: 'timer', name: 'collect', subject: task });
    attempt({ at, type: 'claim', task, holder: 'probe', leaseMs: 1 });
    attempt({ at, type: 'timer', name: 'lease', subject: task });
    attempt({ at, type: 'call', task, run: session.epoch, call: 1, model: null });
    attempt({ at, type: 'heartbeat', task, run: session.epoch });
    attempt({ at, type: 'progress', task, run: session.epoch, data: null });
    attempt({ at, type: 'release', task, run: session.epoch });
    attempt({ at, type: 'finish', task, run: session.epoch, status: 'completed', reason: 'probe', result: null });
  }
  if (session.parked === null) {
    attempt({ at, type: 'unpark', by: null });
  }
}

function runnerProbes({ session, slots, runners }: StateView, attempt: Try): void {
  for (const slot of slots) {
    if (slot.state !== 'open') {
      continue;
    }
    const live = runners.find((runner) => runner.task === slot.id && !runner.aborted)?.run;
    for (const run of wrongEpochs(session, live)) {
      attempt({ at, type: 'call', task: slot.id, run, call: 1, model: null });
      attempt({ at, type: 'heartbeat', task: slot.id, run });
      attempt({ at, type: 'progress', task: slot.id, run, data: null });
      attempt({ at, type: 'release', task: slot.id, run });
      attempt({ at, type: 'finish', task: slot.id, run, status: 'completed', reason: 'probe', result: null });
    }
    holderProbes(session, slot.id, attempt);
    const asking = runners.find((runner) => runner.task === slot.id && runner.call !== null);
    if (asking !== undefined) {
      attempt({ at, type: 'call', task: slot.id, run: asking.run, call: 99, model: null });
    }
  }
}

/** Another program claims what is claimed or not external; calls come out of their order; the lease of a holder that is not there passes. */
function holderProbes({ tasks }: Session, id: TaskId, attempt: Try): void {
  const task = treeGet(tasks, id);
  if (task === undefined) {
    return;
  }
  const { mode, holder, run, call } = task;
  if (mode !== 'external' || holder !== null) {
    attempt({ at, type: 'claim', task: id, holder: 'probe', leaseMs: 1 });
  }
  if (holder === null) {
    attempt({ at, type: 'timer', name: 'lease', subject: id });
  } else if (run !== null && holder.answered !== null) {
    attempt({ at, type: 'call', task: id, run, call: 0, model: null });
    if (call !== null) {
      attempt({ at, type: 'call', task: id, run, call: call.id + 1, model: null });
    }
  }
}

/** A node that has lost the session decides nothing: not even what carries the right tokens. */
function everything({ session, slots }: StateView, attempt: Try): void {
  const { agent, hold } = session;
  if (agent.kind !== 'none') {
    agentProbes(agent.incarnation, hold?.turn?.id ?? session.turns, attempt, false);
    agentProbes(agent.incarnation, session.turns, attempt, true);
  }
  for (const slot of slots) {
    attempt({ at, type: 'cancel', task: slot.id, reason: 'probe', by: null });
    attempt({
      at,
      type: 'finish',
      task: slot.id,
      run: session.epoch,
      status: 'completed',
      reason: 'probe',
      result: null,
    });
  }
  attempt({ at, type: 'stop', scope: 'session', by: null });
  attempt({ at, type: 'evict', epoch: null, by: null });
  attempt({ at, type: 'park', kind: 'operator', reason: 'probe', by: null });
  attempt({ at, type: 'restart-agent', by: null });
  attempt({ at, type: 'fenced' });
  attempt({ at, type: 'recovered' });
}
