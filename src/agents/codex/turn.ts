/**
 * One turn of ours with Codex: its two names, what was said in it, and what it waits for.
 *
 * Owned by the agent's handle, which alone emits. `codex` is its name there, known with the response to `turn/start`.
 */
import type { TurnId } from '../../core/ids.ts';
import type { Fields } from '../child/json-lines.ts';
import type { ProviderFailure } from '../failures.ts';
import type { OutputPart } from '../../core/events.ts';
import type { Question } from './asks.ts';
import { textAt } from '../child/fields.ts';

export class CodexTurn {
  readonly id: TurnId;
  codex: string | null = null;
  /** Confirmed by `turn/started`: from then on an interrupt is heard. */
  started = false;
  over = false;
  /** An interrupt that came before `started` leaves with it. */
  latched = false;
  /** An interrupt has been written; what is asked from then on is cancelled. */
  interrupted = false;
  /** Interrupts that Codex has refused although the turn is not over as far as we know. */
  unheard = 0;
  /** The last thing that the turn was tried again for. */
  retried: ProviderFailure | null = null;
  readonly questions = new Map<string, Question>();
  /** What came for a turn that we could not tell yet, to be read with the response to `turn/start`. */
  readonly early: (() => void)[] = [];
  /** Warnings that came before `started`. */
  readonly notes: OutputPart[] = [];
  readonly #items = new Map<string, Fields>();
  readonly #spoken = new Set<string>();
  #text = '';

  constructor(id: TurnId) {
    this.id = id;
  }

  get text(): string {
    return this.#text;
  }

  /** Keeps an item that a question may name; the first 1,000 of a turn. */
  remember(item: Fields): void {
    const id = textAt(item, 'id');
    if (id !== null && (this.#items.has(id) || this.#items.size < 1_000)) {
      this.#items.set(id, item);
    }
  }

  item(id: string): Fields | null {
    return this.#items.get(id) ?? null;
  }

  /** A piece of the message `id`; the answer is what to pass on. Between two messages stands an empty line. */
  say(id: string, piece: string): string {
    const opens = !this.#spoken.has(id);
    this.#spoken.add(id);
    const said = opens && this.#text !== '' ? `\n\n${piece}` : piece;
    this.#text += said;
    return said;
  }

  /** The whole message, once it is over: what of it was not said in pieces. */
  rest(id: string, text: string): string {
    return this.#spoken.has(id) || text === '' ? '' : this.say(id, text);
  }
}
