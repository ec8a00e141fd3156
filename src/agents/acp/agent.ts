/**
 * One ACP agent with one session, as a handle of the port.
 *
 * Owns: the channel, the calls on it, the turn that runs, and what is done for the agent as its client.
 * Invariants:
 *  Y-1 A prompt that comes before the session is open is kept and written then; an interrupt of it keeps it from being
 *      written at all.
 *  Y-2 `started` follows the prompt at once: both are read in order, so a cancel behind the prompt finds it; later where a
 *      program is known to lose one. There is no ack in the protocol: the response to the prompt is the boundary, and it alone.
 *  Y-3 One prompt at a time is on the wire: what agents make of a second one differs from queueing to cancelling the first.
 *  Y-4 What comes while a conversation is taken up is its past, and no output of a turn; also where the agent has already
 *      answered and goes on with it: it is ready when that has been quiet for `replayQuietMs`.
 *  Y-5 Nothing is told from within a method, and nothing after `exited`, which waits for the commands run for the agent.
 */
import type { OutputPart } from '../../core/events.ts';
import { notice } from '../shared/parts.ts';
import type { TurnId } from '../../core/ids.ts';
import type { Timers } from '../../supervise/index.ts';
import { commonVariables, pickEnvironment, realTimers } from '../../supervise/index.ts';
import { fieldsAt, listAt, textAt } from '../child/fields.ts';
import { type Fields, JsonLines, isFields, agentNice } from '../child/json-lines.ts';
import type { RpcOutcome } from '../child/json-rpc.ts';
import { JsonRpc } from '../child/json-rpc.ts';
import type { ProviderFailure } from '../failures.ts';
import { FAILURES } from '../failures.ts';
import type { AgentEvent, AgentHandle, AgentStart } from '../port.ts';
import { ClientSide } from './client-side.ts';
import { failure } from './failure.ts';
import { Files } from './files.ts';
import type { Opened, Session } from './opening.ts';
import { openSession } from './opening.ts';
import type { AcpOptions } from './options.ts';
import type { Profile } from './profiles/profile.ts';
import { Terminals } from './terminals.ts';
import { AcpTurn } from './turn.ts';
import { besidesOf } from './updates.ts';
import { Spending } from './usage.ts';
import type { Models } from './wire.ts';
import {
  cancelParams,
  cancelRequestMethod,
  modelOption,
  promptParams,
  steerMethod,
  steerParams,
  switchCall,
  toAgent,
  toClient,
} from './wire.ts';

interface Early {
  readonly turn: TurnId;
  readonly text: string;
  cancelled: boolean;
}

const replayQuietMs = 250;
/** What may come at any time, and says nothing of a turn. */
const ofSession: ReadonlySet<string> = new Set([
  'available_commands_update',
  'config_option_update',
  'current_mode_update',
  'session_info_update',
]);

/** Extra words for an end that the process itself cannot explain. */
interface Explained {
  readonly message: string;
  readonly hint: string;
}

export class AcpAgent implements AgentHandle {
  readonly #profile: Profile;
  readonly #emit: (event: AgentEvent) => void;
  readonly #lines: JsonLines;
  readonly #rpc: JsonRpc;
  readonly #client: ClientSide;
  readonly #terminals: Terminals | null;
  readonly #spending: Spending;
  #session: Session | null = null;
  /** No turn can be taken; the first one is told why, and the process ended, so that the next one begins anew. */
  #hopeless: ProviderFailure | null = null;
  #early: Early | null = null;
  #turn: AcpTurn | null = null;
  #models: Models | null = null;
  /** What the agent uses where nobody asks for a model; null: not known. */
  #defaultModel: string | null = null;
  #explained: Explained | null = null;
  readonly #timers: Timers;
  /** Called when the past has been quiet; each update of it begins the wait anew. */
  #replayed: (() => void) | null = null;
  #cancelQuiet = (): void => {};
  #cancelConfirm = (): void => {};
  #over = false;

  constructor(profile: Profile, options: AcpOptions, start: AgentStart) {
    this.#profile = profile;
    this.#emit = start.emit;
    this.#timers = options.timers ?? realTimers;
    this.#spending = new Spending(profile.sumsUsage);
    const wanted = start.model ?? options.model ?? null;
    const byArgs = wanted === null ? [] : (profile.modelArgs?.(wanted) ?? []);
    const program: AcpOptions = { ...options, args: [...(options.args ?? []), ...byArgs] };
    this.#lines = new JsonLines(
      program,
      { ...start, emit: (event) => this.#pass(event) },
      (message, line) => this.#rpc.take(message, line),
      () => {
        this.#over = true;
        this.#cancelQuiet();
        this.#cancelConfirm();
        this.#rpc.broken();
      },
    );
    // Without a folder of the session there is nothing that could be served: the daemon's own is not for agents.
    const folder = start.folder ?? options.cwd ?? null;
    this.#terminals = folder === null || options.terminal !== true ? null : terminalsOf(folder, program);
    const files =
      folder === null || options.files === false ? null : new Files(folder, options.fileMaxBytes ?? 4_194_304);
    const offered = { read: files !== null && profile.files.read, write: files !== null && profile.files.write };
    const cwd = folder ?? process.cwd();
    this.#client = new ClientSide({
      folder: cwd,
      files,
      offered,
      terminals: this.#terminals,
      session: () => this.#session?.id ?? null,
      turn: () => this.#turn,
      tell: (event) => this.#tell(event),
    });
    this.#rpc = new JsonRpc(this.#lines, {
      versioned: true,
      onNotification: (method, params, line) => this.#heard(method, params, line),
      onCall: (call) => {
        if (this.#turn !== null) {
          this.#confirm(this.#turn);
        }
        return this.#client.take(call);
      },
    });
    const client = { readFiles: offered.read, writeFiles: offered.write, terminal: this.#terminals !== null };
    const { conversation } = start;
    const model = byArgs.length > 0 ? null : wanted;
    openSession(this.#rpc, { client, cwd, conversation, model, authMethod: options.authMethod ?? null }, (opened) => {
      const go = (): void => this.#opened(opened, conversation, options.model ?? null, byArgs.length > 0);
      const replays = opened.kind === 'open' && conversation !== null && opened.session.lost === null;
      if (!replays || !profile.replaysLate) {
        go();
        return;
      }
      this.#replayed = go;
      this.#awaitQuiet();
    });
  }

  prompt(turn: TurnId, text: string): void {
    if (this.#over) {
      return;
    }
    if (this.#hopeless !== null) {
      this.#fail(turn, this.#hopeless);
    } else if (this.#session === null) {
      this.#early = { turn, text, cancelled: false };
    } else if (this.#turn === null) {
      this.#begin(this.#session, turn, text);
    } else {
      this.#soon(failed(turn, failure('unknown', null, `turn ${this.#turn.id} still runs`)));
    }
  }

  interrupt(turn: TurnId): void {
    if (this.#early?.turn === turn) {
      this.#early.cancelled = true;
    }
    const running = this.#turn;
    if (running === null || running.id !== turn || this.#session === null) {
      return;
    }
    running.cancelled = true;
    this.#rpc.notify(toAgent.cancel, cancelParams(this.#session.id));
    running.asks.cancelAll();
  }

  steer(turn: TurnId, id: string, text: string): void {
    const session = this.#turn?.id === turn && !this.#turn.cancelled ? this.#session : null;
    if (session === null || !session.can.steer) {
      this.#soon([{ type: 'steered', turn, id, taken: false }]);
      return;
    }
    this.#rpc.call(steerMethod, steerParams(session.id, text), (outcome) => {
      if (outcome.kind === 'broken') {
        return;
      }
      const said = outcome.kind === 'result' && isFields(outcome.result) ? textAt(outcome.result, 'outcome') : null;
      // `startedNewTurn` is not asked for: where it happens all the same, the message is with the agent.
      this.#tell({ type: 'steered', turn, id, taken: said === 'injected' || said === 'startedNewTurn' });
    });
  }

  answer(turn: TurnId, request: string, decision: { readonly allow: boolean; readonly note: string | null }): void {
    if (this.#turn?.id === turn) {
      this.#turn.asks.answer(request, decision);
    }
  }

  switchModel(model: string | null): void {
    const wanted = model ?? this.#defaultModel;
    if (this.#session === null || this.#models === null || wanted === null) {
      this.#soon([{ type: 'switched', model, ok: false }]);
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

  #opened(opened: Opened, conversation: string | null, ownDefault: string | null, byArgs: boolean): void {
    if (opened.kind === 'failed') {
      this.#explained = { message: opened.message, hint: opened.hint };
      this.#lines.kill(opened.reason);
      return;
    }
    this.#lines.started();
    if (opened.kind === 'hopeless') {
      this.#hopeless = opened.failure;
      const caps = { acks: false, steer: false, rewind: false, models: false };
      this.#tell({ type: 'ready', caps, conversation, lost: false });
    } else {
      const { session } = opened;
      this.#session = session;
      this.#models = session.models;
      // With a model among its arguments, its own default is not known.
      this.#defaultModel = ownDefault ?? (byArgs ? null : (session.models?.current ?? null));
      const caps = { acks: false, steer: session.can.steer, rewind: false, models: session.models !== null };
      this.#tell({ type: 'ready', caps, conversation: session.id, lost: session.lost !== null });
      if (session.lost !== null) {
        this.#aside('conversation-lost', session.lost);
      }
      if (session.modelIgnored) {
        this.#aside('model-ignored', 'it offers no choice of a model: it uses its own');
      }
    }
    const early = this.#early;
    this.#early = null;
    if (early === null) {
      return;
    }
    if (!early.cancelled) {
      this.prompt(early.turn, early.text);
    } else {
      const report = { text: '' };
      this.#soon([
        { type: 'started', turn: early.turn },
        { type: 'result', turn: early.turn, result: { outcome: 'interrupted', empty: true, failure: null, report } },
      ]);
    }
  }

  #awaitQuiet(): void {
    this.#cancelQuiet();
    this.#cancelQuiet = this.#timers.set(replayQuietMs, () => this.#replayed?.());
  }

  #begin(session: Session, id: TurnId, text: string): void {
    const turn = new AcpTurn(id, this.#profile);
    this.#turn = turn;
    this.#spending.begin();
    const written = this.#rpc.call(toAgent.prompt, promptParams(session.id, text), (outcome) =>
      this.#ended(turn, outcome),
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

  /** An interrupt finds the turn from now on. */
  #confirm(turn: AcpTurn): void {
    this.#cancelConfirm();
    if (turn.confirmed || turn !== this.#turn) {
      return;
    }
    turn.confirmed = true;
    this.#tell({ type: 'started', turn: turn.id });
  }

  #ended(turn: AcpTurn, outcome: RpcOutcome): void {
    if (outcome.kind !== 'broken') {
      this.#confirm(turn);
    }
    this.#cancelConfirm();
    this.#turn = null;
    turn.asks.cancelAll();
    if (outcome.kind === 'broken') {
      return;
    }
    for (const event of turn.end(outcome, this.#spending)) {
      this.#tell(event);
    }
  }

  #fail(turn: TurnId, why: ProviderFailure): void {
    this.#explained = { message: why.message, hint: FAILURES[why.class].hint };
    this.#soon(failed(turn, why));
    // Behind the result: the next turn finds a process that has read its login and settings anew.
    queueMicrotask(() => this.#lines.kill(`no_session_${why.class}`));
  }

  #heard(method: string, params: unknown, line: string): void {
    if (method === toClient.update) {
      this.#updated(params, line);
    } else if (method === cancelRequestMethod) {
      this.#client.takeBack(params);
    }
    // Extensions are made to be ignored by who does not know them.
    else if (!method.startsWith('_')) {
      this.#raw('a notification that is not known', line);
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
      if (this.#replayed !== null) {
        this.#awaitQuiet();
      }
      return;
    }
    if (textAt(params, 'sessionId') !== this.#session.id) {
      this.#raw('an update of another session', line);
      return;
    }
    if (kind === 'config_option_update') {
      this.#models = modelOption(listAt(update, 'configOptions')) ?? this.#models;
    }
    if (this.#turn !== null && !ofSession.has(kind)) {
      this.#confirm(this.#turn);
    }
    const events = this.#turn === null ? besides(kind, update) : this.#turn.hear(kind, update);
    if (events === null) {
      this.#raw('an update of no known kind', line);
    } else {
      for (const event of events) this.#tell(event);
    }
  }

  #raw(problem: string, line: string): void {
    if (!this.#over) {
      this.#lines.raw(problem, line);
    }
  }

  #aside(code: string, message: string): void {
    this.#tell({ type: 'output', turn: null, part: notice(code, message) });
  }

  #tell(event: AgentEvent): void {
    if (!this.#over) {
      this.#emit(event);
    }
  }

  #soon(events: readonly AgentEvent[]): void {
    queueMicrotask(() => events.forEach((event) => this.#tell(event)));
  }

  /** What the channel itself tells. `exited` waits until nothing is left of what ran for the agent. */
  #pass(event: AgentEvent): void {
    if (event.type !== 'exited') {
      this.#emit(event);
      return;
    }
    const data = { ...(isFields(event.data) ? event.data : {}), ...this.#explained };
    const end = (): void => this.#emit({ ...event, data });
    if (this.#terminals === null) {
      end();
    } else {
      this.#terminals.end(end);
    }
  }
}

const failed = (turn: TurnId, why: ProviderFailure): readonly AgentEvent[] => [
  { type: 'started', turn },
  {
    type: 'result',
    turn,
    result: { outcome: 'failed', empty: true, failure: why, report: { text: '', error: why.message } },
  },
];

/** What comes when no turn runs: a task in the background, or what an agent says late. Null: of no known kind. */
function besides(kind: string, update: Fields): readonly AgentEvent[] | null {
  const aside = (part: OutputPart): readonly AgentEvent[] => [{ type: 'output', turn: null, part }];
  if (kind === 'agent_message_chunk') {
    return aside({ kind: 'text', text: textAt(fieldsAt(update, 'content'), 'text') ?? '' });
  }
  if (kind === 'tool_call' || kind === 'tool_call_update') {
    const [id, status] = [textAt(update, 'toolCallId'), textAt(update, 'status')];
    return aside(notice('tool', `tool call ${id ?? ''} ${status ?? ''}`.trim(), { id, status }));
  }
  const part = besidesOf(kind, update);
  if (part === null) {
    return null;
  }
  return part === 'nothing' ? [] : aside(part);
}

/** Commands have the environment of their agent, and a cookie of their own: the end of one must not look like the agent's. */
function terminalsOf(folder: string, options: AcpOptions): Terminals {
  const { passEnv = commonVariables, ambient = process.env, env, ids, timers, termGraceMs, reapDeadlineMs } = options;
  const { nice = agentNice } = options;
  return new Terminals({
    folder,
    env: { ...pickEnvironment(passEnv, ambient), ...env },
    max: options.terminalsMax ?? 8,
    maxBytes: options.terminalMaxBytes ?? 1_048_576,
    spawn: {
      nice,
      ...(ids === undefined ? {} : { ids }),
      ...(timers === undefined ? {} : { timers }),
      ...(termGraceMs === undefined ? {} : { termGraceMs }),
      ...(reapDeadlineMs === undefined ? {} : { reapDeadlineMs }),
    },
  });
}
