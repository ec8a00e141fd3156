/**
 * The connection to Claude Code: whole messages out, our requests that wait for a response, and what was written before the
 * program was ready, since an unknown conversation takes a second program.
 *
 * Owned by the agent; owns the process that runs.
 */
import { type ExitReason, PendingTable } from '../../supervise/index.ts';
import type { Fields } from '../child/fields.ts';
import { JsonLines } from '../child/json-lines.ts';
import type { AgentStart } from '../port.ts';
import type { Opening, ClaudeDriverOptions } from './options.ts';
import { programOptions } from './options.ts';
import { controlAnswer, controlError, controlRequest } from './messages.ts';
import { type Incoming, parseFrame } from './parse.ts';

interface Answer {
  /** Null: it succeeded. */
  readonly error: string | null;
  readonly body: Fields;
}

/** Ids that are remembered after their use, so that their echoes are not taken for something new. */
const pastMax = 64;

export class Channel {
  readonly #options: ClaudeDriverOptions;
  readonly #start: AgentStart;
  readonly #ids: () => string;
  readonly #onIncoming: (incoming: Incoming) => void;
  readonly #past = new Set<string>();
  #early: object[] | null = [];
  /** Those to the program that runs; they end with it, without a response. */
  #requests = new PendingTable<Answer>({ owner: 'claude' });
  #lines: JsonLines;

  constructor(
    options: ClaudeDriverOptions,
    start: AgentStart,
    opening: Opening,
    ids: () => string,
    onIncoming: (incoming: Incoming) => void,
  ) {
    this.#options = options;
    this.#start = start;
    this.#ids = ids;
    this.#onIncoming = onIncoming;
    this.#lines = this.#spawn(opening);
  }

  /** Starts another program in place of one that has ended, and repeats to it what was written to the first. */
  restart(opening: Opening, greet: () => void): void {
    const early = this.#early ?? [];
    this.#early = null;
    this.#lines = this.#spawn(opening);
    greet();
    this.#early = early;
    for (const message of early) {
      this.#lines.write(message);
    }
  }

  /** The first request: it is not kept for a second program. */
  greet(request: { readonly subtype: string }, settle: (answer: Answer) => void): void {
    const id = this.#ids();
    this.#await(id, request.subtype, settle);
    this.#lines.write(controlRequest(id, request));
  }

  ready(): void {
    this.#early = null;
    this.#lines.started();
  }

  write(message: object): void {
    this.#early?.push(message);
    this.#lines.write(message);
  }

  /** Returns the request's id. `settle` is not called when the program ends first. */
  request(
    request: { readonly subtype: string; readonly [name: string]: unknown },
    settle: (answer: Answer, id: string) => void,
  ): string {
    const id = this.#ids();
    this.#await(id, request.subtype, (answer) => settle(answer, id));
    this.write(controlRequest(id, request));
    return id;
  }

  allow(id: string, updatedInput: Fields): void {
    this.remember(id);
    this.write(controlAnswer(id, { behavior: 'allow', updatedInput }));
  }

  deny(id: string, message: string): void {
    this.remember(id);
    this.write(controlAnswer(id, { behavior: 'deny', message }));
  }

  refuse(id: string, error: string): void {
    this.remember(id);
    this.write(controlError(id, error));
  }

  remember(id: string): void {
    this.#past.add(id);
    for (const oldest of this.#past) {
      if (this.#past.size <= pastMax) {
        break;
      }
      this.#past.delete(oldest);
    }
  }

  isPast(id: string): boolean {
    return this.#past.has(id);
  }

  close(): void {
    this.#lines.close();
  }

  kill(cause?: ExitReason): void {
    this.#lines.kill(cause);
  }

  #await(id: string, subtype: string, settle: (answer: Answer) => void): void {
    // The caller has a deadline: that of the start, of the drain, of the switch.
    this.#requests.add(id, subtype, null, (settled) => {
      if (settled.ok) {
        settle(settled.value);
      }
    });
  }

  #spawn(opening: Opening): JsonLines {
    const program = programOptions(
      this.#options,
      opening,
      this.#start.model,
      this.#start.folder ?? this.#options.cwd ?? null,
    );
    const onFrame = (frame: Fields, line: string): void => {
      const incoming = parseFrame(frame);
      if (incoming.kind === 'response') {
        this.#onResponse(incoming, line);
      } else if (incoming.kind === 'unknown') {
        this.#lines.raw(incoming.problem, line);
      } else {
        this.#onIncoming(incoming);
      }
    };
    let requests: PendingTable<Answer> | null = null;
    const lines = new JsonLines(program, this.#start, onFrame, undefined, (error) => requests?.breakAll(error));
    requests = new PendingTable<Answer>({ owner: lines.label });
    this.#requests = requests;
    return lines;
  }

  #onResponse({ id, error, body }: Extract<Incoming, { kind: 'response' }>, line: string): void {
    if (this.#requests.settle(id, { error, body })) {
      return;
    }
    // Our own responses are echoed.
    if (!this.#past.has(id)) {
      this.#lines.raw('a response to an unknown request', line);
    }
  }
}
