/**
 * What Codex runs beside the turn that was asked for: sub-agents, which are conversations of the same process, and turns of
 * our conversation that Codex begins by itself.
 *
 * Owned by the agent's handle. An interrupt of a turn stops nothing of what that turn began here (measured with 0.169.0).
 */
import { head } from '../child/fields.ts';

const textMax = 16 * 1024;

interface Subagent {
  readonly thread: string;
  /** The turn that it runs; null: none. */
  readonly turn: string | null;
}

export class Unsolicited {
  /** By their threads: the turn that each runs. */
  readonly #subagents = new Map<string, string | null>();
  #ownTurn: { readonly turn: string; text: string } | null = null;
  #reported = false;

  get subagents(): readonly Subagent[] {
    return [...this.#subagents].map(([thread, turn]) => ({ thread, turn }));
  }

  subagentBegan(thread: string, turn: string): void {
    this.#subagents.set(thread, turn);
  }

  subagentEnded(thread: string): void {
    this.#subagents.set(thread, null);
  }

  /** The turn of our conversation that Codex began by itself; null: none runs. */
  get ownTurn(): string | null {
    return this.#ownTurn?.turn ?? null;
  }

  ownTurnBegan(turn: string): void {
    this.#ownTurn = { turn, text: '' };
  }

  ownTurnSays(piece: string): void {
    if (this.#ownTurn !== null && this.#ownTurn.text.length < textMax) {
      this.#ownTurn.text = head(this.#ownTurn.text + piece, textMax);
    }
  }

  /** It is over, or it took a message of ours and is ours now. Returns what it said. */
  ownTurnEnded(): string {
    const text = this.#ownTurn?.text ?? '';
    this.#ownTurn = null;
    return text;
  }

  /** The phase to report, where it changed since the last call. While a turn of ours runs, sub-agents belong to it. */
  phaseToReport(oursRuns: boolean): 'began' | 'ended' | null {
    const subagentRuns = [...this.#subagents.values()].some((turn) => turn !== null);
    const runs = this.#ownTurn !== null || (subagentRuns && !oursRuns);
    if (runs === this.#reported) {
      return null;
    }
    this.#reported = runs;
    return runs ? 'began' : 'ended';
  }
}
