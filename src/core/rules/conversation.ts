/**
 * What is still to be taken out of the agent's conversation (`rollback`). It is owed by the session, not by a task: whichever prompt
 * goes next carries it, until the agent has said that it read one that did.
 */
import { type Draft, mustHold, sessionEvent } from '../draft.ts';
import { invariant } from '../errors.ts';
import type { ConversationEnding, Session, Turn, TurnResult } from '../model/session.ts';
import type { TurnId } from '../model/ids.ts';
import type { InputOf } from '../model/inputs.ts';
import type { RuleReply } from '../model/replies.ts';
import { atRest, closeAgent } from './agent-end.ts';
import { onWire, setTurn } from './turn.ts';

/** The turn that is being interrupted is to be taken out. An older one that is owed takes it out too: an agent rewinds to a point. */
export function rollBack(d: Draft): void {
  const { turn } = mustHold(d);
  invariant(turn !== null && turn.interrupt !== null, 'a turn that is rolled back is interrupted');
  setTurn(d, { ...turn, interrupt: { ...turn.interrupt, rollsBack: true } });
  owe(d, d.s.conversation.rewind ?? turn.id);
}

function owe(d: Draft, rewind: TurnId | null): void {
  d.s.conversation = { ...d.s.conversation, rewind };
}

/** It knows now that the conversation is a fresh one. */
function resetRead(d: Draft): void {
  if (d.s.conversation.reset !== null) {
    d.s.conversation = { ...d.s.conversation, reset: null };
  }
}

/** It is to end. The first who wanted that is named. */
export function endLater(d: Draft, ending: ConversationEnding): void {
  if (d.s.conversation.ending === null) {
    d.s.conversation = { ...d.s.conversation, ending };
  }
}

/** No agent is in the middle of something in it: one that is not at rest says first what it has to say. */
export const isEndable = ({ agent }: Pick<Session, 'agent'>): boolean =>
  agent.kind === 'none' || agent.kind === 'ending' || atRest(agent);

/**
 * Ends the conversation that is to end, as soon as no turn of ours is in it: the agent that has it is closed, and the next one is started without it.
 * What was to be taken out of it goes with it. One in which nothing was said yet is a fresh one.
 */
export function endConversation(d: Draft): void {
  const { conversation } = d.s;
  const { ending, id } = conversation;
  if (ending === null) {
    return;
  }
  if (conversation.firstTurn === null) {
    d.s.conversation = { ...conversation, ending: null };
    return;
  }
  if (!isEndable(d.s)) {
    return;
  }
  closeAgent(d, 'fresh_conversation');
  sessionEvent(d, 'conversation-ended', { conversation: id, why: ending.why, by: ending.by });
  const reset = ending.why === 'full' ? 'full' : 'fresh';
  d.s.conversation = { id: null, reset, firstTurn: null, rewind: null, ending: null };
}

/** By command. A turn that runs is left alone, and so is an agent that has still to become ready. */
export function newConversation(d: Draft, { by }: InputOf<'new-conversation'>): RuleReply {
  const { firstTurn } = d.s.conversation;
  endLater(d, { why: 'command', by });
  endConversation(d);
  const turn = d.s.hold?.turn ?? null;
  const state = firstTurn === null ? 'unused' : d.s.conversation.ending === null ? 'ended' : 'requested';
  return { kind: 'conversation', state, turn: state === 'requested' && onWire(turn) ? turn.id : null };
}

/** What the prompt of the next turn carries: an agent that cannot rewind is not asked to. */
export const rewindOf = ({ agent, conversation }: Draft['s']): TurnId | null =>
  agent.kind === 'up' && agent.caps.rewind ? conversation.rewind : null;

/** The agent has read the prompt of this turn, with what it carried. */
export function promptRead(d: Draft, turn: Turn): void {
  resetRead(d);
  settleRewind(d, turn, rewindOf(d.s) !== null);
}

/** The turn has ended, and the agent never said that it had started. */
export function endedUnstarted(d: Draft, turn: Turn, { outcome, report }: TurnResult): void {
  if (outcome !== 'failed') {
    promptRead(d, turn);
  } else if (report?.failure?.transient !== true) {
    // It may be the rewind that failed: that must not fail every turn from now on.
    settleRewind(d, turn, false);
  }
}

function settleRewind(d: Draft, turn: Turn, ok: boolean): void {
  const from = d.s.conversation.rewind;
  if (from === null || from === turn.id) {
    return;
  }
  owe(d, turn.interrupt?.rollsBack === true ? turn.id : null);
  sessionEvent(d, 'conversation-rewound', { from, turn: turn.id, ok });
}
