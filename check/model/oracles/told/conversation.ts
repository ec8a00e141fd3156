/** What the session's tape says of a conversation that is not resumed any more: whose wish that was, or whose turn has filled it. */
import type { Actor } from '../../../../src/core/model/actor.ts';
import type { ConversationEnding } from '../../../../src/core/model/session.ts';
import { treeGet } from '../../../../src/core/tree.ts';
import { actor, type Facts, hasFilled, taskActor } from './facts.ts';
import type { Told } from './told.ts';
import { nothing, ofSession } from './told.ts';

/** The first cause stands; null: there is none. */
function causeOf({ before, after, input, end }: Facts): ConversationEnding | null {
  if (before.conversation.ending !== null) {
    return before.conversation.ending;
  }
  if (input.type === 'new-conversation') {
    return { why: 'command', by: input.by };
  }
  if (end !== null && end.verdict === null && hasFilled(before, end.turn, end.given)) {
    return { why: 'full', by: taskActor(end.owner.id) };
  }
  const { hold } = after;
  const owner = hold === null ? undefined : treeGet(after.tasks, hold.task);
  return owner?.beginsFresh === true && hold?.turn?.phase === 'pending'
    ? { why: 'task', by: taskActor(owner.id) }
    : null;
}

/** It ended in this step. A loss that the agent reports is told otherwise. */
export function endedConversation(facts: Facts): ConversationEnding | null {
  const { before, after, input } = facts;
  const isOver = before.conversation.firstTurn !== null && after.conversation.firstTurn === null;
  const isLost = input.type === 'agent-ready' && input.conversationReset;
  return isOver && !isLost && !changesAgent(facts) ? causeOf(facts) : null;
}

/** It has another agent now, which was assigned in this step or before. */
export const changesAgent = (facts: Facts): boolean =>
  facts.input.type !== 'submit' && facts.before.assigned?.agent !== facts.after.assigned?.agent;

/** Who wanted the agent that it has from this step on. */
export const assignedBy = ({ before, input }: Facts): Actor | null =>
  input.type === 'assign-agent'
    ? input.by
    : input.type === 'submit' && before.assigning === null
      ? taskActor(input.task.id)
      : (before.assigning?.by ?? null);

export function toldOfAssignment(facts: Facts): readonly Told[] {
  const { before, after, input } = facts;
  const { assigned } = after;
  const former = before.assigned;
  const isSame = assigned?.agent === former?.agent && assigned?.model === former?.model;
  const isUsual = before.assigned === null && input.type === 'submit' && input.assign?.named !== true;
  if (assigned === null || isSame || isUsual) {
    return nothing;
  }
  const isLost = input.type === 'agent-ready' && input.conversationReset;
  const conversationLost = changesAgent(facts) && before.conversation.firstTurn !== null && !isLost;
  const from = former?.agent ?? null;
  return [ofSession('agent-assigned', { ...assigned, from, conversationLost, by: assignedBy(facts) })];
}

export function toldOfConversation(facts: Facts): readonly Told[] {
  const ending = endedConversation(facts);
  return ending === null
    ? nothing
    : [
        ofSession('conversation-ended', {
          conversation: facts.before.conversation.id,
          why: ending.why,
          by: ending.by ?? actor('person'),
        }),
      ];
}
