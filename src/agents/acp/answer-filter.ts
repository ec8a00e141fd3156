/**
 * Tells the model's answer from what the program says itself. By the letter of the protocol a piece of the agent's message is
 * the model's. Some programs also put there what they do, what they try again, and what failed. One filter serves one turn.
 */
import type { Fields } from '../child/json-lines.ts';
import type { ProviderFailure } from '../failures.ts';

export type Passage =
  /** The model's. */
  | { readonly kind: 'text'; readonly text: string }
  /** The program's. */
  | { readonly kind: 'notice'; readonly text: string }
  | { readonly kind: 'retrying'; readonly failure: ProviderFailure };

export interface AnswerFilter {
  /** `text`: of an `agent_message_chunk`, `update`: the whole of it. */
  onChunk(text: string, update: Fields): readonly Passage[];
  /** Any other update. */
  onUpdate(update: Fields): readonly Passage[];
  /**
   * The turn ended as an answered one does. Returns the text that the filter still withheld, and the failure, if it was one.
   * `answered`: some text of the turn was the model's.
   */
  onEnd(turn: { readonly answered: boolean }): {
    readonly passages: readonly Passage[];
    readonly failure: ProviderFailure | null;
  };
}

export const nothing: readonly Passage[] = [];
