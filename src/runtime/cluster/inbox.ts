/**
 * Letters from other nodes: commands for sessions that this node owns become inputs of their actors, questions are answered.
 *
 * Owned by one cluster.
 *  inbox/1 A letter is given to its actor once at a time; what its commit does not take out is looked at again.
 *  inbox/2 Commands of one session are posted in the order of the store. A session that has to be opened first keeps no other one waiting.
 */
import { AppError } from '../../core/errors.ts';
import type { Input } from '../../core/model/inputs.ts';
import type { Reply } from '../../core/model/replies.ts';
import type { Letter, Nodes } from '../../store/nodes.ts';
import type { TaskPayload } from '../../store/port.ts';
import type { Full } from '../api.ts';
import type { Context } from '../options.ts';
import { refusedAsFull } from '../refusals.ts';
import type { EntryLetter } from '../session/batch.ts';
import type { SessionActor } from '../session/actor.ts';
import type { Elsewhere, Registry } from '../session/registry.ts';
import { errorAnswer, type LetterAnswer, type LetterBody, replyAnswer } from './letter-body.ts';

/** Answers a question of another node. */
export type Answerer = (about: never) => Promise<unknown>;
export type Questions = { readonly [ask: string]: Answerer };

const pageSize = 500;

/** One commit applies the whole of it and takes its letter out. */
const inOneStep = (input: Input): Input =>
  input.type === 'stop' ? { ...input, atMost: Number.MAX_SAFE_INTEGER } : input;

/** What says nothing about the command itself: it is looked at again, here or by the next owner. */
const passing = (error: unknown): boolean =>
  error instanceof AppError &&
  (error.code.startsWith('store_') || error.code === 'session_moved' || error.code === 'closing');

export class Inbox {
  readonly #context: Context;
  readonly #nodes: Nodes;
  readonly #registry: Registry;
  readonly #questions: Questions;
  /** Given to an actor or being answered, with what gives back their places among the open tasks. */
  readonly #open = new Map<string, () => void>();
  #looking = false;
  #again = false;
  #closed = false;

  constructor(context: Context, nodes: Nodes, registry: Registry, questions: Questions) {
    this.#context = context;
    this.#nodes = nodes;
    this.#registry = registry;
    this.#questions = questions;
  }

  look(): void {
    if (this.#looking) {
      this.#again = true;
    } else if (!this.#closed) {
      void this.#look();
    }
  }

  close(): void {
    this.#closed = true;
  }

  async #look(): Promise<void> {
    this.#looking = true;
    try {
      do {
        this.#again = false;
        const letters = await this.#nodes.receive(this.#open.size + pageSize);
        for (const letter of letters) {
          if (!this.#closed && !this.#open.has(letter.id)) {
            this.#open.set(letter.id, () => {});
            this.#take(letter);
          }
        }
      } while (this.#again && !this.#closed);
    } catch (error) {
      // The next look finds them.
      this.#context.onError(error, 'inbox');
    } finally {
      this.#looking = false;
    }
  }

  #take(letter: Letter): void {
    const body = letter.body as LetterBody;
    if (body.kind === 'question') {
      void this.#answer(letter, body);
      return;
    }
    if (!('session' in letter)) {
      this.#reply(letter, errorAnswer(new AppError({ code: 'invariant_broken', message: 'a command has no session' })));
      return;
    }
    const post = (actor: SessionActor | Elsewhere): void => {
      if ('elsewhere' in actor) {
        this.#over(letter.id);
      } else {
        const full = this.#takePlace(letter.id, body.input);
        if (full === null) {
          actor.command(inOneStep(body.input), this.#entryOf(letter));
        } else {
          this.#reply(letter, { kind: 'reply', reply: refusedAsFull(full) as Reply });
        }
      }
    };
    try {
      const found = this.#registry.actor(letter.session);
      if (found instanceof Promise) {
        found.then(post).catch((error: unknown) => this.#failed(letter, error));
      } else {
        post(found);
      }
    } catch (error) {
      this.#failed(letter, error);
    }
  }

  /** The limits on open tasks are those of the owner, too. Null: there is room. */
  #takePlace(id: string, input: Input): Full | null {
    if (input.type !== 'submit') {
      return null;
    }
    const place = this.#registry.shares.take((input.payload as TaskPayload).source, input.task.lane);
    if (typeof place !== 'function') {
      return place;
    }
    this.#open.set(id, place);
    return null;
  }

  #over(id: string): void {
    this.#open.get(id)?.();
    this.#open.delete(id);
  }

  #entryOf(letter: Letter): EntryLetter {
    const entry: EntryLetter = {
      id: letter.id,
      from: letter.from,
      isAnswered: false,
      over: () => this.#over(letter.id),
      answer: (reply: Reply) => {
        entry.isAnswered = true;
        this.#reply(letter, replyAnswer(reply));
      },
      failed: (error) => {
        entry.isAnswered = true;
        this.#failed(letter, error);
      },
    };
    return entry;
  }

  #failed(letter: Letter, error: unknown): void {
    if (passing(error)) {
      this.#over(letter.id);
    } else {
      this.#reply(letter, errorAnswer(error));
    }
  }

  async #answer(letter: Letter, { ask, about }: Extract<LetterBody, { kind: 'question' }>): Promise<void> {
    try {
      const answerer = this.#questions[ask];
      if (answerer === undefined) {
        throw new AppError({ code: 'owner_unreachable', message: `this node does not know the question ${ask}` });
      }
      this.#reply(letter, { kind: 'answer', answer: await answerer(about as never) });
    } catch (error) {
      this.#failed(letter, error);
    }
  }

  #reply({ id, from }: Letter, reply: LetterAnswer): void {
    const done = async (): Promise<void> => {
      try {
        await this.#nodes.answer([{ id, from, reply }]);
      } catch (error) {
        this.#context.onError(error, 'inbox');
      } finally {
        this.#over(id);
      }
    };
    void done();
  }
}
