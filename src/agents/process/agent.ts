/**
 * One program that speaks the agent protocol, as a handle of the port.
 *
 * Owns: the channel, and the turn that runs. Messages out: `ToAgent`, one line each, written within the call. Messages in:
 * `FromAgent`, which `parseMessage` makes events of the port.
 * Invariants:
 *  process-agent/1 Nothing that the program says can throw here; what is not understood becomes `raw`.
 *  process-agent/2 `ready` is passed on once, `started` once and only for the turn that was prompted last (agent-port/3),
 *                  `switched` only when a switch was requested (agent-port/8).
 *  process-agent/3 Each permission request of the program is answered once: by `respond`, or as withdrawn with an interrupt,
 *                  with the end of its turn, or at once where no turn of that number runs (agent-port/7).
 *  process-agent/4 Every event but `exited` comes before it (json-lines/3).
 */
import type { TurnId } from '../../core/model/ids.ts';
import type { RequestedAction } from '../../core/model/permission.ts';
import type { AgentEvent, AgentHandle, AgentStart } from '../port.ts';
import { type Fields, textAt } from '../child/fields.ts';
import { JsonLines } from '../child/json-lines.ts';
import { BackgroundList } from '../shared/background-list.ts';
import { judged, pathsIn } from '../shared/judge.ts';
import type { ProcessDriverOptions } from './options.ts';
import { parseMessage, type SaidEvent } from './parse.ts';
import { ProcessTurn } from './turn.ts';
import type { ToAgent } from './wire.ts';
import { protocolVersion } from './wire.ts';

type EventOf<T extends AgentEvent['type']> = Extract<AgentEvent, { type: T }>;

export class ProcessAgent implements AgentHandle {
  readonly #lines: JsonLines;
  readonly #emit: (event: AgentEvent) => void;
  readonly #background: BackgroundList;
  readonly #folder: string;
  #ready = false;
  #turn: ProcessTurn | null = null;
  /** A switch that the program has not confirmed yet. */
  #switching: { readonly model: string | null } | null = null;

  constructor(options: ProcessDriverOptions, start: AgentStart) {
    this.#emit = start.emit;
    this.#background = new BackgroundList(start.emit);
    this.#lines = new JsonLines(options, start, (message, line) => this.#receive(message, line));
    const { session, incarnation, conversation, model, folder } = start;
    this.#folder = folder ?? options.cwd ?? process.cwd();
    this.#write({ type: 'start', protocol: protocolVersion, session, incarnation, conversation, model, folder });
  }

  prompt(turn: TurnId, text: string, { rewind }: { readonly rewind: TurnId | null }): void {
    this.#turn = new ProcessTurn(turn);
    this.#write({ type: 'prompt', turn, text, ...(rewind === null ? {} : { rewind }) });
  }

  interrupt(id: TurnId): void {
    this.#write({ type: 'interrupt', turn: id });
    const turn = this.#turnOf(id);
    if (turn !== null) {
      this.#withdrawRequests(turn);
    }
  }

  steer(turn: TurnId, id: string, text: string): void {
    this.#write({ type: 'steer', turn, id, text });
  }

  respond(
    turn: TurnId,
    request: string,
    { allow, note }: { readonly allow: boolean; readonly note: string | null },
  ): void {
    if (this.#turnOf(turn)?.permissions.take(request) === true) {
      this.#write({ type: 'permission-resolved', turn, request, decision: allow ? 'allow' : 'deny', note });
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

  #turnOf(id: TurnId): ProcessTurn | null {
    return this.#turn?.id === id ? this.#turn : null;
  }

  #write(message: ToAgent): void {
    // A broken channel refuses; its end is on its way as `exited`.
    this.#lines.write(message);
  }

  #receive(message: Fields, line: string): void {
    const event = parseMessage(message);
    const problem = typeof event === 'string' ? event : this.#take(event);
    if (problem === null) {
      return;
    }
    this.#lines.raw(problem, line);
    // An unknown request is answered too: the program may wait for the answer.
    if (typeof event === 'string' && message['type'] === 'permission-requested') {
      this.#refuse(message);
    }
  }

  /** Null: emitted, or answered. A text is what is wrong with the event. */
  #take(event: SaidEvent): string | null {
    switch (event.type) {
      case 'ready':
        if (this.#ready) {
          return 'ready came twice';
        }
        this.#ready = true;
        this.#lines.started();
        break;
      case 'started': {
        const turn = this.#turnOf(event.turn);
        if (turn === null || turn.started) {
          return 'started: not the turn that was prompted, or twice';
        }
        turn.started = true;
        break;
      }
      case 'switched':
        if (this.#switching === null || this.#switching.model !== event.model) {
          return 'switched: no such switch was requested';
        }
        this.#switching = null;
        break;
      case 'output':
        this.#output(event);
        return null;
      case 'background':
        this.#background.is(event.work);
        return null;
      case 'permission-requested':
        return this.#request(event);
      case 'permission-withdrawn':
        if (this.#turnOf(event.turn)?.permissions.take(event.request) !== true) {
          return 'permission-withdrawn: no such request waits';
        }
        break;
      case 'result':
        this.#result(event);
        return null;
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

  #output(event: EventOf<'output'>): void {
    const turn = event.turn === null ? null : this.#turnOf(event.turn);
    if (turn !== null && event.part.kind === 'usage') {
      const { inputTokens, outputTokens } = event.part;
      this.#emit({ type: 'spent', turn: turn.id, tokens: inputTokens + outputTokens });
    }
    const part = turn === null ? event.part : turn.output.take(event.part);
    if (part !== null) {
      this.#emit({ ...event, part });
    }
  }

  #result(event: EventOf<'result'>): void {
    const turn = this.#turnOf(event.turn);
    if (turn === null) {
      this.#emit(event);
      return;
    }
    this.#withdrawRequests(turn);
    this.#turn = null;
    const { parts, report } = turn.output.end(event.result.report);
    for (const part of parts) {
      this.#emit({ type: 'output', turn: turn.id, part });
    }
    this.#emit({ ...event, result: { ...event.result, empty: report.text === '', report } });
  }

  #request(event: EventOf<'permission-requested'>): string | null {
    const turn = this.#turnOf(event.turn);
    if (turn === null) {
      this.#withdraw(event.turn, event.request);
      return 'permission-requested: no such turn runs';
    }
    const added = turn.permissions.add(event.request);
    switch (added) {
      case 'added':
        this.#emit({ ...event, action: actionIn(event, this.#folder) });
        return null;
      case 'closed':
        this.#withdraw(event.turn, event.request);
        return null;
      case 'too many requests in one turn':
        this.#withdraw(event.turn, event.request);
        return `permission-requested: ${added}`;
      case 'a request of that name was made before':
        return `permission-requested: ${added}`;
    }
  }

  #withdrawRequests({ id, permissions }: ProcessTurn): void {
    for (const request of permissions.close()) {
      this.#withdraw(id, request);
    }
  }

  #withdraw(turn: number, request: string): void {
    this.#write({ type: 'permission-resolved', turn, request, decision: 'withdrawn', note: null });
  }

  #refuse(message: Fields): void {
    const { turn } = message;
    const request = textAt(message, 'request');
    if (typeof turn === 'number' && request !== null) {
      this.#withdraw(turn, request);
    }
  }
}

/** The program says what it touches in the title or in the detail. A title may be words, so it counts only where it names a path. */
function actionIn({ action, detail }: EventOf<'permission-requested'>, folder: string | null): RequestedAction {
  const named = pathsIn(detail);
  const title = action.title.trim();
  const isPath = /^(?:[/~$]|file:)|(?:^|\/)\.\.(?:\/|$)/i.test(title) || !/\s/.test(title);
  return judged(action, folder, named === null || !isPath ? named : [...named, title]);
}
