/**
 * What this node asks of others: commands for sessions that they own, and questions. The store keeps each letter until it is answered.
 *
 * Owned by one cluster.
 *  letters/1 A caller learns the answer, or that nobody took the letter in time and that it was taken back: then nothing of it will be done.
 *  letters/2 A letter whose sending got no answer is sent again under its number, and is taken back only when it is known to be there.
 *  letters/3 One statement sends all that wait, and one at a time asks for answers.
 */
import { AppError } from '../../core/errors.ts';
import type { SessionKey } from '../../core/model/ids.ts';
import type { Letter, NodeId, Nodes } from '../../store/nodes.ts';
import type { Context } from '../options.ts';
import { answerOf, type LetterBody } from './letter-body.ts';

export type Addressee = { readonly session: SessionKey } | { readonly node: NodeId };

interface Waiting {
  readonly done: (answer: unknown) => void;
  readonly fail: (error: unknown) => void;
  readonly cancel: () => void;
  state: 'queued' | 'sending' | 'sent';
  /** Its time is over; it is taken back as soon as it is sent. */
  late: boolean;
}

/** Looks for the answer to a letter that somebody took. */
const triesMax = 40;
/** Pause before a letter that could not be sent is sent again, ms. */
const retryMs = 250;

export class Letters {
  readonly #context: Context;
  readonly #nodes: Nodes;
  readonly #self: () => NodeId;
  readonly #waiting = new Map<string, Waiting>();
  #queue: Letter[] = [];
  #sending = false;
  #looking = false;
  #again = false;
  #cancelRetry: (() => void) | null = null;
  #closed: AppError | null = null;

  constructor(context: Context, nodes: Nodes, self: () => NodeId) {
    this.#context = context;
    this.#nodes = nodes;
    this.#self = self;
  }

  /** Throws `owner_unreachable` when nobody has answered within `answerMs`, and what the other node throws. */
  ask(to: Addressee, body: LetterBody, answerMs: number): Promise<unknown> {
    const { clock, ids } = this.#context;
    const id = ids();
    if (this.#closed !== null) {
      return Promise.reject(this.#closed);
    }
    return new Promise((done, fail) => {
      const cancel = clock.timer(answerMs, () => this.#isLate(id));
      this.#waiting.set(id, { done, fail, cancel, state: 'queued', late: false });
      this.#queue.push({ id, from: this.#self(), body, ...to });
      this.#send();
    });
  }

  /** Answers may have come. */
  look(): void {
    if (this.#looking) {
      this.#again = true;
    } else if (this.#waiting.size > 0) {
      void this.#look();
    }
  }

  /** Letters are taken back, and callers learn `error`, or the answer where the letter was taken before. */
  async close(error: AppError): Promise<void> {
    this.#closed = error;
    this.#cancelRetry?.();
    this.#queue = [];
    const sent = this.#sent();
    try {
      if (sent.length > 0) {
        for (const id of await this.#nodes.withdraw(sent)) {
          this.#fail(id, error);
        }
        await this.#look();
      }
    } catch (failed) {
      this.#context.onError(failed, 'letters');
    }
    for (const [id, { state }] of this.#waiting) {
      this.#fail(id, state === 'queued' ? error : unknownOutcome());
    }
  }

  /** Only of these an answer may be taken out: one that is sent again behind its answer would be applied again. */
  #sent(): readonly string[] {
    return [...this.#waiting].filter(([, { state }]) => state === 'sent').map(([id]) => id);
  }

  #send(): void {
    if (!this.#sending && this.#cancelRetry === null && this.#queue.length > 0) {
      this.#sending = true;
      // Those that are asked for in one pass go together.
      this.#context.clock.soon(() => void this.#sendAll());
    }
  }

  async #sendAll(): Promise<void> {
    const letters = this.#queue;
    this.#queue = [];
    for (const { id } of letters) {
      this.#mark(id, 'sending');
    }
    try {
      await this.#nodes.send(letters);
      for (const { id } of letters) {
        this.#mark(id, 'sent');
      }
    } catch (error) {
      this.#context.onError(error, 'letters');
      if (this.#closed === null) {
        this.#queue = [...letters.filter(({ id }) => this.#waiting.has(id)), ...this.#queue];
        this.#cancelRetry = this.#context.clock.timer(retryMs, () => {
          this.#cancelRetry = null;
          this.#send();
        });
      }
    }
    this.#sending = false;
    this.#send();
  }

  #mark(id: string, state: Waiting['state']): void {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) {
      waiting.state = state;
      if (state === 'sent') {
        if (waiting.late) {
          void this.#takeBack(id);
        }
        // Its answer may be there already.
        this.look();
      }
    }
  }

  #isLate(id: string): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) {
      return;
    }
    waiting.late = true;
    if (waiting.state === 'queued' && this.#cancelRetry === null) {
      this.#queue = this.#queue.filter((letter) => letter.id !== id);
      this.#fail(id, unreachable());
    } else if (waiting.state === 'sent') {
      void this.#takeBack(id);
    }
  }

  /** A letter that is not there any more was applied: its answer is looked for until it is found. */
  async #takeBack(id: string): Promise<void> {
    for (let tries = 0; tries < triesMax && this.#waiting.has(id) && this.#closed === null; tries += 1) {
      try {
        const [taken] = await this.#nodes.withdraw([id]);
        if (taken !== undefined) {
          this.#fail(id, unreachable());
          return;
        }
        this.look();
      } catch (error) {
        this.#context.onError(error, 'letters');
      }
      await new Promise<void>((resolve) => {
        this.#context.clock.timer(retryMs, resolve);
      });
    }
    this.#fail(id, unknownOutcome());
  }

  async #look(): Promise<void> {
    this.#looking = true;
    try {
      do {
        this.#again = false;
        for (const { id, reply } of await this.#nodes.replies(this.#sent())) {
          const waiting = this.#forget(id);
          try {
            waiting?.done(answerOf(reply));
          } catch (error) {
            waiting?.fail(error);
          }
        }
      } while (this.#again);
    } catch (error) {
      // The next look finds them.
      this.#context.onError(error, 'letters');
    } finally {
      this.#looking = false;
    }
  }

  #fail(id: string, error: unknown): void {
    this.#forget(id)?.fail(error);
  }

  #forget(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    waiting?.cancel();
    this.#waiting.delete(id);
    return waiting;
  }
}

/** Of a letter that is not to be taken back, and whose answer is not to be found. */
const unknownOutcome = (): AppError =>
  new AppError({
    code: 'answer_lost',
    message: 'the node that owns the session may have taken the command, and its answer is not to be found',
  });

const unreachable = (): AppError =>
  new AppError({ code: 'owner_unreachable', message: 'the node that owns the session has not answered in time' });
