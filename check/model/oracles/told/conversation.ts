/** What the session's tape says of a conversation that is not resumed any more: whose wish that was, or whose turn has filled it. */
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
  return isOver && !(input.type === 'agent-ready' && input.conversationReset) ? causeOf(facts) : null;
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
