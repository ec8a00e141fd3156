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
  d.s.rewind ??= turn.id;
}

/** What the prompt of the next turn carries: an agent that cannot rewind is not asked to. */
export const rewindOf = ({ agent, rewind }: Draft['s']): TurnId | null =>
  agent.kind === 'up' && agent.caps.rewind ? rewind : null;

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
  const from = d.s.rewind;
  if (from === null || from === turn.id) {
    return;
  }
  d.s.rewind = turn.interrupt?.rollsBack === true ? turn.id : null;
  sessionEvent(d, 'conversation-rewound', { from, turn: turn.id, ok });
}
