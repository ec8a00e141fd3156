/**
 * How the conversation of one agent is opened, and opened in another way where Claude Code refuses: it exits before it is ready
 * when it does not know a conversation, or when one that should be fresh exists already. Its texts are recorded from both versions.
 *
 * Owned by one agent; `blank` is the driver's.
 */
import { isFields, textAt, type Fields } from '../child/fields.ts';
import type { Opening } from './options.ts';

/** Any other failure to start loses no conversation. */
const unknownText = /No conversation found|does not match any session/i;
const takenText = /session id .* is already in use/i;

export class SessionOpen {
  readonly #ids: () => string;
  /** Conversations that were opened and had no turn: Claude Code has not stored them yet. */
  readonly #blank: Set<string>;
  /** What it wrote before it was ready: why it refuses to start. */
  #refusal: Fields | null = null;
  #retried = false;
  #stored = false;
  opening: Opening;
  /** A conversation was to be resumed, and another one is opened. */
  lost = false;

  constructor(conversation: string | null, ids: () => string, blank: Set<string>) {
    this.#ids = ids;
    this.#blank = blank;
    if (conversation === null) {
      this.opening = this.#fresh();
    } else if (blank.has(conversation)) {
      this.opening = { kind: 'fresh', conversation };
    }
    // Claude Code looks for anything but a UUID among the titles of conversations.
    else if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(conversation)) {
      this.opening = { kind: 'resumed', conversation };
    } else {
      this.lost = true;
      this.opening = this.#fresh();
    }
  }

  refused(result: Fields): void {
    this.#refusal = result;
  }

  /** A turn has started. */
  turnStarted(): void {
    this.#blank.delete(this.opening.conversation);
  }

  /** A turn has had a result: the conversation is stored. */
  turnEnded(): void {
    this.#stored = true;
  }

  /** The message of that turn was taken back: if it was the first, the conversation is not stored. */
  turnCancelled(): void {
    if (this.opening.kind === 'fresh' && !this.#stored) {
      this.#blank.add(this.opening.conversation);
    }
  }

  /** The process has ended before it was ready. Null: no other opening would help. `exit`: the data of `exited`. */
  retry(exit: unknown): Opening | null {
    const said = `${errorsOf(this.#refusal).join('\n')}\n${isFields(exit) ? (textAt(exit, 'stderr') ?? '') : ''}`;
    const { kind, conversation } = this.opening;
    if (this.#retried) {
      return null;
    }
    if (kind === 'resumed' && unknownText.test(said)) {
      this.lost = true;
      this.opening = this.#fresh();
    } else if (kind === 'fresh' && takenText.test(said)) {
      this.opening = { kind: 'resumed', conversation };
    } else {
      return null;
    }
    this.#retried = true;
    this.#refusal = null;
    return this.opening;
  }

  /** The data of `exited`, with the reason that it gave for its refusal. */
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
