/** Which agent the session has, by its name in the fleet. It changes at a boundary only, and another agent does not know the conversation. */
import { type Draft, mustTask, sessionEvent } from '../draft.ts';
import { actorTask } from '../model/actor.ts';
import type { InputOf } from '../model/inputs.ts';
import type { RuleReply } from '../model/replies.ts';
import type { Assigned, Session } from '../model/session.ts';
import type { Task } from '../model/task.ts';
import { closeAgent } from './agent-end.ts';
import { isEndable } from './conversation.ts';
import { onWire, setTurn } from './turn.ts';

type Submit = InputOf<'submit'>;

const isSame = (a: Assigned | null, b: Assigned): boolean => a?.agent === b.agent && a.model === b.model;

/** The sender named another agent than the session has, or is about to have. */
export function namesAnother({ assigned, assigning }: Session, { assign }: Submit): boolean {
  const present = assigning ?? assigned;
  return assign?.named === true && present !== null && present.agent !== assign.agent;
}

/** A new session remembers the agent that its first task names, or that the configuration gives it. */
export function assignFirst(d: Draft, { assign, task }: Submit): void {
  if (assign === undefined || d.s.assigned !== null || d.s.assigning !== null) {
    return;
  }
  const { agent, model, named } = assign;
  d.s.assigned = { agent, model };
  if (named) {
    sessionEvent(d, 'agent-assigned', { agent, model, from: null, conversationLost: false, by: actorTask(task.id) });
  }
}

/** By command. A turn that runs is left alone, and so is an agent that has still to become ready. */
export function assignAgent(d: Draft, { agent, model, by }: InputOf<'assign-agent'>): RuleReply {
  const next = { agent, model };
  const loses = isLost(d.s, next);
  d.s.assigning = isSame(d.s.assigned, next) ? null : { agent, model, by };
  const changes = d.s.assigning !== null;
  applyAssignment(d);
  const isLater = d.s.assigning !== null;
  const turn = d.s.hold?.turn ?? null;
  return {
    kind: 'assigned',
    state: !changes ? 'unchanged' : isLater ? 'requested' : 'applied',
    turn: isLater && onWire(turn) ? turn.id : null,
    conversationLost: loses,
  };
}

/** Something was said in the conversation, and the other agent does not know it. */
const isLost = ({ assigned, conversation }: Session, next: Assigned): boolean =>
  assigned?.agent !== next.agent && conversation.firstTurn !== null;

/** As soon as no turn of ours is with the agent: it is closed, and the next one is started in its place. */
export function applyAssignment(d: Draft): void {
  const { assigning, assigned, conversation } = d.s;
  if (assigning === null || !isEndable(d.s)) {
    return;
  }
  const { agent, model, by } = assigning;
  const conversationLost = isLost(d.s, assigning);
  d.s.assigned = { agent, model };
  d.s.assigning = null;
  if (assigned?.agent !== agent) {
    closeAgent(d, 'agent_assigned', by);
    const reset = conversationLost ? 'agent' : conversation.reset;
    d.s.conversation = { id: null, reset, firstTurn: null, rewind: null, ending: null };
    d.s.answered = false;
  }
  const { hold } = d.s;
  if (hold !== null && hold.turn !== null && !onWire(hold.turn)) {
    setTurn(d, { ...hold.turn, model: modelOf(d.s, mustTask(d, hold.task)) });
  }
  sessionEvent(d, 'agent-assigned', { agent, model, from: assigned?.agent ?? null, conversationLost, by });
}

/** The model of the next turn of a task: that of its runner's call, its own, or that of the session; null: the agent's default. */
export const modelOf = ({ assigned }: Pick<Session, 'assigned'>, { call, model }: Task): string | null =>
  call?.model ?? model ?? assigned?.model ?? null;
