/**
 * One Codex process with one conversation, as a handle of the port.
 *
 * Owns: the channel, the calls on it, the turn that runs, and the deadline of what must end with an interrupted one.
 * Invariants:
 *  codex-agent/1 What is asked of the agent before its conversation is open is kept and done then, in order.
 *  codex-agent/2 A turn is `started` with Codex's own notification, never with the response to its prompt: an interrupt
 *                between the two is answered "no active turn" and lost. An interrupt that is asked for earlier waits
 *                (`interrupt.ts`).
 *  codex-agent/3 A turn is settled by its name at Codex, once, by `turn/completed`, whatever else is read before or after.
 *  codex-agent/4 The result of an interrupted turn is emitted when its commands and sub-agents were ended, which an
 *                interrupt does not do by itself, or `backgroundDeadlineMs` later.
 *  codex-agent/5 Every permission request is answered: by `respond`, as cancelled with an interrupt or the end of its turn,
 *                or at once where no turn of ours could be asked.
 *  codex-agent/6 Codex's name of a turn comes with the response to `turn/start`. What is about an unknown turn of our
 *                conversation before that is kept with the turn and read then. Other conversations are sub-agents of the
 *                turn that runs.
 *  codex-agent/7 What cannot be understood becomes `raw`, and nothing throws.
 */
import type { OutputPart } from '../../core/model/output.ts';
import type { TurnId } from '../../core/model/ids.ts';
import { realTimers } from '../../supervise/index.ts';
import { fieldsAt, listAt, textAt } from '../child/fields.ts';
import { type Fields, JsonLines, type ProgramOptions, isFields } from '../child/json-lines.ts';
import { JsonRpc, type RpcCall, type RpcError, type RpcOutcome } from '../child/json-rpc.ts';
import type { ProviderFailure } from '../failures.ts';
import type { AgentEvent, AgentHandle, AgentResult, AgentStart } from '../port.ts';
import { BackgroundList } from '../shared/background-list.ts';
import { notice } from '../shared/parts.ts';
import { endBackgroundCommands } from './background-commands.ts';
import { UsageWindows, failureOf } from './failures.ts';
import { Interrupt } from './interrupt.ts';
import type { CodexDriverOptions } from './options.ts';
import { type TurnNotification, parseNotification } from './parse.ts';
import { OpenCommands } from './open-commands.ts';
import { type PermissionRequest, permissionRequestOf } from './permissions.ts';
import { withPlainPrompt } from './plain-prompt.ts';
import { Rewind, messageIdOf } from './rewind.ts';
import { type Opened, openSession } from './session-open.ts';
import { messagesIn, toolPartOf } from './tools.ts';
import { CodexTurn } from './turn.ts';
import { Unsolicited } from './unsolicited.ts';
import { TokenCount } from './usage.ts';

const untilNamedMax = 1_000;
const noticesMax = 200;

export class CodexAgent implements AgentHandle {
  readonly #options: CodexDriverOptions;
  readonly #folder: string | null;
  readonly #emit: (event: AgentEvent) => void;
  readonly #lines: JsonLines;
  readonly #rpc: JsonRpc;
  readonly #rewind: Rewind;
  readonly #unsolicited = new Unsolicited();
  readonly #commands = new OpenCommands();
  readonly #background = new BackgroundList((event) => this.#tell(event));
  readonly #windows = new UsageWindows();
  /** Notices that were emitted: some come with every turn. */
  readonly #noticed = new Set<string>();
  #tokens = new TokenCount(false);
  #thread: string | null = null;
  #turn: CodexTurn | null = null;
  /** Null: the conversation is open. */
  #untilOpen: (() => void)[] | null = [];
  #lastEnded = 0;
  /** Null: Codex's default. What the session asked for last, what Codex uses, and its default where that is known. */
  #model: string | null;
  #usedModel: string | null = null;
  #defaultModel: string | null = null;
  #over = false;

  constructor(options: ProgramOptions & CodexDriverOptions, start: AgentStart) {
    this.#options = options;
    this.#folder = start.folder ?? options.cwd ?? null;
    this.#emit = start.emit;
    this.#model = start.model;
    this.#lines = new JsonLines(
      options,
      start,
      (message, line) => this.#rpc.take(message, line),
      () => this.#ended(),
    );
    this.#rpc = new JsonRpc(this.#lines, {
      versioned: false,
      onNotification: (method, params, line) => this.#heard(method, params, line),
      onCall: (call) => this.#called(call),
    });
    this.#rewind = new Rewind(this.#rpc);
    openSession({
      rpc: this.#rpc,
      start,
      options,
      onDefaultModel: (model) => {
        this.#defaultModel = model;
      },
      opened: (opened) => this.#opened(opened),
      failed: (what, error) => this.#startFailed(what, error),
    });
  }

  prompt(id: TurnId, text: string, { rewind }: { readonly rewind: TurnId | null }): void {
    const turn = this.#newTurn(id);
    this.#turn = turn;
    this.#whenOpen(() => {
      if (rewind === null) {
        this.#startTurn(turn, text);
        return;
      }
      this.#rewind.to(this.#thread ?? '', rewind, (outcome) => {
        this.#tokens.forget();
        if (outcome.kind === 'result') {
          this.#startTurn(turn, text);
        } else {
          this.#notStarted(turn, outcome.error.message);
        }
      });
    });
  }

  interrupt(id: TurnId): void {
    if (this.#turn?.id === id) {
      this.#turn.interrupt.request();
    } else {
      this.#emitSoon({ type: 'ack', turn: id, noResult: id > this.#lastEnded });
    }
  }

  steer(id: TurnId, message: string, text: string): void {
    const turn = this.#turn;
    const steered = (taken: boolean): AgentEvent => ({ type: 'steered', turn: id, id: message, delivered: taken });
    if (turn === null || turn.id !== id || !turn.started || turn.interrupt.written || turn.name === null) {
      this.#emitSoon(steered(false));
      return;
    }
    const { name } = turn;
    this.#withPlain(text, (plain) =>
      this.#sendInto(name, plain, (outcome) => {
        if (outcome.kind !== 'broken') {
          this.#tell(steered(outcome.kind === 'result'));
        }
      }),
    );
  }

  respond(
    id: TurnId,
    request: string,
    { allow, note }: { readonly allow: boolean; readonly note: string | null },
  ): void {
    const turn = this.#turn;
    const asked = turn?.id === id ? turn.permissionRequests.get(request) : undefined;
    if (turn === null || asked === undefined) {
      return;
    }
    turn.permissionRequests.delete(request);
    asked.answer(allow ? 'allow' : 'deny');
    // A denial has no room for words, so they follow as a message into the same turn.
    if (!allow && note !== null && turn.name !== null && asked.thread === this.#thread) {
      this.#sendInto(turn.name, `The request was denied: ${note}`, () => {});
    }
  }

  /** Codex takes a model with each turn: there is nothing to ask it now, and a wrong name fails that turn. */
  switchModel(model: string | null): void {
    const ok = model !== null || this.#defaultModel !== null;
    if (ok) {
      this.#model = model;
    }
    this.#emitSoon({ type: 'switched', model, ok });
  }

  close(): void {
    this.#lines.close();
  }

  kill(): void {
    this.#lines.kill();
  }

  #opened({ thread, lost, resumed, model, rewinds }: Opened): void {
    this.#thread = thread;
    this.#usedModel = model;
    this.#tokens = new TokenCount(resumed);
    this.#lines.started();
    const caps = { acks: true, steer: true, rewind: rewinds, models: true, keepsPrompts: true };
    this.#tell({ type: 'ready', caps, conversation: thread, conversationReset: lost });
    const waiting = this.#untilOpen ?? [];
    this.#untilOpen = null;
    for (const act of waiting) {
      act();
    }
  }

  #startFailed(what: string, { code, message }: RpcError): void {
    this.#tellPart(null, notice('start-failed', `${what} failed: ${message}`, { code }));
    this.#lines.kill('start_failed');
  }

  #newTurn(id: TurnId): CodexTurn {
    const interrupt = new Interrupt({
      write: (settled) => {
        this.#rpc.call('turn/interrupt', { threadId: this.#thread, turnId: turn.name }, (outcome) => {
          if (outcome.kind !== 'broken') {
            settled(outcome);
          }
        });
        cancelRequests(turn);
      },
      acknowledge: () => this.#tell({ type: 'ack', turn: id, noResult: false }),
    });
    const turn = new CodexTurn(id, interrupt, () => this.#wall());
    return turn;
  }

  #startTurn(turn: CodexTurn, prompt: string): void {
    this.#withPlain(prompt, (text) => this.#startWith(turn, text));
  }

  #startWith(turn: CodexTurn, text: string): void {
    const model = this.#model ?? this.#defaultModel;
    this.#tokens.begin();
    const params = {
      threadId: this.#thread,
      input: inputOf(text),
      clientUserMessageId: messageIdOf(turn.id),
      ...(model === null || model === this.#usedModel ? {} : { model }),
    };
    this.#rpc.call('turn/start', params, (outcome) => {
      if (outcome.kind === 'result') {
        this.#usedModel = model ?? this.#usedModel;
        const name = isFields(outcome.result) ? textAt(fieldsAt(outcome.result, 'turn'), 'id') : null;
        if (name === null) {
          this.#notStarted(turn, 'the response names no turn');
        } else {
          this.#named(turn, name);
        }
      } else if (outcome.kind === 'error') {
        this.#notStarted(turn, outcome.error.message);
      }
    });
  }

  #notStarted(turn: CodexTurn, message: string): void {
    const failure: ProviderFailure = { class: 'unknown', retryAfterMs: null, status: null, message };
    this.#finish(turn, 'failed', { error: { message } }, failure);
  }

  /** The response to `turn/start`. */
  #named(turn: CodexTurn, name: string): void {
    turn.name = name;
    this.#rewind.remember(turn.id, name);
    const merged = this.#unsolicited.ownTurn === name;
    for (const read of turn.untilNamed.splice(0)) {
      read();
    }
    if (merged) {
      // The prompt went into a turn that Codex had begun by itself, and that has been confirmed.
      this.#unsolicited.ownTurnEnded();
      this.#tellPhase({ why: 'it took our message' });
      this.#confirm(turn);
    }
  }

  #heard(method: string, params: unknown, line: string): void {
    const heard = parseNotification(method, params);
    switch (heard.kind) {
      case 'request-resolved':
        this.#resolved(heard.request);
        return;
      case 'usage-windows':
        this.#windows.take(heard.limits);
        return;
      case 'notice':
        this.#notice(heard.part);
        return;
      case 'ignored':
        return;
      case 'unknown':
        this.#raw(heard.problem, line);
        return;
      case 'turn-started':
      case 'turn-completed':
      case 'text':
      case 'thinking':
      case 'item':
      case 'plan':
      case 'error':
      case 'tokens':
      case 'working':
        this.#heardOfTurn(heard, line);
    }
  }

  #heardOfTurn(heard: TurnNotification, line: string): void {
    if (heard.thread !== this.#thread) {
      this.#heardOfSubagent(heard);
      return;
    }
    const turn = this.#turn;
    const unknown = turn !== null && turn.name === null && heard.turn !== this.#unsolicited.ownTurn;
    // Only the old count of a resumed conversation, which comes before the response, is surely not about the new turn.
    if (!unknown || heard.kind === 'tokens') {
      this.#heardOfConversation(heard, line);
    } else if (turn.untilNamed.length < untilNamedMax) {
      turn.untilNamed.push(() => this.#heardOfConversation(heard, line));
    } else {
      this.#raw(`${heard.kind}: too much before the response`, line);
    }
  }

  #heardOfConversation(heard: TurnNotification, line: string): void {
    const turn = this.#turn;
    const ours = turn !== null && turn.name === heard.turn;
    if (heard.kind === 'tokens') {
      this.#tokens.take(heard.usage, ours);
      const usage = this.#tokens.ofTurn();
      if (ours && usage !== undefined) {
        this.#tell({ type: 'spent', turn: turn.id, tokens: usage.inputTokens + usage.outputTokens });
      }
    }
    if (heard.kind === 'item') {
      this.#commands.take(heard.item, heard.completed);
      this.#tellBackground();
    }
    if (!ours) {
      this.#heardOfOwnTurn(heard);
      return;
    }
    if (turn.over) {
      // What ends after an interrupt was ended by it.
      if (heard.kind === 'turn-completed') {
        this.#raw('a turn that has ended before', line);
      }
      return;
    }
    switch (heard.kind) {
      case 'turn-started':
        this.#confirm(turn);
        return;
      case 'turn-completed':
        this.#completed(turn, heard.end, line);
        return;
      case 'error':
        this.#retrying(turn, heard);
        break;
      case 'text':
      case 'thinking':
      case 'item':
      case 'plan':
      case 'tokens':
      case 'working':
        break;
    }
    turn.interrupt.turnSpoke();
    this.#tellParts(turn, turn.partsOf(heard));
  }

  /** A turn of our conversation that was not prompted, or that is over. Of the latter only words are new. */
  #heardOfOwnTurn(heard: TurnNotification): void {
    const unsolicited = this.#unsolicited;
    if (heard.kind === 'turn-started') {
      unsolicited.ownTurnBegan(heard.turn);
      this.#tellPhase({ why: 'Codex has begun a turn by itself' });
    } else if (unsolicited.ownTurn !== heard.turn) {
      if (heard.kind === 'text' && heard.piece !== '') {
        this.#tellPart(null, { kind: 'text', text: heard.piece });
      }
    } else if (heard.kind === 'text') {
      unsolicited.ownTurnSays(heard.piece);
    } else if (heard.kind === 'turn-completed') {
      const said = unsolicited.ownTurnEnded();
      const text = said === '' ? messagesIn(listAt(heard.end, 'items')) : said;
      this.#tellPhase({ text, status: textAt(heard.end, 'status') });
    }
  }

  #heardOfSubagent(heard: TurnNotification): void {
    const turn = this.#turn;
    if (heard.kind === 'turn-started') {
      this.#unsolicited.subagentBegan(heard.thread, heard.turn);
      this.#tellPhase({ why: 'a sub-agent has begun' });
    } else if (heard.kind === 'turn-completed') {
      this.#unsolicited.subagentEnded(heard.thread);
      this.#tellPhase({ why: 'the last sub-agent is done' });
    } else if (turn === null || turn.over) {
      return;
    } else if (heard.kind === 'error') {
      this.#retrying(turn, heard);
    } else if (heard.kind === 'item') {
      turn.remember(heard.item);
      const tool = toolPartOf(heard.item, heard.completed);
      if (tool !== null && turn.started) {
        this.#tellPart(turn.id, { ...tool, title: `${tool.title} (sub-agent ${heard.thread})` });
      }
    }
  }

  /** `turn/started`. */
  #confirm(turn: CodexTurn): void {
    if (turn.started) {
      return;
    }
    turn.started = true;
    this.#tell({ type: 'started', turn: turn.id });
    this.#tellParts(turn, turn.untilStarted.splice(0));
    turn.interrupt.turnStarted();
  }

  #retrying(turn: CodexTurn, { error, willRetry }: { readonly error: Fields; readonly willRetry: boolean }): void {
    if (!willRetry) {
      return;
    }
    const failure = failureOf(error, null, this.#resetMs());
    turn.retried = failure;
    this.#tell({ type: 'retrying', turn: turn.id, failure });
  }

  /** `turn/completed`. */
  #completed(turn: CodexTurn, end: Fields, line: string): void {
    const status = textAt(end, 'status') ?? 'none';
    switch (status) {
      case 'completed':
        this.#finish(turn, status, end);
        return;
      case 'failed':
        this.#finish(turn, status, end, failureOf(fieldsAt(end, 'error'), turn.retried, this.#resetMs()));
        return;
      case 'interrupted':
        turn.over = true;
        cancelRequests(turn);
        this.#endBackgroundCommands(() => this.#finish(turn, status, end));
        return;
      default:
        this.#raw('a turn completed without a known status', line);
    }
  }

  #endBackgroundCommands(then: () => void): void {
    const { timers = realTimers, backgroundDeadlineMs = 1_000 } = this.#options;
    const options = { timers, deadlineMs: backgroundDeadlineMs };
    endBackgroundCommands(this.#rpc, this.#thread ?? '', this.#unsolicited, options, (inTime) => {
      if (inTime) {
        this.#commands.clear();
      } else {
        this.#tellPart(null, notice('background-commands', 'commands of an interrupted turn may still run'));
      }
      then();
    });
  }

  #finish(turn: CodexTurn, outcome: AgentResult['outcome'], end: Fields, failure: ProviderFailure | null = null): void {
    turn.over = true;
    cancelRequests(turn);
    if (turn.text === '') {
      // What came only with the end of the turn is a piece too: the pieces are the whole text.
      this.#tellParts(turn, turn.say('end', messagesIn(listAt(end, 'items'))));
    }
    const { text } = turn;
    const usage = this.#tokens.ofTurn();
    if (this.#turn === turn) {
      this.#turn = null;
    }
    this.#lastEnded = turn.id;
    if (usage !== undefined) {
      this.#tellPart(turn.id, { kind: 'usage', ...usage });
    }
    // Before the result: the next turn must know that something runs.
    this.#tellPhase({ why: 'sub-agents are at work' });
    this.#tellBackground();
    const report = {
      text,
      ...(usage === undefined ? {} : { usage }),
      ...(failure === null ? {} : { error: end['error'] ?? null }),
    };
    this.#tell({ type: 'result', turn: turn.id, result: { outcome, empty: text === '', failure, report } });
    if (turn.interrupt.turnOver()) {
      this.#tell({ type: 'ack', turn: turn.id, noResult: false });
    }
  }

  /** A request of Codex; false: it is not for permission. */
  #called(call: RpcCall): boolean {
    const request = permissionRequestOf(call);
    if (request === null) {
      return false;
    }
    const turn = this.#turn;
    const unknown = turn !== null && turn.name === null && request.thread === this.#thread;
    if (unknown && turn.untilNamed.length < untilNamedMax) {
      turn.untilNamed.push(() => this.#permissionRequested(request));
    } else {
      this.#permissionRequested(request);
    }
    return true;
  }

  #permissionRequested(request: PermissionRequest): void {
    const turn = this.#turn;
    const ofSubagent = request.thread !== this.#thread;
    const ours = turn !== null && (ofSubagent || request.turn === null || request.turn === turn.name);
    if (!ours || !turn.started || turn.over) {
      // It is for no task, so there is no policy that could allow it.
      request.answer('deny');
    } else if (turn.interrupt.written) {
      request.answer('cancel');
    } else {
      turn.permissionRequests.set(request.id, request);
      const described = request.describe((id) => turn.item(id), this.#folder);
      this.#tell({ type: 'permission-requested', turn: turn.id, request: request.id, ...described });
    }
  }

  /** One that was answered is not kept any more, so this one is withdrawn. */
  #resolved(request: string): void {
    const turn = this.#turn;
    if (turn?.permissionRequests.delete(request) === true) {
      this.#tell({ type: 'permission-withdrawn', turn: turn.id, request });
    }
  }

  #withPlain(text: string, use: (plain: string) => void): void {
    if (this.#options.expandPrompts === true) {
      use(text);
    } else {
      withPlainPrompt(this.#rpc, text, use);
    }
  }

  #sendInto(turnName: string, text: string, settled: (outcome: RpcOutcome) => void): void {
    const params = { threadId: this.#thread, expectedTurnId: turnName, input: inputOf(text) };
    this.#rpc.call('turn/steer', params, settled);
  }

  #notice(part: OutputPart): void {
    const key = JSON.stringify(part);
    if (this.#noticed.has(key) || this.#noticed.size >= noticesMax) {
      return;
    }
    this.#noticed.add(key);
    const turn = this.#turn;
    if (turn !== null && !turn.started) {
      turn.untilStarted.push(part);
    } else {
      this.#tellPart(turn?.id ?? null, part);
    }
  }

  #tellPhase(data: object): void {
    const phase = this.#unsolicited.phaseToReport(this.#turn !== null);
    if (phase !== null) {
      this.#tell({ type: 'unsolicited', phase, data });
    }
  }

  /** What runs in a turn may still end with it. */
  #tellBackground(): void {
    if (this.#turn === null && !this.#over) {
      this.#background.is(this.#commands.titles);
    }
  }

  #tellParts(turn: CodexTurn, parts: readonly OutputPart[]): void {
    for (const part of parts) {
      this.#tellPart(turn.id, part);
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

  #emitSoon(event: AgentEvent): void {
    queueMicrotask(() => this.#tell(event));
  }

  #raw(problem: string, line: string): void {
    if (!this.#over) {
      this.#lines.raw(problem, line);
    }
  }

  #wall(): number {
    return (this.#options.wall ?? Date.now)();
  }

  /** Until the account's usage is renewed, where that is what fails its requests. */
  #resetMs(): number | null {
    return this.#windows.waitMs(this.#wall());
  }

  #whenOpen(act: () => void): void {
    if (this.#untilOpen === null) {
      act();
    } else {
      this.#untilOpen.push(act);
    }
  }

  #ended(): void {
    this.#over = true;
    this.#rpc.broken();
  }
}

const inputOf = (text: string): readonly Fields[] => [{ type: 'text', text, text_elements: [] }];

function cancelRequests(turn: CodexTurn): void {
  const requests = [...turn.permissionRequests.values()];
  turn.permissionRequests.clear();
  for (const request of requests) {
    request.answer('cancel');
  }
}
