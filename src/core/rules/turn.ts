/** The turn of a hold, and how it is interrupted (rule 7). `turn-end.ts` says how it ends. */
import type { DeadlineName } from '../model/timers.ts';
import { invariant } from '../errors.ts';
import type { Actor } from '../model/actor.ts';
import { type Draft, mustHold, noRequests, setHold, taskEvent } from '../draft.ts';
import type { Intent, Turn, TurnPhase } from '../model/session.ts';
import type { Task } from '../model/task.ts';
import type { TurnId } from '../model/ids.ts';
import { byText, type Tree, treeOf, treePut, treeRemove } from '../tree.ts';
import type { OutputPart, ToolPart } from '../model/output.ts';

const intentRank: { readonly [I in Intent]: number } = {
  preempt: 0,
  hold: 0,
  close: 0,
  'give-way': 0,
  silence: 1,
  release: 2,
  verdict: 3,
};

/** Its prompt may have reached the agent. */
export const onWire = (turn: Turn | null): turn is Turn & { readonly phase: Exclude<TurnPhase, 'pending'> } =>
  turn !== null && turn.phase !== 'pending';

/** It may be interrupted for a task that goes first, of this session or of another one (rules 4, 17, 20). */
export const mayGiveWay = ({ lane }: Task, { interrupt, protected: isProtected }: Turn): boolean =>
  lane === 'background' && interrupt === null && !isProtected;

const noNames: Tree<string, true> = treeOf(byText);

type NewTurn = Pick<Turn, 'phase' | 'call' | 'model' | 'permissionRequests' | 'protected'>;

/** A turn that nobody interrupts and the agent has not seen. */
export const newTurn = (id: TurnId, given: NewTurn): Turn => ({
  id,
  phase: given.phase,
  call: given.call,
  model: given.model,
  permissionRequests: given.permissionRequests,
  requested: noNames,
  protected: given.protected,
  interrupt: null,
  result: null,
  tools: noNames,
  spoke: false,
  withdrawn: false,
});

/** Each field is written out, here and where else most steps go: a spread takes several times as long. */
export const inPhase = (turn: Turn, phase: TurnPhase): Turn => ({
  id: turn.id,
  phase,
  call: turn.call,
  model: turn.model,
  permissionRequests: turn.permissionRequests,
  requested: turn.requested,
  protected: turn.protected,
  interrupt: turn.interrupt,
  result: turn.result,
  tools: turn.tools,
  spoke: turn.spoke,
  withdrawn: turn.withdrawn,
});

/** What the agent says of itself proves nothing of its model; the words and deeds of that do. */
export function noteOutput(d: Draft, turn: Turn, part: OutputPart): void {
  const speaks = part.kind === 'text' || part.kind === 'thinking' || part.kind === 'tool';
  const spoken = speaks && !turn.spoke ? { ...turn, spoke: true } : turn;
  if (part.kind === 'tool') {
    noteTool(d, spoken, part);
  } else if (spoken !== turn) {
    setTurn(d, spoken);
  }
}

/** A tool of the turn has begun or ended. */
function noteTool(d: Draft, turn: Turn, { id, name, status }: ToolPart): void {
  const use = id ?? name;
  // Behind an interrupt agents call a tool that they have cut off failed, or completed.
  const isOver = status !== 'started' && turn.phase !== 'draining';
  const tools = isOver ? treeRemove(turn.tools, use) : treePut(turn.tools, use, true);
  setTurn(d, { ...turn, tools });
}

/** A tool call of the turn may or may not have happened. */
export const isInTool = ({ tools }: Turn): boolean => tools.root !== null;

export function setTurn(d: Draft, turn: Turn | null): void {
  const hold = mustHold(d);
  setHold(d, { task: hold.task, epoch: hold.epoch, turn });
}

/**
 * Interrupts the turn on the wire. Before the agent's own "started" the interrupt is latched to this turn; a second reason
 * for a turn that is already being interrupted only outranks the first: one interrupt goes on the wire (rule 7).
 */
export function interruptTurn(d: Draft, turn: Turn, intent: Intent, by: Actor | null): void {
  const hold = mustHold(d);
  const { interrupt } = turn;
  if (interrupt !== null) {
    if (intentRank[intent] > intentRank[interrupt.intent]) {
      setTurn(d, { ...turn, interrupt: { ...interrupt, intent, by } });
      taskEvent(d, hold.task, 'interrupt-requested', { turn: turn.id, why: intent, by, sent: false });
    }
    return;
  }
  const latched = turn.phase === 'sent';
  withdrawRequests(d, turn, by);
  setTurn(d, {
    ...turn,
    interrupt: { intent, by, resent: false, acked: false, rollsBack: false },
    phase: latched ? 'sent' : 'draining',
    permissionRequests: noRequests,
  });
  taskEvent(d, hold.task, 'interrupt-requested', { turn: turn.id, why: intent, by, sent: !latched });
  if (latched) {
    // With an interrupt the driver answers them by itself; this one is not written yet, and the agent may wait for the answer.
    denyRequests(d, turn);
  } else {
    writeInterrupt(d, turn, false);
  }
}

/** Nobody has to answer what the turn asks for any more. `by`: who interrupted it; null: it has ended. */
export function withdrawRequests(d: Draft, turn: Turn, by: Actor | null): void {
  const hold = mustHold(d);
  for (const request of turn.permissionRequests) {
    taskEvent(d, hold.task, 'permission-resolved', { turn: turn.id, request, decision: 'withdrawn', by, note: null });
  }
}

function denyRequests(d: Draft, turn: Turn): void {
  const agent = d.s.agent;
  invariant(agent.kind === 'up', 'an answer goes to a running agent');
  for (const request of turn.permissionRequests) {
    d.effects.push({
      type: 'respond',
      incarnation: agent.incarnation,
      turn: turn.id,
      request,
      allow: false,
      note: null,
    });
  }
}

/** At the next `drain` deadline the interrupt is written a second time; else the agent is given up then (rule 9). */
export const isInterruptRepeated = ({ phase, result, interrupt }: Turn): boolean =>
  phase === 'draining' && result === null && interrupt?.resent === false;

export function writeInterrupt(d: Draft, turn: Turn, resend: boolean): void {
  const agent = d.s.agent;
  invariant(agent.kind === 'up', 'an interrupt goes to a running agent');
  d.effects.push({ type: 'interrupt', incarnation: agent.incarnation, turn: turn.id, resend });
}

/** A deadline that ends a wait of the owner, or for it. */
export function deadlineReached(d: Draft, name: DeadlineName): void {
  const hold = mustHold(d);
  taskEvent(d, hold.task, 'deadline-reached', { name, turn: hold.turn?.id ?? null, epoch: hold.epoch });
}
