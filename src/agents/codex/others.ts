/**
 * What Codex runs beside the turn that was asked for: sub-agents, which are conversations of their own in the same process,
 * and turns that it takes of its own accord.
 *
 * Owned by the agent's handle. Nothing here is stopped by an interrupt of the turn that began it (measured with 0.169.0).
 */
import { head } from '../child/fields.ts';

const textMax = 16 * 1024;

export class Others {
  /** Conversations that have shown themselves, and the turn that each has running. */
  readonly #threads = new Map<string, string | null>();
  #own: { readonly turn: string; text: string } | null = null;
  #told = false;

  began(thread: string, turn: string): void {
    this.#threads.set(thread, turn);
  }

  ended(thread: string): void {
    this.#threads.set(thread, null);
  }

  /** A turn of our own conversation that nobody asked for. */
  ownBegan(turn: string): void {
    this.#own = { turn, text: '' };
  }

  /** It is over, or it has become ours. */
  ownEnded(): string {
    const text = this.#own?.text ?? '';
    this.#own = null;
    return text;
  }

  get own(): string | null {
    return this.#own?.turn ?? null;
  }

  ownSays(piece: string): void {
    if (this.#own !== null && this.#own.text.length < textMax) {
      this.#own.text = head(this.#own.text + piece, textMax);
    }
  }

  threads(): readonly { readonly thread: string; readonly turn: string | null }[] {
    return [...this.#threads].map(([thread, turn]) => ({ thread, turn }));
  }

  /** The phase to be told now, if it has changed. `ours`: a turn of ours runs, and what runs beside it belongs to it. */
  phase(ours: boolean): 'began' | 'ended' | null {
    const beside = [...this.#threads.values()].some((turn) => turn !== null);
    const now = this.#own !== null || (beside && !ours);
    if (now === this.#told) {
      return null;
    }
    this.#told = now;
    return now ? 'began' : 'ended';
  }
}
