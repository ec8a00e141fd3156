/**
 * What is still to be taken out of the agent's conversation (`rollback`). It is owed by the session, not by a task: whichever prompt
 * goes next carries it, until the agent has said that it read one that did.
 */
import { type Draft, mustHold, sessionEvent } from '../draft.ts';
import { invariant } from '../errors.ts';
import type { Turn, TurnResult } from '../model/session.ts';
import type { TurnId } from '../model/ids.ts';
import { setTurn } from './turn.ts';

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

/** The agent has read a prompt, and with it that the conversation is a fresh one. */
export function resetRead(d: Draft): void {
  if (d.s.conversation.reset) {
    d.s.conversation = { ...d.s.conversation, reset: false };
  }
}

/** What the prompt of the next turn carries: an agent that cannot rewind is not asked to. */
export const rewindOf = ({ agent, conversation }: Draft['s']): TurnId | null =>
  agent.kind === 'up' && agent.caps.rewind ? conversation.rewind : null;

/** The agent has read the prompt of this turn, with what it carried. */
export function promptRead(d: Draft, turn: Turn): void {
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
