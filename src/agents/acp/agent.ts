/**
 * One ACP agent with one session, as a handle of the port.
 *
 * Owns: the channel, the calls on it, the turn that runs, and what is done for the agent as its client.
 * Invariants:
 *  acp-agent/1 A prompt that comes before the session is open is kept and written then; an interrupt of it keeps it from
 *              being written at all.
 *  acp-agent/2 `started` follows the prompt at once: both are read in order, so a cancel behind the prompt finds it; later
 *              where a program is known to lose one. The protocol has no ack: only the response to the prompt ends the
 *              turn, and its boundary is the quiet behind that (`tail.ts`).
 *  acp-agent/3 One prompt at a time is on the wire: agents queue a second one, or cancel the first one for it.
 *  acp-agent/4 What comes while a conversation is taken up is its past, and not the output of a turn.
 *  acp-agent/5 Nothing is emitted from within a method, and nothing after `exited`, which waits for the commands run for
 *              the agent.
 */
import type { OutputPart } from '../../core/model/output.ts';
import type { TurnId } from '../../core/model/ids.ts';
import { type Timers, pickEnvironment, realTimers } from '../../supervise/index.ts';
import { listAt, textAt } from '../child/fields.ts';
import { JsonLines, isFields } from '../child/json-lines.ts';
import { JsonRpc, type RpcCall, type RpcOutcome } from '../child/json-rpc.ts';
import { failureRules, type ProviderFailure } from '../failures.ts';
import type { AgentEvent, AgentHandle, AgentStart } from '../port.ts';
import { notice } from '../shared/parts.ts';
import { ClientRequests, servicesFor } from './client-requests.ts';
import { failure } from './failures.ts';
import type { AcpOptions } from './options.ts';
import { type Models, isOfSession, isWords, modelOption } from './parse.ts';
import type { Profile } from './profiles/profile.ts';
import { type Opened, type Session, SessionOpening } from './session-open.ts';
import { Tail } from './tail.ts';
import type { Terminals } from './terminals.ts';
import { AcpTurn } from './turn.ts';
import { Unsolicited } from './unsolicited.ts';
import { Spending } from './usage.ts';
import {
  cancelParams,
  cancelRequestMethod,
  promptParams,
  steerMethod,
  steerParams,
  switchCall,
  toAgent,
  toClient,
} from './wire.ts';

/** A prompt that waits for the session. */
interface WaitingPrompt {
  readonly turn: TurnId;
  readonly text: string;
  cancelled: boolean;
}

/** Words for an end that the process itself cannot explain. */
interface Explanation {
  readonly message: string;
  readonly hint: string;
}

export class AcpAgent implements AgentHandle {
  readonly #profile: Profile;
  readonly #folder: string | null;
  readonly #expandsPrompts: boolean;
  readonly #emit: (event: AgentEvent) => void;
  readonly #timers: Timers;
  readonly #wall: () => number;
  readonly #lines: JsonLines;
  readonly #rpc: JsonRpc;
  readonly #opening: SessionOpening;
  readonly #requests: ClientRequests;
  readonly #terminals: Terminals | null;
  readonly #spending: Spending;
  readonly #unsolicited: Unsolicited;
  #session: Session | null = null;
  /** No turn can be taken. The first turn fails so, and the process ends, so that the next turn starts another one. */
  #noSession: ProviderFailure | null = null;
  #waiting: WaitingPrompt | null = null;
  #turn: AcpTurn | null = null;
  /** Behind the response to the last prompt, until the agent is quiet. */
  #ending: { readonly turn: AcpTurn; readonly tail: Tail } | null = null;
  #models: Models | null = null;
  /** What the agent uses where a session asks for no model; null: not known. */
  #defaultModel: string | null = null;
  #explanation: Explanation | null = null;
  #cancelConfirm = (): void => {};
  #over = false;

  constructor(profile: Profile, options: AcpOptions, start: AgentStart) {
    this.#profile = profile;
    this.#expandsPrompts = options.expandPrompts === true;
    this.#emit = start.emit;
    this.#timers = options.timers ?? realTimers;
    this.#wall = options.wall ?? Date.now;
    this.#spending = new Spending(profile.sumsUsage);
    this.#unsolicited = new Unsolicited(profile, this.#wall);
    const wanted = start.model ?? options.model ?? null;
    const modelArgs = wanted === null ? [] : (profile.modelArgs?.(wanted) ?? []);
    const env = { ...pickEnvironment(options.passEnv ?? [], options.ambient ?? process.env), ...options.env };
    const places = { env, folder: start.folder ?? options.cwd ?? null };
    const meta = options.trustSettings === true ? null : profile.metaOver(places);
    const program: AcpOptions = { ...options, args: [...(options.args ?? []), ...modelArgs] };
    this.#lines = new JsonLines(
      program,
      { ...start, emit: (event) => this.#pass(event) },
      (message, line) => this.#rpc.take(message, line),
      () => this.#ended(),
    );
    this.#rpc = new JsonRpc(this.#lines, {
      versioned: true,
      onNotification: (method, params, line) => this.#heard(method, params, line),
      onCall: (call) => this.#called(call),
    });
    const folder = start.folder ?? options.cwd ?? null;
    this.#folder = folder;
    const cwd = folder ?? process.cwd();
    const services = servicesFor(folder, start.sandbox ?? null, profile, program);
    this.#terminals = services.terminals;
    this.#requests = new ClientRequests({
      folder: cwd,
      services,
      session: () => this.#session?.id ?? null,
      turn: () => this.#turn,
      emit: (event) => this.#tell(event),
    });
    this.#opening = new SessionOpening({
      rpc: this.#rpc,
      timers: this.#timers,
      client: {
        readFiles: services.readsFiles !== null,
        writeFiles: services.writesFiles !== null,
        terminal: services.terminals !== null,
      },
      cwd,
      meta,
      conversation: start.conversation,
      model: modelArgs.length > 0 ? null : wanted,
      authMethod: options.authMethod ?? null,
      replaysLate: profile.replaysLate,
      opened: (opened) => {
        // With a model among the program's arguments its own default is not known.
        const ownDefault = modelArgs.length > 0 || opened.kind !== 'open' ? null : opened.session.models?.current;
        this.#defaultModel = options.model ?? ownDefault ?? null;
        this.#opened(opened, start.conversation);
      },
    });
  }

  prompt(turn: TurnId, text: string): void {
    if (this.#over) {
      return;
    }
    if (this.#noSession !== null) {
      this.#failTurn(turn, this.#noSession);
    } else if (this.#session === null) {
      this.#waiting = { turn, text, cancelled: false };
    } else if (this.#turn === null && this.#ending?.tail.held !== true) {
      this.#begin(this.#session, turn, text);
    } else {
      this.#tellSoon(failed(turn, failure('unknown', null, 'the turn before still runs')));
    }
  }

  interrupt(turn: TurnId): void {
    if (this.#waiting?.turn === turn) {
      this.#waiting.cancelled = true;
    }
    const running = this.#turn;
    if (running === null || running.id !== turn || this.#session === null) {
      return;
    }
    running.cancelled = true;
    this.#rpc.notify(toAgent.cancel, cancelParams(this.#session.id));
    running.permissionRequests.cancelAll();
  }

  steer(turn: TurnId, id: string, text: string): void {
    const session = this.#turn?.id === turn && !this.#turn.cancelled ? this.#session : null;
    if (session === null || !session.can.steer) {
      this.#tellSoon([{ type: 'steered', turn, id, delivered: false }]);
      return;
    }
    this.#rpc.call(steerMethod, steerParams(session.id, this.#plain(text)), (outcome) => {
      if (outcome.kind === 'broken') {
        return;
      }
      const said = outcome.kind === 'result' && isFields(outcome.result) ? textAt(outcome.result, 'outcome') : null;
      // `startedNewTurn` is not asked for. Where it happens all the same, the agent has the message.
      this.#tell({ type: 'steered', turn, id, delivered: said === 'injected' || said === 'startedNewTurn' });
    });
  }

  respond(turn: TurnId, request: string, decision: { readonly allow: boolean; readonly note: string | null }): void {
    if (this.#turn?.id === turn) {
      this.#turn.permissionRequests.answer(request, decision);
    }
  }

  switchModel(model: string | null): void {
    const wanted = model ?? this.#defaultModel;
    if (this.#session === null || this.#models === null || wanted === null) {
      this.#tellSoon([{ type: 'switched', model, ok: false }]);
      return;
    }
    const { method, params } = switchCall(this.#session.id, this.#models, wanted);
    this.#rpc.call(method, params, (outcome) => {
      if (outcome.kind !== 'broken') {
        this.#tell({ type: 'switched', model, ok: outcome.kind === 'result' });
      }
    });
  }

  close(): void {
    this.#lines.close();
  }

  kill(): void {
    this.#lines.kill();
  }

  #opened(opened: Opened, conversation: string | null): void {
    switch (opened.kind) {
      case 'failed':
        this.#explanation = { message: opened.message, hint: opened.hint };
        this.#lines.kill(opened.reason);
        return;
      case 'no-session':
        this.#noSession = opened.failure;
        this.#ready(conversation, null);
        break;
      case 'open': {
        const { session } = opened;
        this.#session = session;
        this.#models = session.models;
        this.#ready(session.id, session);
        if (session.lost !== null) {
          this.#tellPart(null, notice('conversation-lost', session.lost));
        }
        if (session.modelIgnored) {
          this.#tellPart(null, notice('model-ignored', 'the agent offers no choice of a model, and uses its own'));
        }
      }
    }
    this.#promptWaiting();
  }

  /** `session` null: it has none. */
  #ready(conversation: string | null, session: Session | null): void {
    this.#lines.started();
    const models = session !== null && session.models !== null;
    const { keepsPrompts } = this.#profile;
    const caps = { acks: false, steer: session?.can.steer === true, rewind: false, models, keepsPrompts };
    this.#tell({ type: 'ready', caps, conversation, conversationReset: session !== null && session.lost !== null });
  }

  #promptWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) {
      return;
    }
    const { turn } = waiting;
    if (!waiting.cancelled) {
      this.prompt(turn, waiting.text);
      return;
    }
    const result = { outcome: 'interrupted', empty: true, failure: null, report: { text: '' } } as const;
    this.#tellSoon([
      { type: 'started', turn },
      { type: 'result', turn, result },
    ]);
  }

  #begin(session: Session, id: TurnId, text: string): void {
    const turn = new AcpTurn(id, this.#profile, this.#wall, this.#folder);
    this.#turn = turn;
    this.#spending.begin();
    const written = this.#rpc.call(toAgent.prompt, promptParams(session.id, this.#plain(text)), (outcome) =>
      this.#turnEnded(turn, outcome),
    );
    if (!written) {
      return;
    }
    const { startedAfterMs } = this.#profile;
    if (startedAfterMs === null) {
      queueMicrotask(() => this.#confirm(turn));
    } else {
      this.#cancelConfirm = this.#timers.set(startedAfterMs, () => this.#confirm(turn));
    }
  }

  #plain(text: string): string {
    return this.#expandsPrompts ? text : this.#profile.plainText(text);
  }

  /** From now on an interrupt reaches the turn. */
  #confirm(turn: AcpTurn): void {
    this.#cancelConfirm();
    if (turn.confirmed || turn !== this.#turn) {
      return;
    }
    turn.confirmed = true;
    this.#tell({ type: 'started', turn: turn.id });
  }

  #turnEnded(turn: AcpTurn, outcome: RpcOutcome): void {
    if (outcome.kind !== 'broken') {
      this.#confirm(turn);
    }
    this.#cancelConfirm();
    this.#turn = null;
    turn.permissionRequests.cancelAll();
    if (outcome.kind === 'broken') {
      return;
    }
    const tail = new Tail({
      timers: this.#timers,
      boundary: (speaks) => {
        if (speaks) {
          // Before the result: the next prompt must wait for the end of what is no part of its turn.
          this.#tell({ type: 'unsolicited', phase: 'began', data: { why: 'it speaks on behind the end of its turn' } });
        } else {
          this.#ending = null;
        }
        this.#tellAll(turn.end(outcome, this.#spending));
      },
      quiet: () => {
        this.#ending = null;
        this.#tell({ type: 'unsolicited', phase: 'ended', data: { why: 'it is quiet' } });
      },
    });
    this.#ending = { turn, tail };
  }

  #failTurn(turn: TurnId, why: ProviderFailure): void {
    this.#explanation = { message: why.message, hint: failureRules[why.class].hint };
    this.#tellSoon(failed(turn, why));
    // Behind the result, so that the next turn starts a process that reads its login and settings again.
    queueMicrotask(() => this.#lines.kill(`no_session_${why.class}`));
  }

  #called(call: RpcCall): boolean {
    if (this.#turn !== null) {
      this.#confirm(this.#turn);
    }
    return this.#requests.take(call);
  }

  #heard(method: string, params: unknown, line: string): void {
    if (method === toClient.update) {
      this.#updated(params, line);
    } else if (method === cancelRequestMethod) {
      this.#requests.withdraw(params);
    } else if (!method.startsWith('_')) {
      // A name with an underscore is an extension, which a client may ignore.
      this.#raw('an unknown notification', line);
    }
  }

  #updated(params: unknown, line: string): void {
    const update = isFields(params) ? params['update'] : undefined;
    const kind = isFields(update) ? textAt(update, 'sessionUpdate') : null;
    if (!isFields(params) || !isFields(update) || kind === null) {
      this.#raw('session/update without an update', line);
      return;
    }
    if (kind === 'usage_update') {
      this.#spending.take(update);
    }
    if (this.#session === null) {
      this.#opening.updated();
      return;
    }
    if (textAt(params, 'sessionId') !== this.#session.id) {
      this.#raw('an update of another session', line);
      return;
    }
    if (kind === 'config_option_update') {
      this.#models = modelOption(listAt(update, 'configOptions')) ?? this.#models;
    }
    if (this.#turn !== null && !isOfSession(kind)) {
      this.#confirm(this.#turn);
    }
    const ending = this.#ending;
    if (isWords(kind)) {
      ending?.tail.heard();
    }
    const turn = this.#turn ?? (ending?.tail.held === true ? ending.turn : null);
    const events =
      turn === null ? this.#unsolicited.partsOf(kind, update)?.map(sessionOutput) : turn.hear(kind, update);
    if (events === null || events === undefined) {
      this.#raw('an update of an unknown kind', line);
    } else {
      this.#tellAll(events);
    }
  }

  #raw(problem: string, line: string): void {
    if (!this.#over) {
      this.#lines.raw(problem, line);
    }
  }

  #tellPart(turn: TurnId | null, part: OutputPart): void {
    this.#tell({ type: 'output', turn, part });
  }

  #tell(event: AgentEvent): void {
    if (!this.#over) {
      this.#emit(event);
    }
  }

  #tellAll(events: readonly AgentEvent[]): void {
    for (const event of events) {
      this.#tell(event);
    }
  }

  #tellSoon(events: readonly AgentEvent[]): void {
    queueMicrotask(() => this.#tellAll(events));
  }

  #ended(): void {
    this.#ending?.tail.end();
    this.#over = true;
    this.#opening.cancel();
    this.#cancelConfirm();
    this.#rpc.broken();
  }

  /** What the channel itself emits. `exited` waits until no command runs for the agent any more. */
  #pass(event: AgentEvent): void {
    if (event.type !== 'exited') {
      this.#emit(event);
      return;
    }
    const data = { ...(isFields(event.data) ? event.data : {}), ...this.#explanation };
    const end = (): void => this.#emit({ ...event, data });
    if (this.#terminals === null) {
      end();
    } else {
      this.#terminals.end(end);
    }
  }
}

const sessionOutput = (part: OutputPart): AgentEvent => ({ type: 'output', turn: null, part });

const failed = (turn: TurnId, why: ProviderFailure): readonly AgentEvent[] => [
  { type: 'started', turn },
  {
    type: 'result',
    turn,
    result: { outcome: 'failed', empty: true, failure: why, report: { text: '', error: why.message } },
  },
];
