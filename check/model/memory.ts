/**
 * What the model's agent really remembers: the turns whose prompts it has read, and has not taken out of its conversation since. It
 * outlives a process, as a resumed conversation does. What a prompt says of a rollback is judged against this, and against what was
 * asked for, not against what the session believes.
 *
 * Kept small: of the turns that nobody rolled back only the last one that was heard of matters, and the newest.
 */
import type { TurnId } from '../../src/core/model/ids.ts';
import type { Report } from './report.ts';

interface Remembered {
  readonly turn: TurnId;
  /** The session has heard of it from the agent: it is not a turn that may have been lost. */
  readonly heard: boolean;
}

export interface Memory {
  /** Oldest first. */
  readonly turns: readonly Remembered[];
  /** Turns that were rolled back: in `turns`, or in a prompt that is not read yet. */
  readonly out: readonly TurnId[];
}

export const emptyMemory: Memory = { turns: [], out: [] };

const gone = 'what was rolled back is not in the conversation of a later turn';
const kept = 'nothing is taken out of the conversation but what was rolled back';

const without = (turns: Memory['turns'], rewind: TurnId | null): Memory['turns'] =>
  rewind === null ? turns : turns.filter(({ turn }) => turn < rewind);

/** The agent reads a prompt. */
export const readPrompt = ({ turns, out }: Memory, turn: TurnId, rewind: TurnId | null): Memory =>
  small({ turns: [...without(turns, rewind), { turn, heard: false }], out });

/** The session hears of the turn from an agent that it does not end already. */
export const hearOf = ({ turns, out }: Memory, turn: TurnId): Memory =>
  small({ turns: turns.map((one) => (one.turn === turn ? { turn, heard: true } : one)), out });

export function small({ turns, out }: Memory): Memory {
  const last = turns.findLastIndex(({ heard }) => heard);
  return {
    turns: turns.filter(({ turn }, at) => out.includes(turn) || at === last || at === turns.length - 1),
    out,
  };
}

/** A prompt is written: what the conversation will hold when it is read. */
export function judgeRewind({ turns, out }: Memory, rewind: TurnId | null, report: Report): void {
  const left = without(turns, rewind);
  const wrong = left.find(({ turn }) => out.includes(turn));
  if (wrong !== undefined) {
    report.fail(gone, `turn ${wrong.turn} is`);
  }
  const lost = turns.find((one) => one.heard && !left.includes(one) && !out.includes(one.turn));
  if (lost !== undefined) {
    report.fail(kept, `turn ${lost.turn} is taken out`);
  }
}
