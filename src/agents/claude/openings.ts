/**
 * How the conversation of one agent is begun, and begun again where Claude Code refuses: it exits before it is ready when it does
 * not know a conversation, or when one that should be fresh is there already. The words are recorded from both versions.
 *
 * Owned by one agent; `blank` is the driver's.
 */
import { textAt } from '../child/fields.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import type { Opening } from './options.ts';

/** Any other failure to start loses no conversation. */
const unknownWords = /No conversation found|does not match any session/i;
const takenWords = /session id .* is already in use/i;

export class Openings {
  readonly #ids: () => string;
  /** Conversations that were begun and had no turn: Claude Code has not written them down yet. */
  readonly #blank: Set<string>;
  /** What it wrote before it was ready: why it will not start. */
  #refusal: Fields | null = null;
  #again = false;
  #written = false;
  now: Opening;
  /** A conversation was asked for and is not the one that is begun. */
  lost = false;

  constructor(conversation: string | null, ids: () => string, blank: Set<string>) {
    this.#ids = ids;
    this.#blank = blank;
    if (conversation === null) {
      this.now = this.#fresh();
    } else if (blank.has(conversation)) {
      this.now = { kind: 'fresh', conversation };
    }
    // What is no UUID would be looked for among the titles.
    else if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(conversation)) {
      this.now = { kind: 'resumed', conversation };
    } else {
      this.lost = true;
      this.now = this.#fresh();
    }
  }

  refused(result: Fields): void {
    this.#refusal = result;
  }

  /** A turn has begun. */
  begun(): void {
    this.#blank.delete(this.now.conversation);
  }

  /** A turn has had a result: it is written down. */
  written(): void {
    this.#written = true;
  }

  /** The message of that turn was taken back: if it was the first, nothing has been written down. */
  undone(): void {
    if (this.now.kind === 'fresh' && !this.#written) {
      this.#blank.add(this.now.conversation);
    }
  }

  /** It has ended before it was ready. Null: for no reason that another opening mends. `exit`: the data of `exited`. */
  other(exit: unknown): Opening | null {
    const said = `${errorsOf(this.#refusal).join('\n')}\n${isFields(exit) ? (textAt(exit, 'stderr') ?? '') : ''}`;
    const { kind, conversation } = this.now;
    if (this.#again) {
      return null;
    }
    if (kind === 'resumed' && unknownWords.test(said)) {
      this.lost = true;
      this.now = this.#fresh();
    } else if (kind === 'fresh' && takenWords.test(said)) {
      this.now = { kind: 'resumed', conversation };
    } else {
      return null;
    }
    this.#again = true;
    this.#refusal = null;
    return this.now;
  }

  /** The data of `exited`, with the words in which it refused to start. */
  explained(exit: unknown): unknown {
    const errors = errorsOf(this.#refusal);
    if (!isFields(exit) || errors.length === 0) {
      return exit;
    }
    return { ...exit, message: textAt(exit, 'message') ?? errors.join('\n').slice(0, 2_000) };
  }

  #fresh(): Opening {
    const conversation = this.#ids();
    this.#blank.add(conversation);
    return { kind: 'fresh', conversation };
  }
}

const errorsOf = (result: Fields | null): string[] => {
  const errors = result?.['errors'];
  return Array.isArray(errors) ? errors.filter((one) => typeof one === 'string') : [];
};
