/**
 * One Codex process with one conversation, as a handle of the port.
 *
 * Owns: the channel, the calls on it, the turn that runs, and the deadline of what must end with an interrupted one.
 * Invariants:
 *  X-1 What is asked of the agent before its conversation is open is kept and done then, in order.
 *  X-2 A turn is `started` with Codex's own notification, never with the response to its prompt: an interrupt between the two
 *      is answered "no active turn" and lost. One that is asked for earlier waits for it.
 *  X-3 A turn is settled by its name at Codex, once, by `turn/completed`, whatever else is read before or after.
 *  X-4 The result of an interrupted turn is told when its commands and sub-agents have been ended, which an interrupt does not
 *      do by itself, or `restDeadlineMs` later.
 *  X-5 Every question is answered: by `answer`, as cancelled with an interrupt or the end of its turn, or at once where no turn
 *      of ours could be asked.
 */
import { notice } from '../shared/parts.ts';
import type { TurnId } from '../../core/ids.ts';
import { realTimers } from '../../supervise/index.ts';
import type { RpcCall, RpcError, RpcOutcome } from '../child/json-rpc.ts';
import { JsonRpc } from '../child/json-rpc.ts';
import { type Fields, type ProgramOptions, JsonLines, isFields } from '../child/json-lines.ts';
import type { ProviderFailure } from '../failures.ts';
import type { AgentEvent, AgentHandle, AgentStart } from '../port.ts';
import { questionOf } from './asks.ts';
import type { CodexDriverOptions } from './options.ts';
import { UsageWindows, failureOf } from './failures.ts';
import { fieldsAt, listAt, textAt } from '../child/fields.ts';
import { type Opened, openThread } from './handshake.ts';
import { messagesIn } from './items.ts';
import { Listener } from './listener.ts';
import { Others } from './others.ts';
import { putToRest } from './rest.ts';
import { takeBack } from './rewind.ts';
import { CodexTurn } from './turn.ts';
import { TokenCount } from './usage.ts';

/** How our turns are called in the conversation itself, where they outlive this process. */
const nameOf = (turn: TurnId): string => `signalbox-turn-${turn}`;
const resendMax = 3;

const noActiveTurn = /no active turn|expected active turn/i;

export class CodexAgent implements AgentHandle {
  readonly others = new Others();
  readonly windows = new UsageWindows();
  readonly #options: CodexDriverOptions;
  readonly #lines: JsonLines;
  readonly #rpc: JsonRpc;
  readonly #emit: (event: AgentEvent) => void;
  readonly #listener: Listener;
  #tokens = new TokenCount(false);
  #thread: string | null = null;
  #turn: CodexTurn | null = null;
  #waiting: (() => void)[] | null = [];
  /** Codex's names of our turns, for taking them back; the newest 1,000. */
  readonly #names = new Map<TurnId, string>();
  #lastEnded = 0;
  /** Null: Codex's default. What it was told last, what it uses, and its default if that is known. */
  #model: string | null;
  #usedModel: string | null = null;
  #defaultModel: string | null = null;
  #over = false;

  constructor(options: ProgramOptions & CodexDriverOptions, start: AgentStart) {
    this.#options = options;
    this.#emit = start.emit;
    this.#model = start.model;
    this.#lines = new JsonLines(
      options,
      start,
      (message, line) => this.#rpc.take(message, line),
      () => this.#ended(),
    );
    this.#listener = new Listener(this);
    this.#rpc = new JsonRpc(this.#lines, {
      versioned: false,
      onNotification: (method, params, line) => this.#listener.hear(method, params, line),
      onCall: (call) => this.#called(call),
    });
    openThread({
      rpc: this.#rpc,
      start,
      options,
      onDefaultModel: (model) => {
        this.#defaultModel = model;
      },
      opened: (opened) => this.#opened(opened),
      failed: (what, error) => this.#failStart(what, error),
    });
  }

  get thread(): string | null {
    return this.#thread;
  }

  get turn(): CodexTurn | null {
    return this.#turn;
  }

  get tokens(): TokenCount {
    return this.#tokens;
  }

  tell(event: AgentEvent): void {
    if (!this.#over) {
      this.#emit(event);
    }
  }

  wall(): number {
    return (this.#options.wall ?? Date.now)();
  }

  /** Until the account's usage is renewed, where that is what stands in the way. */
  resetMs(): number | null {
    return this.windows.waitMs(this.wall());
  }

  raw(problem: string, line: string): void {
    if (!this.#over) {
      this.#lines.raw(problem, line);
    }
  }

  prompt(id: TurnId, text: string, { rewind }: { readonly rewind: TurnId | null }): void {
    const turn = new CodexTurn(id);
    this.#turn = turn;
    this.#whenOpen(() => {
      if (rewind === null) {
        this.#startTurn(turn, text);
      } else {
        this.#rewind(turn, rewind, () => this.#startTurn(turn, text));
      }
    });
  }

  interrupt(id: TurnId): void {
    const turn = this.#turn;
    if (turn === null || turn.id !== id) {
      this.#soon({ type: 'ack', turn: id, none: id > this.#lastEnded });
    } else if (turn.started) {
      this.#writeInterrupt(turn);
    } else {
      turn.latched = true;
    }
  }

  steer(id: TurnId, message: string, text: string): void {
    const turn = this.#turn;
    const told = (taken: boolean): AgentEvent => ({ type: 'steered', turn: id, id: message, taken });
    if (turn === null || turn.id !== id || !turn.started || turn.interrupted || turn.codex === null) {
      this.#soon(told(false));
      return;
    }
    const params = { threadId: this.#thread, expectedTurnId: turn.codex, input: inputOf(text) };
    this.#rpc.call('turn/steer', params, (outcome) => {
      if (outcome.kind !== 'broken') {
        this.tell(told(outcome.kind === 'result'));
      }
    });
  }

  answer(
    id: TurnId,
    request: string,
    { allow, note }: { readonly allow: boolean; readonly note: string | null },
  ): void {
    const turn = this.#turn;
    const question = turn?.id === id ? turn.questions.get(request) : undefined;
    if (turn === null || question === undefined) {
      return;
    }
    turn.questions.delete(request);
    question.answer(allow ? 'allow' : 'deny');
    if (allow || note === null || turn.codex === null || question.thread !== this.#thread) {
      return;
    }
    // A denial has no room for words: they follow as a message into the same turn.
    const input = inputOf(`The request was denied: ${note}`);
    this.#rpc.call('turn/steer', { threadId: this.#thread, expectedTurnId: turn.codex, input }, () => {});
  }

  /** Codex takes a model with each turn: there is nothing to ask it now, and a name that is wrong fails that turn. */
  switchModel(model: string | null): void {
    const ok = model !== null || this.#defaultModel !== null;
    if (ok) {
      this.#model = model;
    }
    this.#soon({ type: 'switched', model, ok });
  }

  close(): void {
    this.#lines.close();
  }

  kill(): void {
    this.#lines.kill();
  }

  /** `turn/started` for the turn that runs. */
  confirm(turn: CodexTurn): void {
    if (turn.started || turn.over) {
      return;
    }
    turn.started = true;
    this.tell({ type: 'started', turn: turn.id });
    for (const part of turn.notes.splice(0)) {
      this.tell({ type: 'output', turn: turn.id, part });
    }
    if (turn.latched) {
      this.#writeInterrupt(turn);
    }
  }

  /** Something else was read of the turn: it runs, so an interrupt that was refused is written again. */
  alive(turn: CodexTurn): void {
    if (turn.unheard === 0 || turn.unheard > resendMax || turn.over) {
      return;
    }
    const tries = turn.unheard;
    turn.unheard = 0;
    this.#writeInterrupt(turn, tries);
  }

  /** `turn/completed` for the turn that runs. */
  complete(turn: CodexTurn, end: Fields): void {
    if (turn.over) {
      this.raw('a turn that has ended before', JSON.stringify(end));
      return;
    }
    const status = textAt(end, 'status');
    if (status === 'completed') {
      this.#finish(turn, status, end);
    } else if (status === 'failed') {
      this.#finish(turn, status, end, failureOf(fieldsAt(end, 'error'), turn.retried, this.resetMs()));
    } else if (status === 'interrupted') {
      turn.over = true;
      this.#cancelQuestions(turn);
      this.#rest(() => this.#finish(turn, status, end));
    } else {
      this.raw('a turn completed without a known status', JSON.stringify(end));
    }
  }

  tellOthers(data: unknown): void {
    const phase = this.others.phase(this.#turn !== null);
    if (phase !== null) {
      this.tell({ type: 'unsolicited', phase, data });
    }
  }

  #opened({ thread, lost, resumed, model, rewinds }: Opened): void {
    this.#thread = thread;
    this.#usedModel = model;
    this.#tokens = new TokenCount(resumed);
    this.#lines.started();
    const caps = { acks: true, steer: true, rewind: rewinds, models: true };
    this.tell({ type: 'ready', caps, conversation: thread, lost });
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const act of waiting) {
      act();
    }
  }

  #failStart(what: string, error: RpcError): void {
    const data = { problem: `${what} failed`, code: error.code, message: error.message };
    this.tell({ type: 'output', turn: null, part: notice('start-failed', data.message, data) });
    this.#lines.kill('start_failed');
  }

  #startTurn(turn: CodexTurn, text: string): void {
    const model = this.#model ?? this.#defaultModel;
    this.#tokens.begin();
    const params = {
      threadId: this.#thread,
      input: inputOf(text),
      clientUserMessageId: nameOf(turn.id),
      ...(model === null || model === this.#usedModel ? {} : { model }),
    };
    this.#rpc.call('turn/start', params, (outcome) => {
      if (outcome.kind === 'result' && model !== null) {
        this.#usedModel = model;
      }
      this.#startedTurn(turn, outcome);
    });
  }

  #startedTurn(turn: CodexTurn, outcome: RpcOutcome): void {
    if (outcome.kind === 'broken') {
      return;
    }
    const answer = outcome.kind === 'result' && isFields(outcome.result) ? fieldsAt(outcome.result, 'turn') : {};
    const name = textAt(answer, 'id');
    if (name === null) {
      const message = outcome.kind === 'error' ? outcome.error.message : 'the response names no turn';
      const failure: ProviderFailure = { class: 'unknown', retryAfterMs: null, status: null, message };
      this.#finish(turn, 'failed', { error: { message } }, failure);
      return;
    }
    turn.codex = name;
    this.#names.set(turn.id, name);
    if (this.#names.size > 1_000) {
      this.#names.delete(this.#names.keys().next().value ?? turn.id);
    }
    const merged = this.others.own === name;
    for (const read of turn.early.splice(0)) {
      read();
    }
    if (!merged) {
      return;
    }
    // It went into a turn that Codex had taken by itself, and that has been confirmed already.
    this.others.ownEnded();
    this.tellOthers({ why: 'it took our message' });
    this.confirm(turn);
  }

  #rewind(turn: CodexTurn, from: TurnId, then: () => void): void {
    const thread = this.#thread ?? '';
    takeBack(this.#rpc, { thread, name: this.#names.get(from) ?? null, ours: nameOf(from) }, (outcome) => {
      this.#tokens.forget();
      if (outcome.kind === 'result') {
        then();
      } else {
        this.#startedTurn(turn, outcome);
      }
    });
  }

  #writeInterrupt(turn: CodexTurn, tries = 0): void {
    turn.interrupted = true;
    const params = { threadId: this.#thread, turnId: turn.codex };
    this.#rpc.call('turn/interrupt', params, (outcome) => {
      if (outcome.kind === 'broken') {
        return;
      }
      const refused = outcome.kind === 'error';
      // Refused for a turn that runs: its end is on its way, or it is heard with the next try.
      if (refused && this.#turn === turn && noActiveTurn.test(outcome.error.message)) {
        turn.unheard = tries + 1;
      } else {
        this.tell({ type: 'ack', turn: turn.id, none: false });
      }
    });
    this.#cancelQuestions(turn);
  }

  #cancelQuestions(turn: CodexTurn): void {
    const questions = [...turn.questions.values()];
    turn.questions.clear();
    for (const question of questions) {
      question.answer('cancel');
    }
  }

  #finish(
    turn: CodexTurn,
    outcome: 'completed' | 'interrupted' | 'failed',
    end: Fields,
    failure: ProviderFailure | null = null,
  ): void {
    turn.over = true;
    this.#cancelQuestions(turn);
    const text = turn.text === '' ? messagesIn(listAt(end, 'items')) : turn.text;
    const usage = this.#tokens.ofTurn();
    const error = failure === null ? {} : { error: end['error'] ?? null };
    if (this.#turn === turn) {
      this.#turn = null;
    }
    this.#lastEnded = turn.id;
    // Before the result: whoever is next must know that something runs.
    this.tellOthers({ why: 'sub-agents are at work' });
    const report = { text, ...(usage === undefined ? {} : { usage }), ...error };
    this.tell({ type: 'result', turn: turn.id, result: { outcome, empty: text === '', failure, report } });
    if (turn.unheard > 0) {
      this.tell({ type: 'ack', turn: turn.id, none: false });
    }
  }

  #rest(then: () => void): void {
    const { timers = realTimers, restDeadlineMs = 1_000 } = this.#options;
    putToRest(this.#rpc, this.#thread ?? '', this.others, { timers, deadlineMs: restDeadlineMs }, (inTime) => {
      const part = notice('commands-may-run', 'commands of an interrupted turn may still run');
      if (!inTime) {
        this.tell({ type: 'output', turn: null, part });
      }
      then();
    });
  }

  #called(call: RpcCall): boolean {
    const question = questionOf(call, (id) => this.#turn?.item(id) ?? null);
    if (question === null) {
      return false;
    }
    const turn = this.#turn;
    const waits = turn !== null && turn.codex === null && question.thread === this.#thread;
    if (waits && turn.early.length < 1_000) {
      turn.early.push(() => this.#ask(call, question.thread));
    } else {
      this.#ask(call, question.thread);
    }
    return true;
  }

  #ask(call: RpcCall, thread: string | null): void {
    const turn = this.#turn;
    const question = questionOf(call, (id) => turn?.item(id) ?? null);
    if (question === null) {
      return;
    }
    const name = isFields(call.params) ? textAt(call.params, 'turnId') : null;
    const ours = turn !== null && turn.started && (thread !== this.#thread || name === null || name === turn.codex);
    if (!ours || turn.over) {
      // Nobody's task: there is no policy that could say yes.
      question.answer('deny');
      return;
    }
    if (turn.interrupted) {
      question.answer('cancel');
      return;
    }
    const request = String(call.id);
    turn.questions.set(request, question);
    this.tell({ type: 'asked', turn: turn.id, request, ask: question.ask, detail: question.detail });
  }

  #whenOpen(act: () => void): void {
    if (this.#waiting === null) {
      act();
    } else {
      this.#waiting.push(act);
    }
  }

  /** Nothing is emitted from within a method. */
  #soon(event: AgentEvent): void {
    queueMicrotask(() => this.tell(event));
  }

  #ended(): void {
    this.#rpc.broken();
    this.#over = true;
  }
}

const inputOf = (text: string): readonly Fields[] => [{ type: 'text', text, text_elements: [] }];
