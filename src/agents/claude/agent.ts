/**
 * One Claude Code process with one conversation (docs/agents/claude.md says what it does when, and what was measured).
 *
 * Owns: the channel and the turn that runs. Reads `Heard` (wire.ts), writes what prompts.ts makes. Invariants, beside those
 * of the port:
 *  K-1 A turn ends on the first of: a result that names its message, a lifecycle event `cancelled` or `completed` that no
 *      result follows, its message in the receipt of an interrupt. What comes later for it is dropped.
 *  K-2 A result that names no message ends a turn only if that has begun.
 *  K-3 Every interrupt asks for the queue to be cancelled too, so that one that comes too early leaves nothing behind; older
 *      versions know no such word, and there it is written again when the turn begins.
 *  K-4 An unknown conversation ends the process before it is ready; a second one is begun in its place, once, and what was
 *      written to the first is written to it.
 */
import { notice } from '../shared/parts.ts';
import type { Spent } from './usage.ts';
import { randomUUID } from 'node:crypto';
import type { TurnId } from '../../core/ids.ts';
import { realTimers } from '../../supervise/index.ts';
import { fieldsAt, textAt } from '../child/fields.ts';
import type { Fields } from '../child/json-lines.ts';
import type { AgentEvent, AgentHandle, AgentResult, AgentStart } from '../port.ts';
import { Channel } from './channel.ts';
import { retryOf } from './failures.ts';
import { Limits } from './limits.ts';
import { Openings } from './openings.ts';
import type { ClaudeDriverOptions } from './options.ts';
import { plainWords, userMessage } from './prompts.ts';
import { Pulse } from './pulse.ts';
import { Steers } from './steers.ts';
import { ToolUses, askOf, detailOf } from './tools.ts';
import { Turn } from './turn.ts';
import { Unasked } from './unasked.ts';
import { UsageCount } from './usage.ts';
import { type Content, type Heard, namesAt } from './wire.ts';

/** A result follows its lifecycle event within milliseconds, if it follows at all. */
const resultGraceMs = 500;

export class ClaudeAgent implements AgentHandle {
  readonly #options: ClaudeDriverOptions;
  readonly #start: AgentStart;
  readonly #ids: () => string;
  readonly #pulse: Pulse;
  readonly #limits: Limits;
  readonly #steers: Steers;
  readonly #tools = new ToolUses();
  readonly #unasked: Unasked;
  readonly #openings: Openings;
  readonly #channel: Channel;
  #usage: UsageCount;
  #phase: 'starting' | 'ready' | 'over' = 'starting';
  #ending = false;
  /** It has capabilities, receipts and lifecycle events. */
  #modern = false;
  #turn: Turn | null = null;
  #cancelGrace = (): void => {};

  constructor(options: ClaudeDriverOptions, start: AgentStart, blank: Set<string>) {
    this.#options = options;
    this.#start = start;
    this.#ids = options.ids ?? randomUUID;
    const timers = options.timers ?? realTimers;
    this.#pulse = new Pulse(timers, options.pulseMs ?? 30_000, (what) => this.#sign(what));
    this.#limits = new Limits(options.wall ?? Date.now);
    this.#steers = new Steers({
      send: (uuid, text) => this.#channel.write(userMessage(uuid, this.#words(text))),
      request: (request, settle) => this.#channel.request(request, ({ error, body }) => error === null && settle(body)),
      steered: (turn, id, taken) => this.#emit({ type: 'steered', turn, id, taken }),
      settled: () => this.#release(),
    });
    this.#unasked = new Unasked((event) => this.#emit(event), this.#tools);
    this.#openings = new Openings(start.conversation, this.#ids, blank);
    this.#usage = new UsageCount(this.#openings.now.kind === 'resumed');
    const own = {
      ...start,
      emit: (event: AgentEvent) => (event.type === 'exited' ? this.#exited(event) : this.#emit(event)),
    };
    this.#channel = new Channel(options, own, this.#openings.now, this.#ids, (heard) => this.#hear(heard));
    this.#greet();
  }

  prompt(id: TurnId, text: string): void {
    const turn = new Turn(id, this.#ids(), this.#tools);
    this.#turn = turn;
    this.#channel.write(userMessage(turn.uuid, this.#words(text)));
  }

  interrupt(id: TurnId): void {
    const turn = this.#turn;
    // To Claude Code an interrupt names no turn: one for a turn that is over would end the next.
    if (turn !== null && turn.id === id) {
      this.#interrupt(turn);
    }
  }

  steer(id: TurnId, name: string, text: string): void {
    const turn = this.#turn;
    const uuid = this.#ids();
    if (turn === null || turn.id !== id || turn.interrupt !== null || turn.held !== null || !this.#modern) {
      queueMicrotask(() => this.#emit({ type: 'steered', turn: id, id: name, taken: false }));
      return;
    }
    this.#steers.add(id, name, uuid, text);
    // Whatever begins or ends in its name is no turn of ours.
    this.#channel.remember(uuid);
    if (this.#tools.running) {
      this.#steers.send();
    }
  }

  answer(
    id: TurnId,
    request: string,
    { allow, note }: { readonly allow: boolean; readonly note: string | null },
  ): void {
    const input = this.#turn?.id === id ? this.#turn.asks.get(request) : undefined;
    if (input === undefined) {
      return;
    }
    this.#turn?.asks.delete(request);
    if (allow) {
      this.#channel.allow(request, input);
    } else {
      this.#channel.deny(request, note ?? 'Permission was denied.');
    }
  }

  switchModel(model: string | null): void {
    // `default` is Claude Code's own choice, also where it was started with `--model` (measured).
    const name = model ?? this.#options.model ?? 'default';
    this.#channel.request({ subtype: 'set_model', model: name }, ({ error }) => {
      this.#emit({ type: 'switched', model, ok: error === null });
    });
  }

  close(): void {
    this.#ending = true;
    this.#channel.close();
  }

  kill(): void {
    this.#ending = true;
    this.#channel.kill();
  }

  #greet(): void {
    this.#channel.greet({ subtype: 'initialize' }, ({ body }) => {
      this.#phase = 'ready';
      this.#modern = Array.isArray(body['capabilities']);
      this.#channel.ready();
      const { lost, now } = this.#openings;
      const caps = { acks: true, steer: this.#modern, rewind: false, models: true };
      this.#emit({ type: 'ready', caps, conversation: now.conversation, lost });
    });
  }

  #exited(event: Extract<AgentEvent, { type: 'exited' }>): void {
    const starting = this.#phase === 'starting';
    const other = starting && !this.#ending ? this.#openings.other(event.data) : null;
    if (other !== null) {
      this.#usage = new UsageCount(other.kind === 'resumed');
      this.#channel.again(other, () => this.#greet());
      return;
    }
    this.#cancelGrace();
    this.#pulse.stop();
    this.#emit(starting ? { ...event, data: this.#openings.explained(event.data) } : event);
    this.#phase = 'over';
  }

  #hear(heard: Heard): void {
    if (this.#turn !== null) {
      this.#pulse.heard('name' in heard ? heard.name : heard.kind);
    }
    switch (heard.kind) {
      case 'request':
        this.#onRequest(heard);
        return;
      case 'withdrawal':
        this.#onWithdrawal(heard.id);
        return;
      case 'lifecycle':
        this.#onLifecycle(heard.uuid, heard.state);
        return;
      case 'init':
      case 'requesting':
        this.#onBegin(heard.uuids, heard.kind === 'init');
        return;
      case 'replay':
        if (heard.uuid === this.#turn?.uuid) {
          this.#began(this.#turn);
        }
        return;
      case 'retry':
        this.#emit({ type: 'retrying', turn: this.#ours?.id ?? null, failure: retryOf(heard.frame) });
        return;
      case 'stream':
      case 'assistant':
      case 'tool-results':
        this.#onContent(heard);
        return;
      case 'result':
        this.#onResult(heard);
        return;
      case 'limits':
        this.#limits.take(heard.info);
        this.#notice('rate_limit_event', heard.info);
        return;
      case 'notice':
        this.#notice(heard.name, heard.frame);
        return;
      // A sign of life and no more; the channel keeps the other two for itself.
      case 'pulse':
      case 'response':
      case 'unknown':
        return;
    }
  }

  #onRequest({ id, subtype, body }: Extract<Heard, { kind: 'request' }>): void {
    if (subtype !== 'can_use_tool') {
      this.#channel.refuse(id, `Signalbox knows no request ${subtype.slice(0, 100)}.`);
      return;
    }
    const turn = this.#ours;
    if (turn === null || turn.interrupt !== null || turn.held !== null) {
      this.#channel.deny(
        id,
        turn === null ? 'Nobody has asked for this turn, so nobody can allow it.' : 'The turn was interrupted.',
      );
      return;
    }
    turn.asks.set(id, fieldsAt(body, 'input'));
    const folder = this.#start.folder ?? this.#options.cwd ?? process.cwd();
    this.#emit({ type: 'asked', turn: turn.id, request: id, ask: askOf(body, folder), detail: detailOf(body) });
  }

  #onWithdrawal(id: string): void {
    const turn = this.#turn;
    if (turn?.asks.delete(id) === true) {
      this.#emit({ type: 'withdrawn', turn: turn.id, request: id });
    }
  }

  #onLifecycle(uuid: string, state: string): void {
    const turn = this.#turn;
    if (this.#steers.onLifecycle(uuid, state, turn !== null && turn.held === null)) {
      return;
    }
    if (turn === null || turn.uuid !== uuid || turn.held !== null) {
      return;
    }
    if (state === 'started') {
      this.#began(turn);
    }
    if (state !== 'completed' && state !== 'cancelled') {
      return;
    }
    // A message that never left the queue has no result; else one is about to follow (K-1).
    const graceMs = state === 'cancelled' && !turn.started ? 0 : resultGraceMs;
    if (graceMs === 0) {
      this.#openings.undone();
      this.#end(turn, turn.endedAs(state));
      return;
    }
    this.#cancelGrace();
    this.#cancelGrace = (this.#options.timers ?? realTimers).set(graceMs, () => {
      if (this.#turn === turn && turn.held === null) {
        this.#end(turn, turn.endedAs(state));
      }
    });
  }

  /** A turn begins, or a request to the model does. */
  #onBegin(uuids: readonly string[], isInit: boolean): void {
    const turn = this.#turn;
    if (turn !== null && uuids.includes(turn.uuid)) {
      this.#began(turn);
      return;
    }
    if (!isInit || uuids.some((uuid) => this.#channel.isPast(uuid))) {
      return;
    }
    // Older versions name no messages: there, what begins while a message of ours waits is ours (K-2).
    if (turn !== null && (turn.started || (!this.#modern && !this.#unasked.running))) {
      this.#began(turn);
    } else {
      this.#unasked.begin();
    }
  }

  #onContent(heard: Content): void {
    if (heard.kind === 'stream' && heard.sub) {
      return;
    }
    const turn = this.#turn;
    if (turn !== null && 'uuids' in heard && heard.uuids.includes(turn.uuid)) {
      this.#began(turn);
    }
    const mine = this.#ours;
    if (mine === null) {
      // While a message of ours waits, what is not known to be of another turn is a late word of the one before.
      if (turn === null || this.#unasked.running) {
        this.#unasked.onContent(heard);
      }
      return;
    }
    if (heard.kind === 'stream') {
      // The last message of the turn is complete: what was to be steered into it comes too late.
      const stop =
        heard.event['type'] === 'message_delta' ? textAt(fieldsAt(heard.event, 'delta'), 'stop_reason') : null;
      if (stop !== null && stop !== 'tool_use') {
        this.#steers.retract();
      }
      this.#emitAll(mine.onStream(heard.event));
      return;
    }
    this.#emitAll(
      heard.kind === 'assistant' ? mine.onAssistant(heard.frame, heard.sub) : mine.onToolResults(heard.results),
    );
    if (this.#tools.running) {
      this.#steers.send();
    }
  }

  #onResult({ frame, uuids, unasked }: Extract<Heard, { kind: 'result' }>): void {
    if (this.#phase === 'starting') {
      this.#openings.refused(frame);
      return;
    }
    const spent = this.#usage.take(frame);
    const turn = this.#turn;
    const named = turn !== null && uuids.includes(turn.uuid);
    if (turn !== null && turn.held === null && (named || (uuids.length === 0 && turn.started))) {
      this.#openings.written();
      this.#steers.onResult(uuids, true);
      if (unasked && this.#unasked.running) {
        this.#unasked.end(frame);
      }
      this.#end(turn, turn.endedBy(frame, spent, this.#limits.resetMs()), spent);
      return;
    }
    const reason = textAt(frame, 'terminal_reason') ?? '';
    this.#steers.onResult(uuids, !reason.startsWith('aborted'));
    if (uuids.some((uuid) => this.#channel.isPast(uuid))) {
      return;
    }
    if (unasked || this.#unasked.running) {
      this.#unasked.end(frame);
    } else {
      this.#notice('a result of no turn', frame);
    }
  }

  /** The turn has come to its end; it is told when no steered message can follow it any more. */
  #end(turn: Turn, result: AgentResult, { usage, cost }: Spent = {}): void {
    this.#cancelGrace();
    turn.held = result;
    if (usage !== undefined) {
      this.#emit({ type: 'output', turn: turn.id, part: { kind: 'usage', ...usage } });
    }
    if (cost !== undefined) {
      this.#emit({ type: 'output', turn: turn.id, part: { kind: 'cost', ...cost } });
    }
    if (this.#steers.open) {
      this.#steers.retract();
    } else {
      this.#release();
    }
  }

  #release(): void {
    const turn = this.#turn;
    if (turn === null || turn.held === null) {
      return;
    }
    this.#over(turn);
    this.#emit({ type: 'result', turn: turn.id, result: turn.held });
    if (turn.early) {
      this.#emit({ type: 'ack', turn: turn.id, none: false });
    }
  }

  #over(turn: Turn): void {
    this.#turn = null;
    this.#pulse.stop();
    this.#tools.clear();
    this.#channel.remember(turn.uuid);
    for (const id of turn.asks.keys()) {
      this.#channel.deny(id, 'The turn is over.');
    }
    turn.asks.clear();
  }

  #began(turn: Turn): void {
    if (turn.started) {
      return;
    }
    turn.started = true;
    this.#openings.begun();
    this.#emit({ type: 'started', turn: turn.id });
    if (turn.early) {
      this.#interrupt(turn);
    }
  }

  #interrupt(turn: Turn): void {
    // What waits for an answer is withdrawn by Claude Code itself.
    turn.asks.clear();
    turn.early = false;
    turn.interrupt = this.#channel.request({ subtype: 'interrupt', cancel_queued: true }, (answer, id) => {
      if (answer.error !== null) {
        this.#notice('interrupt refused', { error: answer.error });
        return;
      }
      if (namesAt(answer.body, 'cancelled')?.includes(turn.uuid) === true) {
        turn.cancelled = true;
      } else if (!turn.started && turn.held === null) {
        turn.early = true;
      }
      // an earlier one says nothing yet, and an early one will be written again.
      if (turn.interrupt !== id || turn.early) {
        return;
      }
      const none = turn.cancelled && this.#turn === turn && turn.held === null;
      if (none) {
        this.#openings.undone();
        this.#over(turn);
        this.#steers.retract();
      }
      this.#emit({ type: 'ack', turn: turn.id, none });
    });
  }

  /** The turn that content belongs to; null: none of ours runs. */
  get #ours(): Turn | null {
    return this.#turn !== null && this.#turn.started ? this.#turn : null;
  }

  #sign(what: string): void {
    const turn = this.#ours;
    if (turn !== null) {
      this.#emit({ type: 'output', turn: turn.id, part: notice('working', what) });
    }
  }

  #notice(name: string, frame: Fields): void {
    const { type: _, subtype: __, session_id: ___, uuid: ____, ...rest } = frame;
    this.#emit({ type: 'output', turn: this.#ours?.id ?? null, part: notice('program', name, detailOf(rest)) });
  }

  #words(text: string): string {
    return this.#options.expandPrompts === true ? text : plainWords(text, !this.#modern);
  }

  #emitAll(events: readonly AgentEvent[]): void {
    for (const event of events) {
      this.#emit(event);
    }
  }

  #emit(event: AgentEvent): void {
    if (this.#phase === 'over') {
      return;
    }
    this.#pulse.told();
    this.#start.emit(event);
  }
}
