/**
 * One session of the core, driven by hand: what a sender, an agent, a runner, a clock and a crash can do to it, in words
 * short enough for a test to read as a story. Every step is audited, and given a frozen session.
 */
import type { TurnLimit } from '../../src/core/model/turn-limits.ts';
import assert from 'node:assert/strict';
import { epoch, incarnation as incarnationOf, sessionKey, taskId, turnId } from '../../src/core/model/ids.ts';
import type { Actor } from '../../src/core/model/actor.ts';
import type { Event, TaskEvent, TaskEventData, TaskEventType } from '../../src/core/model/events.ts';
import type { PermissionAction } from '../../src/core/model/permission.ts';
import type { Input, NewTask, TaskOrigin } from '../../src/core/model/inputs.ts';
import type { TimerName } from '../../src/core/model/timers.ts';
import type { Where, Task } from '../../src/core/model/task.ts';
import type { AgentCaps, Assigned, Limits, Session, TurnResult } from '../../src/core/model/session.ts';
import type { Effect } from '../../src/core/model/effects.ts';
import type { Record as StepRecord } from '../../src/core/model/records.ts';
import type { Reply } from '../../src/core/model/replies.ts';
import { newSession } from '../../src/core/queue.ts';
import { durableOf, type Durable, foldRecords, rebuild } from '../../src/core/rebuild.ts';
import { step } from '../../src/core/step.ts';
import { stateOf, type SessionState } from '../../check/model/oracles/replies.ts';
import { treeEntries, treeGet } from '../../src/core/tree.ts';
import { audit, deadlinesOf, freeze } from './core-audit.ts';

type Distribute<I> = I extends Input ? Omit<I, 'at'> : never;
/** An input without its time; the driver's clock ticks by one each step. */
export type Said = Distribute<Input>;

export const somebody: Actor = { kind: 'person', name: 'somebody' };
export const action: PermissionAction = { kind: 'execute', tool: 'Bash', title: 'make', detail: null };
export const origin: TaskOrigin = { title: 'a task', source: 'test', author: null };

export const everything: AgentCaps = { acks: true, steer: true, rewind: true, models: true, keepsPrompts: true };

export const limits: Limits = { maxPassedOver: 5, maxOpen: 1000, partsPerStep: 128, freshWhenFull: true };

type Fields = Partial<Omit<NewTask, 'id'>>;
type Assign = Assigned & { readonly named: boolean };

export const taskOf = (id: string, fields: Fields = {}): NewTask => {
  const lane = fields.lane ?? 'interactive';
  return {
    id: taskId(id),
    lane,
    mode: 'prompt',
    priority: 0,
    mergeGroup: null,
    whenBusy: lane === 'interactive' ? 'preempt' : 'enqueue',
    onLost: 'retry',
    maxAttempts: 3,
    conversation: 'current',
    expiresAt: null,
    model: null,
    ...fields,
  };
};

export class Box {
  session: Session;
  reply: Reply = { kind: 'ok' };
  /** What the last step asked for. */
  effects: readonly Effect[] = [];
  records: readonly StepRecord[] = [];
  /** Armed deadlines, as `timer:of`. */
  readonly armed = new Set<string>();
  readonly #limits: Limits;
  readonly #tapes = new Map<string, Event[]>();
  readonly #everything: Effect[] = [];
  #durable: Durable;
  #clock = 0;

  constructor(change: Partial<Limits> = {}) {
    this.#limits = { ...limits, ...change };
    this.session = freeze(newSession(sessionKey('s'), this.#limits));
    this.#durable = durableOf(this.session);
  }

  do(said: Said): Reply {
    const input: Input = { ...said, at: (this.#clock += 1) };
    if (said.type === 'timer') {
      this.armed.delete(`${said.name}:${said.subject}`);
    }
    const before = this.session;
    const result = step(before, input);
    assert.deepEqual(audit(before, input, result), []);
    this.session = freeze(result.session);
    this.effects = result.effects;
    this.records = result.records;
    this.reply = result.reply;
    this.#durable = foldRecords(this.#durable, result.records);
    this.#everything.push(...result.effects);
    result.records.forEach((record) => this.#keep(record));
    result.effects.forEach((effect) => this.#arm(effect));
    if (!this.session.fenced && result.reply.kind !== 'stale') {
      assert.deepEqual([...this.armed].toSorted(), [...deadlinesOf(this.session)].toSorted(), 'the deadlines');
    }
    return result.reply;
  }

  #keep(record: StepRecord): void {
    if (record.type === 'event' || record.type === 'end') {
      const tape = this.#tapes.get(record.task ?? '') ?? [];
      tape.push(record.type === 'end' ? { type: 'final', data: record.final } : record.event);
      this.#tapes.set(record.task ?? '', tape);
    }
  }

  #arm(effect: Effect): void {
    if (effect.type === 'arm') {
      this.armed.add(`${effect.timer}:${effect.subject}`);
    } else if (effect.type === 'disarm') {
      this.armed.delete(`${effect.timer}:${effect.subject}`);
    }
  }

  // What can be seen.

  get owner(): string | null {
    return this.session.hold?.task ?? null;
  }
  get state(): SessionState {
    return stateOf(this.session);
  }
  get queue(): readonly string[] {
    return [...treeEntries(this.session.indexes.queue)].map(([, id]) => id);
  }
  get turn(): number {
    return this.session.turns;
  }
  get incarnation(): number {
    return this.session.incarnations;
  }
  get epoch(): number {
    return this.session.epoch;
  }
  task(id: string): Task {
    const task = treeGet(this.session.tasks, taskId(id));
    assert.ok(task, `${id} is open`);
    return task;
  }
  /** Names of the events on a task's tape; without an id, on the session's own. */
  tape(id = ''): readonly string[] {
    return (this.#tapes.get(id) ?? []).map(({ type }) => type);
  }
  /** The whole tape of a task; without an id, the session's own. */
  whole(id = ''): readonly Event[] {
    return this.#tapes.get(id) ?? [];
  }
  events<T extends TaskEventType>(id: string, type: T): readonly TaskEventData[T][] {
    const is = (event: Event): event is TaskEvent<T> => event.type === type;
    return (this.#tapes.get(id) ?? []).filter(is).map(({ data }) => data);
  }
  /** `status reason` of the task's `final`; null while it is open. */
  final(id: string): string | null {
    const ends = this.events(id, 'final');
    assert.ok(ends.length <= 1, `${id} has one final`);
    return ends[0] === undefined ? null : `${ends[0].status} ${ends[0].reason}`;
  }
  outcomes(id: string): readonly string[] {
    return this.events(id, 'turn-ended').map(({ outcome }) => outcome);
  }
  /** Effects of the last step of one type. */
  sent<T extends Effect['type']>(type: T): readonly Extract<Effect, { type: T }>[] {
    return this.effects.filter((effect): effect is Extract<Effect, { type: T }> => effect.type === type);
  }
  /** Effects of all steps of one type. */
  all<T extends Effect['type']>(type: T): readonly Extract<Effect, { type: T }>[] {
    return this.#everything.filter((effect): effect is Extract<Effect, { type: T }> => effect.type === type);
  }
  /** `request decision actor` of each resolved permission request on a task's tape. */
  decisions(id: string): readonly string[] {
    const resolved = this.events(id, 'permission-resolved');
    const nameOf = (by: Actor | null): string => (by?.kind === 'person' ? by.name : (by?.kind ?? 'nobody'));
    return resolved.map(({ request, decision, by }) => `${request} ${decision} ${nameOf(by)}`);
  }
  /** The effects of the last step without its timers. */
  get acts(): readonly string[] {
    return this.effects.filter(({ type }) => type !== 'arm' && type !== 'disarm').map(({ type }) => type);
  }

  // Senders and operators.

  submit(id: string, fields: Fields = {}, assign?: Assign): Reply {
    const named = assign === undefined ? {} : { assign };
    return this.do({ type: 'submit', task: taskOf(id, fields), about: origin, payload: { prompt: id }, ...named });
  }
  background(id: string, fields: Fields = {}): Reply {
    return this.submit(id, { lane: 'background', ...fields });
  }
  cancel(id: string, by: Actor = somebody): Reply {
    return this.do({ type: 'cancel', task: taskId(id), reason: 'cancelled', by });
  }
  stop(scope: 'turn' | 'queue' | 'session'): Reply {
    return this.do({ type: 'stop', scope, by: somebody });
  }
  move(id: string, change: { lane?: 'interactive' | 'background'; priority?: number; where?: Where }): Reply {
    const { lane = null, priority = null, where = null } = change;
    return this.do({ type: 'move', task: taskId(id), lane, priority, where, by: null });
  }
  edit(id: string): Reply {
    return this.do({ type: 'edit', task: taskId(id), title: 'edited', payload: { prompt: 'edited' }, by: null });
  }
  evict(of: number | null = null): Reply {
    return this.do({ type: 'evict', epoch: of === null ? null : epoch(of), by: somebody });
  }
  park(kind: 'operator' | 'closing' = 'operator'): Reply {
    return this.do({ type: 'park', kind, reason: 'maintenance', by: somebody });
  }
  unpark(): Reply {
    return this.do({ type: 'unpark', by: somebody });
  }

  /** Somebody wants a fresh conversation. */
  renew(): Reply {
    return this.do({ type: 'new-conversation', by: somebody });
  }

  /** Somebody gives the session another agent or model. */
  assign(agent: string, model: string | null = null): Reply {
    return this.do({ type: 'assign-agent', agent, model, by: somebody });
  }

  // The agent.

  ready(
    change: { caps?: AgentCaps; conversation?: string | null; conversationReset?: boolean; incarnation?: number } = {},
  ): Reply {
    const {
      caps = everything,
      conversation = 'c1',
      conversationReset = false,
      incarnation = this.incarnation,
    } = change;
    return this.do({
      type: 'agent-ready',
      incarnation: incarnationOf(incarnation),
      caps,
      conversation,
      conversationReset,
    });
  }
  /** It closed its channel while it lived, and was ended for that. */
  hungUp(): Reply {
    const incarnation = incarnationOf(this.incarnation);
    return this.do({ type: 'agent-exited', incarnation, reason: 'hung up', data: null, loss: 'channel_broken' });
  }
  exited(incarnation = this.incarnation): Reply {
    return this.do({ type: 'agent-exited', incarnation: incarnationOf(incarnation), reason: 'exited', data: null });
  }
  started(turn = this.turn, incarnation = this.incarnation): Reply {
    return this.do({ type: 'turn-started', incarnation: incarnationOf(incarnation), turn: turnId(turn) });
  }
  output(turn = this.turn, incarnation = this.incarnation): Reply {
    return this.do({
      type: 'output',
      incarnation: incarnationOf(incarnation),
      turn: turnId(turn),
      part: { kind: 'text', text: 'x' },
    });
  }
  /** It uses a tool. */
  tool(status: 'started' | 'completed' | 'failed', id: string | null = 't1'): Reply {
    const part = { kind: 'tool', id, name: 'shell', action: 'execute', title: 'make', status } as const;
    return this.do({ type: 'output', incarnation: incarnationOf(this.incarnation), turn: turnId(this.turn), part });
  }
  ack(change: { turn?: number; incarnation?: number; noResult?: boolean } = {}): Reply {
    const { turn = this.turn, incarnation = this.incarnation, noResult = false } = change;
    return this.do({ type: 'ack', incarnation: incarnationOf(incarnation), turn: turnId(turn), noResult });
  }
  result(outcome: TurnResult['outcome'], change: { turn?: number; incarnation?: number; empty?: boolean } = {}): Reply {
    const { turn = this.turn, incarnation = this.incarnation, empty = outcome === 'interrupted' } = change;
    const result = { outcome, empty, report: { text: `result ${turn}` } };
    return this.do({ type: 'result', incarnation: incarnationOf(incarnation), turn: turnId(turn), result });
  }
  steered(id: string, taken: boolean): Reply {
    return this.do({
      type: 'steered',
      incarnation: incarnationOf(this.incarnation),
      turn: turnId(this.turn),
      task: taskId(id),
      taken,
    });
  }
  /** The agent asks for permission; `verdict`: what the policy of its task says, null where a person has to. */
  asks(request: string, verdict: 'allow' | 'deny' | null = null, turn = this.turn): Reply {
    const incarnation = incarnationOf(this.incarnation);
    return this.do({
      type: 'permission-requested',
      incarnation,
      turn: turnId(turn),
      request,
      policyDecision: verdict,
      policyNote: null,
      action: action,
    });
  }
  withdraws(request: string): Reply {
    return this.do({
      type: 'permission-withdrawn',
      incarnation: incarnationOf(this.incarnation),
      turn: turnId(this.turn),
      request,
    });
  }
  limit(limit: TurnLimit, bound = 1, turn = this.turn): Reply {
    const incarnation = incarnationOf(this.incarnation);
    return this.do({ type: 'turn-limit', incarnation, turn: turnId(turn), limit, bound });
  }
  respond(request: string, allow: boolean, turn = this.turn): Reply {
    return this.do({ type: 'respond', turn: turnId(turn), request, allow, by: somebody, note: null });
  }
  switched(model: string | null, ok = true, incarnation = this.incarnation): Reply {
    return this.do({ type: 'switched', incarnation: incarnationOf(incarnation), model, ok });
  }
  /** The turn ends with a failure of a class; `transient`: trying again may help. */
  fails(name: string, transient: boolean): Reply {
    const login = name === 'auth' ? { login: true as const } : {};
    const failure = { class: name, transient, ...login, message: 'it failed', hint: 'wait' };
    const result = { outcome: 'failed', empty: false, report: { text: '', failure } } as const;
    return this.do({ type: 'result', incarnation: incarnationOf(this.incarnation), turn: turnId(this.turn), result });
  }
  throttle(level: 'background' | 'all' | null, until: number | null = null): Reply {
    return this.do({ type: 'throttle', throttle: level === null ? null : { level, reason: 'rate_limit', until } });
  }
  unsolicited(phase: 'began' | 'ended'): Reply {
    return this.do({ type: 'unsolicited', incarnation: incarnationOf(this.incarnation), phase, data: null });
  }
  /** The agent starts, if it is to, and confirms the turn that it is given. */
  runs(): void {
    if (this.session.agent.kind === 'starting') {
      this.ready();
    }
    this.started();
    assert.equal(this.state, 'running');
  }
  /** The interrupted turn is drained as it should be: ack, then result. */
  drains(): void {
    this.ack();
    this.result('interrupted');
  }
  answers(): void {
    this.runs();
    this.result('completed');
  }

  // Code runners, the clock, and the end of the node.

  call(id: string, run: number, call: number, model: string | null = null): Reply {
    return this.do({ type: 'call', task: taskId(id), run: epoch(run), call, model });
  }
  claim(id: string, holder = 'one'): Reply {
    return this.do({ type: 'claim', task: taskId(id), holder, leaseMs: 30_000 });
  }
  heartbeat(id: string, run: number): Reply {
    return this.do({ type: 'heartbeat', task: taskId(id), run: epoch(run) });
  }
  /** The lease of its holder lapses. */
  lapses(id: string): Reply {
    return this.do({ type: 'timer', name: 'lease', subject: taskId(id) });
  }
  progress(id: string, run: number): Reply {
    return this.do({ type: 'progress', task: taskId(id), run: epoch(run), data: 'half way' });
  }
  release(id: string, run: number): Reply {
    return this.do({ type: 'release', task: taskId(id), run: epoch(run) });
  }
  finish(id: string, run: number, status: 'completed' | 'failed' = 'completed'): Reply {
    return this.do({
      type: 'finish',
      task: taskId(id),
      run: epoch(run),
      status,
      reason: `runner_${status}`,
      result: 1,
    });
  }
  /** A deadline that is armed passes. */
  passes(name: TimerName): Reply {
    const timer = [...this.armed].find((key) => key.startsWith(`${name}:`));
    assert.ok(timer, `${name} is armed`);
    const of = timer.slice(name.length + 1);
    return this.late(
      name,
      name === 'collect' || name === 'wait' || name === 'expiry' || name === 'lease' ? taskId(of) : Number(of),
    );
  }
  /** A deadline passes whether it is armed or not. */
  late(name: TimerName, of: number | string): Reply {
    return this.do({ type: 'timer', name, subject: typeof of === 'number' ? of : taskId(of) });
  }
  /** The session was exchanged by the test: what is durable is what it says now. */
  restart(): void {
    this.#durable = durableOf(this.session);
  }
  /** The node dies; another one takes the session up from what was committed, and nothing else. */
  crash(): void {
    this.session = freeze(rebuild(this.#durable, this.#limits));
    this.armed.clear();
    this.do({ type: 'recovered' });
  }
}

/** A session whose background task is in the middle of its turn. */
export function inBackground(fields: Fields = {}, change: Partial<Limits> = {}): Box {
  const box = new Box(change);
  box.background('bg', fields);
  box.runs();
  return box;
}
