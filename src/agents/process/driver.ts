/**
 * Driver for programs that speak the agent protocol (docs/agent-protocol.md).
 *
 * Owns: one channel per handle, and the permission requests of its running turn that wait for an answer. Messages out: `ToAgent`, one
 * line each, written within the call. Messages in: `FromAgent`, mapped to the port by `readMessage`.
 * Invariants:
 *  P-1 Nothing of what the program says can throw here; what is not understood becomes `raw`.
 *  P-2 `ready` is passed on once, `started` once and only for the turn that was prompted last, `switched` only when it was
 *      asked for.
 *  P-3 Each permission request of the program is answered once: by `answer`, or as cancelled with an interrupt, with the end of
 *      its turn, or at once where no turn of that number runs.
 *  P-4 Every event but `exited` comes before it (J-3).
 */
import type { TurnId } from '../../core/ids.ts';
import { type Fields, JsonLines, type ProgramOptions } from '../child/json-lines.ts';
import { textAt } from '../child/fields.ts';
import type { AgentDriver, AgentEvent, AgentHandle, AgentStart } from '../port.ts';
import { readMessage } from './read.ts';
import type { ToAgent } from './wire.ts';
import { protocolVersion } from './wire.ts';

export interface ProcessDriverOptions extends ProgramOptions {
  /** Shown in `explain` and on tapes. Default: `process`. */
  readonly name?: string;
  /** Whom its model requests go to. Default: its name. */
  readonly provider?: string;
}

export function processDriver(options: ProcessDriverOptions): AgentDriver {
  return {
    name: options.name ?? 'process',
    provider: options.provider ?? options.name ?? 'process',
    start: (start) => new ProcessAgent(options, start),
  };
}

interface Running {
  readonly turn: TurnId;
  confirmed: boolean;
  interrupted: boolean;
  /** Requests that wait, and all that the turn has made. */
  readonly open: Set<string>;
  readonly made: Set<string>;
}

type EventOf<T extends AgentEvent['type']> = Extract<AgentEvent, { type: T }>;

/** More of one turn is no work of a program that means well. */
const requestsMax = 10_000;

class ProcessAgent implements AgentHandle {
  readonly #lines: JsonLines;
  readonly #emit: (event: AgentEvent) => void;
  #ready = false;
  #running: Running | null = null;
  #switching: { readonly model: string | null } | null = null;

  constructor(options: ProcessDriverOptions, start: AgentStart) {
    this.#emit = start.emit;
    this.#lines = new JsonLines(options, start, (message, line) => this.#read(message, line));
    const { session, incarnation, conversation, model, folder } = start;
    this.#write({ type: 'start', protocol: protocolVersion, session, incarnation, conversation, model, folder });
  }

  prompt(turn: TurnId, text: string, { rewind }: { readonly rewind: TurnId | null }): void {
    this.#running = { turn, confirmed: false, interrupted: false, open: new Set(), made: new Set() };
    this.#write({ type: 'prompt', turn, text, ...(rewind === null ? {} : { rewind }) });
  }

  interrupt(turn: TurnId): void {
    this.#write({ type: 'interrupt', turn });
    if (this.#running?.turn !== turn) {
      return;
    }
    this.#running.interrupted = true;
    this.#cancelRequests(this.#running);
  }

  steer(turn: TurnId, id: string, text: string): void {
    this.#write({ type: 'steer', turn, id, text });
  }

  answer(
    turn: TurnId,
    request: string,
    { allow, note }: { readonly allow: boolean; readonly note: string | null },
  ): void {
    const waited = this.#running?.turn === turn && this.#running.open.delete(request);
    if (waited) {
      this.#write({ type: 'answer', turn, request, allow, note });
    }
  }

  switchModel(model: string | null): void {
    this.#switching = { model };
    this.#write({ type: 'model', model });
  }

  close(): void {
    this.#write({ type: 'close' });
    this.#lines.close();
  }

  kill(): void {
    this.#lines.kill();
  }

  #write(message: ToAgent): void {
    // A broken channel refuses; its end is on its way as `exited`.
    this.#lines.write(message);
  }

  #read(message: Fields, line: string): void {
    const event = readMessage(message);
    const problem = typeof event === 'string' ? event : this.#pass(event);
    if (problem === null) {
      return;
    }
    this.#lines.raw(problem, line);
    // Whoever waits for an answer gets one, also to a request that nobody understands.
    if (typeof event === 'string' && message['type'] === 'asked') {
      this.#refuse(message);
    }
  }

  /** Null: passed on, or answered. */
  #pass(event: AgentEvent): string | null {
    switch (event.type) {
      case 'ready':
        if (this.#ready) {
          return 'ready came twice';
        }
        this.#ready = true;
        this.#lines.started();
        break;
      case 'started':
        if (this.#running?.turn !== event.turn || this.#running.confirmed) {
          return 'started: not the turn that was prompted, or twice';
        }
        this.#running.confirmed = true;
        break;
      case 'switched':
        if (this.#switching === null || this.#switching.model !== event.model) {
          return 'switched: nobody asked for it';
        }
        this.#switching = null;
        break;
      case 'asked':
        return this.#asked(event);
      case 'withdrawn':
        if (this.#running?.turn !== event.turn || !this.#running.open.delete(event.request)) {
          return 'withdrawn: no such request waits';
        }
        break;
      case 'result':
        if (this.#running?.turn === event.turn) {
          this.#cancelRequests(this.#running);
          this.#running = null;
        }
        break;
      case 'output':
      case 'retrying':
      case 'ack':
      case 'steered':
      case 'unsolicited':
      case 'exited':
        break;
    }
    this.#emit(event);
    return null;
  }

  #asked(event: EventOf<'asked'>): string | null {
    const { turn, request } = event;
    const running = this.#running?.turn === turn ? this.#running : null;
    if (running === null || running.interrupted) {
      this.#cancel(turn, request);
      return running === null ? 'asked: no such turn runs' : null;
    }
    if (running.made.has(request)) {
      return 'asked: a request of that name was made before';
    }
    if (running.made.size >= requestsMax) {
      this.#cancel(turn, request);
      return 'asked: too many requests in one turn';
    }
    running.made.add(request);
    running.open.add(request);
    this.#emit(event);
    return null;
  }

  #cancelRequests(running: Running): void {
    const open = [...running.open];
    running.open.clear();
    for (const request of open) {
      this.#cancel(running.turn, request);
    }
  }

  #cancel(turn: number, request: string): void {
    this.#write({ type: 'answer', turn, request, allow: false, note: null, cancelled: true });
  }

  #refuse(message: Fields): void {
    const { turn } = message;
    const request = textAt(message, 'request');
    if (typeof turn === 'number' && request !== null) {
      this.#cancel(turn, request);
    }
  }
}
