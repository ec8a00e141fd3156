/**
 * One Claude Code process with one conversation, as a handle of the port (docs/agents/claude.md says how it works, and what was
 * measured).
 *
 * Owns: the channel and the turn that runs. Reads `Incoming` (parse.ts), writes what messages.ts makes. Invariants, beside those
 * of the port:
 *  claude-agent/1 A turn ends on the first of: a result that names its message, a lifecycle event `cancelled` or
 *                 `completed` that no result follows, its message in the receipt of an interrupt. What comes later for it
 *                 is dropped.
 *  claude-agent/2 A result that names no message ends a turn only if the turn has begun.
 *  claude-agent/3 Every interrupt cancels the queue, too, so that one that comes too early leaves nothing behind. Older
 *                 versions ignore that; there the interrupt is written again when the turn begins.
 *  claude-agent/4 An unknown conversation ends the process before it is ready. A second one is started in its place, once,
 *                 and receives what was written to the first.
 */
import { randomUUID } from 'node:crypto';
import type { OutputPart } from '../../core/model/output.ts';
import type { TurnId } from '../../core/model/ids.ts';
import { realTimers } from '../../supervise/index.ts';
import type { AgentEvent, AgentHandle, AgentStart } from '../port.ts';
import { type Fields, fieldsAt, head, textAt } from '../child/fields.ts';
import { BackgroundList } from '../shared/background-list.ts';
import { boundedJson, notice } from '../shared/parts.ts';
import { Activity } from './activity.ts';
import { BackgroundTasks } from './background-tasks.ts';
import { Channel } from './channel.ts';
import { UsageLimits, retryOf } from './failures.ts';
import { plainText, userMessage } from './messages.ts';
import type { ClaudeDriverOptions } from './options.ts';
import { type Incoming, type IncomingContent, namesAt } from './parse.ts';
import { actionOf, detailOf } from './permissions.ts';
import { Plan } from './plan.ts';
import { SessionOpen } from './session-open.ts';
import { Steering } from './steering.ts';
import { ToolUses } from './tools.ts';
import { type Ended, type Process, Turn } from './turn.ts';
import { Unsolicited } from './unsolicited.ts';
import { UsageCount } from './usage.ts';

/** A result follows its lifecycle event within milliseconds, if it follows at all. */
const resultGraceMs = 500;

export class ClaudeAgent implements AgentHandle {
  readonly #options: ClaudeDriverOptions;
  readonly #start: AgentStart;
  readonly #ids: () => string;
  readonly #folder: string;
  readonly #activity: Activity;
  readonly #limits: UsageLimits;
  readonly #steering: Steering;
  readonly #process: Process;
  readonly #unsolicited: Unsolicited;
  readonly #background = new BackgroundTasks(new BackgroundList((event) => this.#emit(event)));
  readonly #session: SessionOpen;
  readonly #channel: Channel;
  #usage: UsageCount;
  #phase: 'starting' | 'ready' | 'over' = 'starting';
  #ending = false;
  /** This version has capabilities, receipts and lifecycle events. */
  #modern = false;
  #turn: Turn | null = null;
  /** The message of the last turn that is over. */
  #ended = new Set<string>();
  #cancelGrace = (): void => {};

  constructor(options: ClaudeDriverOptions, start: AgentStart, blank: Set<string>) {
    this.#options = options;
    this.#start = start;
    this.#ids = options.ids ?? randomUUID;
    const timers = options.timers ?? realTimers;
    this.#folder = start.folder ?? options.cwd ?? process.cwd();
    const wall = options.wall ?? Date.now;
    this.#process = { tools: new ToolUses(wall, this.#folder), plan: new Plan() };
    this.#activity = new Activity(timers, options.activityMs ?? 30_000, (what) => this.#showActivity(what));
    this.#limits = new UsageLimits(wall);
    this.#steering = new Steering({
      send: (uuid, text) => this.#channel.write(userMessage(uuid, this.#plain(text))),
      request: (request, settle) => this.#channel.request(request, ({ error, body }) => error === null && settle(body)),
      steered: (turn, id, taken) => this.#emit({ type: 'steered', turn, id, delivered: taken }),
      settled: () => this.#release(),
    });
    this.#unsolicited = new Unsolicited((event) => this.#emit(event), this.#process);
    this.#session = new SessionOpen(start.conversation, this.#ids, blank);
    this.#usage = new UsageCount(this.#session.opening.kind === 'resumed');
    const own = {
      ...start,
      emit: (event: AgentEvent) => (event.type === 'exited' ? this.#exited(event) : this.#emit(event)),
    };
    this.#channel = new Channel(options, own, this.#session.opening, this.#ids, (incoming) => this.#receive(incoming));
    this.#greet();
  }

  prompt(id: TurnId, text: string): void {
    const turn = new Turn(id, this.#ids(), this.#process);
    this.#turn = turn;
    this.#channel.write(userMessage(turn.uuid, this.#plain(text)));
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
      queueMicrotask(() => this.#emit({ type: 'steered', turn: id, id: name, delivered: false }));
      return;
    }
    this.#steering.add(id, name, uuid, text);
    // What begins or ends in its name is not a turn of ours.
    this.#channel.remember(uuid);
    if (this.#process.tools.running) {
      this.#steering.send();
    }
  }

  respond(
    id: TurnId,
    request: string,
    { allow, note }: { readonly allow: boolean; readonly note: string | null },
  ): void {
    const input = this.#turn?.id === id ? this.#turn.requests.get(request) : undefined;
    if (input === undefined) {
      return;
    }
    this.#turn?.requests.delete(request);
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
      const { lost, opening } = this.#session;
      const caps = { acks: true, steer: this.#modern, rewind: false, models: true, keepsPrompts: true };
      this.#emit({ type: 'ready', caps, conversation: opening.conversation, conversationReset: lost });
    });
  }

  #exited(event: Extract<AgentEvent, { type: 'exited' }>): void {
    const starting = this.#phase === 'starting';
    const other = starting && !this.#ending ? this.#session.retry(event.data) : null;
    if (other !== null) {
      this.#usage = new UsageCount(other.kind === 'resumed');
      this.#channel.restart(other, () => this.#greet());
      return;
    }
    this.#cancelGrace();
    this.#activity.stop();
    this.#emit(starting ? { ...event, data: this.#session.explained(event.data) } : event);
    this.#phase = 'over';
  }

  #receive(incoming: Incoming): void {
    if (this.#turn !== null) {
      this.#activity.seen('name' in incoming ? incoming.name : incoming.kind);
    }
    switch (incoming.kind) {
      case 'request':
        this.#onRequest(incoming);
        return;
      case 'withdrawal':
        this.#onWithdrawal(incoming.id);
        return;
      case 'lifecycle':
        this.#onLifecycle(incoming.uuid, incoming.state);
        return;
      case 'init':
      case 'requesting':
        this.#onBegin(incoming.uuids, incoming.kind === 'init');
        return;
      case 'replay':
        if (incoming.uuid === this.#turn?.uuid) {
          this.#began(this.#turn);
        }
        return;
      case 'retry':
        this.#emit({ type: 'retrying', turn: this.#ours?.id ?? null, failure: retryOf(incoming.frame) });
        return;
      case 'stream':
      case 'assistant':
      case 'tool-results':
        this.#onContent(incoming);
        return;
      case 'result':
        this.#onResult(incoming);
        return;
      case 'limits':
        this.#limits.take(incoming.info);
        this.#notice('rate_limit_event', incoming.info);
        return;
      case 'background':
        this.#background.onList(incoming.frame);
        return;
      case 'notice':
        this.#background.onNotice(incoming.name, incoming.frame);
        this.#notice(incoming.name, incoming.frame);
        return;
      // Nothing to emit; the channel handles the other two.
      case 'activity':
      case 'response':
      case 'unknown':
        return;
    }
  }

  #onRequest({ id, subtype, body }: Extract<Incoming, { kind: 'request' }>): void {
    if (subtype !== 'can_use_tool') {
      this.#channel.refuse(id, `Signalbox does not know the request ${subtype.slice(0, 100)}.`);
      return;
    }
    const turn = this.#ours;
    if (turn === null || turn.interrupt !== null || turn.held !== null) {
      this.#channel.deny(
        id,
        turn === null ? 'The turn is unsolicited, so the tool cannot be allowed.' : 'The turn was interrupted.',
      );
      return;
    }
    turn.requests.set(id, fieldsAt(body, 'input'));
    const ask = actionOf(body, this.#folder);
    this.#emit({ type: 'permission-requested', turn: turn.id, request: id, action: ask, detail: detailOf(body) });
  }

  #onWithdrawal(id: string): void {
    const turn = this.#turn;
    if (turn?.requests.delete(id) === true) {
      this.#emit({ type: 'permission-withdrawn', turn: turn.id, request: id });
    }
  }

  #onLifecycle(uuid: string, state: string): void {
    const turn = this.#turn;
    if (this.#steering.onLifecycle(uuid, state, turn !== null && turn.held === null)) {
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
    // A message that never left the queue has no result; else one is about to follow (claude-agent/1).
    const graceMs = state === 'cancelled' && !turn.started ? 0 : resultGraceMs;
    if (graceMs === 0) {
      this.#session.turnCancelled();
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
    // Older versions name no messages: there, what begins while a message of ours waits is ours (claude-agent/2).
    if (turn !== null && (turn.started || (!this.#modern && !this.#unsolicited.running))) {
      this.#began(turn);
    } else {
      this.#unsolicited.begin();
    }
  }

  #onContent(incoming: IncomingContent): void {
    if (incoming.kind === 'stream' && incoming.subagent) {
      return;
    }
    const turn = this.#turn;
    if (turn !== null && 'uuids' in incoming && incoming.uuids.includes(turn.uuid)) {
      this.#began(turn);
    }
    const ours = this.#ours;
    if (this.#isLate(incoming)) {
      this.#unsolicited.onLate(incoming);
      return;
    }
    if (ours === null) {
      this.#unsolicited.onContent(incoming);
      return;
    }
    const before = ours.content.tokens.sum;
    this.#onOurs(ours, incoming);
    const tokens = ours.content.tokens.sum;
    if (tokens !== before) {
      this.#emit({ type: 'spent', turn: ours.id, tokens });
    }
  }

  #onOurs(ours: Turn, incoming: IncomingContent): void {
    if (incoming.kind === 'stream') {
      const { event } = incoming;
      // The last message of the turn is complete: a steered message comes too late for it.
      const stop = event['type'] === 'message_delta' ? textAt(fieldsAt(event, 'delta'), 'stop_reason') : null;
      if (stop !== null && stop !== 'tool_use') {
        this.#steering.retract();
      }
      this.#output(ours, ours.content.onStream(event));
      return;
    }
    this.#output(
      ours,
      incoming.kind === 'assistant'
        ? ours.content.onAssistant(incoming.frame, incoming.subagent)
        : ours.content.onToolResults(incoming.results, incoming.report),
    );
    if (this.#process.tools.running) {
      this.#steering.send();
    }
  }

  /** It names a turn of ours that is over; or it names none, and a message of ours waits for its turn. */
  #isLate(incoming: IncomingContent): boolean {
    const uuids = 'uuids' in incoming ? incoming.uuids : [];
    const turn = this.#turn;
    if (turn !== null && uuids.includes(turn.uuid)) {
      return false;
    }
    const waits = turn !== null && !turn.started && !this.#unsolicited.running;
    return waits || uuids.some((uuid) => this.#ended.has(uuid));
  }

  #onResult({ frame, uuids, unsolicited }: Extract<Incoming, { kind: 'result' }>): void {
    if (this.#phase === 'starting') {
      this.#session.refused(frame);
      return;
    }
    const spent = this.#usage.take(frame);
    const turn = this.#turn;
    const named = turn !== null && uuids.includes(turn.uuid);
    if (turn !== null && turn.held === null && (named || (uuids.length === 0 && turn.started))) {
      this.#session.turnEnded();
      this.#steering.onResult(uuids, true);
      if (unsolicited && this.#unsolicited.running) {
        this.#unsolicited.end(frame);
      }
      this.#end(turn, turn.endedBy(frame, spent, this.#limits.resetMs()));
      return;
    }
    const reason = textAt(frame, 'terminal_reason') ?? '';
    this.#steering.onResult(uuids, !reason.startsWith('aborted'));
    if (uuids.some((uuid) => this.#channel.isPast(uuid))) {
      return;
    }
    if (unsolicited || this.#unsolicited.running) {
      this.#unsolicited.end(frame);
    } else {
      this.#notice('unexpected_result', frame);
    }
  }

  /** The turn has ended; its result is emitted when no steered message can follow it any more. */
  #end(turn: Turn, { parts, result }: Ended): void {
    this.#cancelGrace();
    turn.held = result;
    this.#output(turn, parts);
    if (this.#steering.open) {
      this.#steering.retract();
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
    if (turn.interruptMissed) {
      this.#emit({ type: 'ack', turn: turn.id, noResult: false });
    }
  }

  #over(turn: Turn): void {
    this.#turn = null;
    this.#activity.stop();
    this.#process.tools.clear();
    this.#channel.remember(turn.uuid);
    this.#ended = new Set([turn.uuid]);
    for (const id of turn.requests.keys()) {
      this.#channel.deny(id, 'The turn is over.');
    }
    turn.requests.clear();
  }

  #began(turn: Turn): void {
    if (turn.started) {
      return;
    }
    turn.started = true;
    this.#session.turnStarted();
    this.#emit({ type: 'started', turn: turn.id });
    if (turn.interruptMissed) {
      this.#interrupt(turn);
    }
  }

  #interrupt(turn: Turn): void {
    // Claude Code itself withdraws the requests that wait for an answer (agent-port/7).
    turn.requests.clear();
    turn.interruptMissed = false;
    turn.interrupt = this.#channel.request({ subtype: 'interrupt', cancel_queued: true }, (answer, id) => {
      if (answer.error !== null) {
        this.#notice('interrupt_refused', { error: answer.error });
        return;
      }
      if (namesAt(answer.body, 'cancelled')?.includes(turn.uuid) === true) {
        turn.cancelled = true;
      } else if (!turn.started && turn.held === null) {
        turn.interruptMissed = true;
      }
      // agent-port/6: the response to an earlier interrupt says nothing yet; one that was missed is written again.
      if (turn.interrupt !== id || turn.interruptMissed) {
        return;
      }
      const none = turn.cancelled && this.#turn === turn && turn.held === null;
      if (none) {
        this.#session.turnCancelled();
        this.#over(turn);
        this.#steering.retract();
      }
      this.#emit({ type: 'ack', turn: turn.id, noResult: none });
    });
  }

  /** The turn of ours that runs; null: none. */
  get #ours(): Turn | null {
    return this.#turn !== null && this.#turn.started ? this.#turn : null;
  }

  #showActivity(what: string): void {
    const turn = this.#ours;
    if (turn !== null) {
      this.#output(turn, [notice('working', `working: ${what}`)]);
    }
  }

  #notice(name: string, frame: Fields): void {
    const { type: _, subtype: __, session_id: ___, uuid: ____, ...rest } = frame;
    const message = textAt(rest, 'message') ?? textAt(rest, 'content') ?? name.replaceAll('_', ' ');
    const part = notice(name.replaceAll('_', '-'), head(message, 500), boundedJson(rest));
    this.#emit({ type: 'output', turn: this.#ours?.id ?? null, part });
  }

  #plain(text: string): string {
    return this.#options.expandPrompts === true ? text : plainText(text, !this.#modern);
  }

  #output({ id }: Turn, parts: readonly OutputPart[]): void {
    for (const part of parts) {
      this.#emit({ type: 'output', turn: id, part });
    }
  }

  #emit(event: AgentEvent): void {
    if (this.#phase === 'over') {
      return;
    }
    this.#activity.emitted();
    this.#start.emit(event);
  }
}
