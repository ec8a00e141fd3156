/**
 * The one agent of a session: carries effects to its driver's handle, and the driver's events to the session as inputs.
 *
 * Owned by the session's actor. Invariants:
 *  agent-host/1 At most one handle lives; every event carries the incarnation it was started with.
 *  agent-host/2 The session does not learn that its agent is ready before the store has the agent's process; the row goes when
 *               the process is gone.
 *  agent-host/3 `agent-exited` is posted for each incarnation, also for one that never got a slot or whose start threw, and
 *               again for one that is to be ended and is gone; the core takes the first.
 *  agent-host/4 It gets its folder and its slot together: an agent that has one waits for nothing.
 *  agent-host/5 An agent that works in the background is not offered as one that can make room, and hands over only after that work. What ends
 *               with it is on the tape before its exit.
 *  agent-host/6 The slots learn what the agent does after each commit of its session, before they learn that an ask was declined.
 */
import { constants } from 'node:os';
import type { AgentDriver, AgentEvent, AgentHandle } from '../../agents/port.ts';
import { notice } from '../../agents/shared/parts.ts';
import { invariant } from '../../core/errors.ts';
import type { Actor } from '../../core/model/actor.ts';
import { turnId, type Incarnation, type SessionKey, type TaskId, type TurnId } from '../../core/model/ids.ts';
import type { Input } from '../../core/model/inputs.ts';
import type { AgentLoss } from '../../core/model/reasons.ts';
import type { PermissionPolicy } from '../../core/model/permission.ts';
import type { Reply } from '../../core/model/replies.ts';
import type { Session } from '../../core/model/session.ts';
import { interactiveWaits } from '../../core/queue.ts';
import { atRest } from '../../core/rules/agent-end.ts';
import { mayGiveWay, onWire } from '../../core/rules/turn.ts';
import type { Ask, Use } from '../../core/slots/model.ts';
import { treeFirst, treeGet } from '../../core/tree.ts';
import type { ProcessRow } from '../../store/port.ts';
import { UnansweredRequests, type PendingView, type RequestKind } from './unanswered-requests.ts';
import { BackgroundWork } from './background-work.ts';
import type { ConversationKeeper, OwnedConversation } from '../cluster/conversation-keeper.ts';
import type { ClusterLink } from '../cluster/options.ts';
import type { AgentToken } from './agent-tokens.ts';
import { AgentOutput } from './output.ts';
import { OpenPermissionRequests } from './permission-requests.ts';
import { errorRecord, jsonValue } from '../json.ts';
import type { Context } from '../options.ts';
import type { ProcessId, ProcessRows } from './process-rows.ts';
import type { AgentPool, PoolClaim, SlotWait } from './pool.ts';
import { type SessionThrottle, waitReasons } from '../throttle/session-throttle.ts';

/** The reason of a program that hung up while it lived (`ExitReason`). */
const brokenChannel = 'channel_broken';

interface Live {
  readonly incarnation: Incarnation;
  /** Null: there is no such agent. */
  driver: AgentDriver | null;
  readonly output: AgentOutput;
  readonly unanswered: UnansweredRequests;
  /** Null: not yet made. */
  claim: PoolClaim | null;
  /** Another session is to get its slot, as soon as it does not work in the background any more. */
  handsOverTo: Actor | null;
  handle: AgentHandle | null;
  /** It has been asked to end. */
  ending: boolean;
  gone: boolean;
  process: ProcessId | null;
  /** By which it calls the API; null: it was not started. */
  token: AgentToken | null;
  /** In which it works. */
  folder: string | null;
  /** Once it is ready. */
  conversation: string | null;
  /** Why it does not have the conversation that it was to resume; null: it may. */
  lost: string | null;
  /** The last that it was given; -1: none. */
  lastTurn: number;
  /** What is to be stored before it is ready, so far as it is not: the row of its process, and that it has the conversation. */
  readonly unstored: Set<'process' | 'conversation'>;
  /** What it said since it was ready, while that is being stored; null: it is. */
  held: Exclude<AgentEvent, { type: 'exited' | 'background' | 'spent' }>[] | null;
  readonly background: BackgroundWork;
  /** The session has armed its idle deadline: its agent may be closed. */
  idle: boolean;
  /** Its process could not be recorded: nothing may be written to it, it is being ended. */
  mustExit: boolean;
}

interface HostParts {
  readonly context: Context;
  readonly pool: AgentPool;
  readonly processRows: ProcessRows;
  readonly session: SessionKey;
  readonly throttle: SessionThrottle;
  readonly post: (input: Input) => void;
  /** `post`, and what comes of it, once that is stored. */
  readonly tell: (input: Input, done: (reply: Reply) => void) => void;
  /** As it is stored. */
  readonly state: () => Session;
  /** Whether an idle agent is to be kept, for its work in the background. */
  readonly keeps: (keeps: boolean) => void;
  /** The other nodes; null: there are none. */
  readonly nodes: Pick<ClusterLink, 'lacks' | 'noneBetter' | 'waits' | 'conversations'> | null;
  readonly lease: () => number;
  /** Whether no turn was sent since that one, when the session was opened. */
  readonly covers: (turn: number) => boolean;
}

/** What hang reports say of an agent. */
interface AgentFacts {
  readonly incarnation: Incarnation;
  readonly process: ProcessId | null;
  /** The beginning of its thread's name; null: it is not a thread of the daemon. */
  readonly threadName: string | null;
  readonly ending: boolean;
  readonly quietMs: number;
  readonly pending: readonly PendingView[];
}

/** What a start takes from the core. */
interface Wanted {
  readonly agent: string | null;
  readonly conversation: string | null;
  readonly model: string | null;
}

/** UTF-16 units: enough for a last line. */
const lastTextMax = 1_000;

export class AgentHost {
  readonly permissionRequests = new OpenPermissionRequests();
  readonly #parts: HostParts;
  readonly #context: Context;
  readonly #post: (input: Input) => void;
  #live: Live | null = null;
  #lastText = '';
  readonly #onGone: (() => void)[] = [];

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.#context = parts.context;
    this.#post = parts.post;
  }

  /** The end of what the agent said in its newest turn; empty: nothing yet. */
  get lastText(): string {
    return this.#lastText;
  }

  /** What the agent does beside its turns. */
  get backgroundWork(): readonly string[] {
    return this.#live?.background.list ?? [];
  }

  get running(): boolean {
    return this.#live !== null;
  }

  /** When the time of its turn is up, monotonic ms; null: not foreseen. */
  get turnEndsAt(): number | null {
    return this.#live?.output.turnEndsAt ?? null;
  }

  /** The start of an agent waits. */
  get waits(): boolean {
    return this.#live !== null && (this.#live.claim?.waits ?? this.#live.handle === null);
  }

  /** Its agent waits for what another node may have. */
  get waitsForNode(): boolean {
    const live = this.#live;
    return live !== null && !live.gone && (live.claim === null ? live.handle === null : this.waitsFor?.for === 'slot');
  }

  /** What the start of an agent waits for; null: it does not wait. */
  get waitsFor(): SlotWait | null {
    return this.#live?.claim?.wait ?? null;
  }

  /** Null: there is none. */
  facts(): AgentFacts | null {
    const live = this.#live;
    if (live === null) {
      return null;
    }
    const { incarnation, process, ending, unanswered } = live;
    const now = this.#context.clock.now();
    const threadName = live.handle?.threadName ?? null;
    return {
      incarnation,
      process,
      threadName,
      ending,
      quietMs: Math.round(unanswered.quietMs(now)),
      pending: unanswered.pending(now),
    };
  }

  /** `started` is called when the process is really being started: from then on the start deadline counts. */
  start(incarnation: Incarnation, wanted: Wanted, started: () => void): void {
    const { limits } = this.#context;
    const { throttle, pool, session, state } = this.#parts;
    const live: Live = {
      incarnation,
      driver: null,
      output: new AgentOutput({
        incarnation,
        context: this.#context,
        throttle,
        permissionRequests: this.permissionRequests,
        post: this.#post,
        said: (text) => {
          this.#lastText = (this.#lastText + text).slice(-lastTextMax);
        },
      }),
      unanswered: new UnansweredRequests(this.#context.clock.now()),
      claim: null,
      handsOverTo: null,
      handle: null,
      ending: false,
      gone: false,
      process: null,
      token: null,
      folder: null,
      conversation: null,
      lost: null,
      lastTurn: -1,
      unstored: new Set(),
      held: null,
      background: new BackgroundWork({
        clock: this.#context.clock,
        limitMs: limits.backgroundMs,
        onLimit: () => this.#report(live),
      }),
      idle: false,
      mustExit: false,
    };
    this.#live = live;
    if (this.#waitsForNode()) {
      return;
    }
    const driver = this.#driverOf(live, wanted);
    if (driver === null) {
      return;
    }
    live.claim = pool.claim({
      session,
      needsFolder: driver.needsFolder !== false,
      task: () => neededFor(state()),
      granted: (folder) => this.#begin(live, wanted, folder, started),
      waits: () => this.#waits(live),
      failed: (error) => this.#failed(live, error),
      asked: (what, turn, by) => this.#asked(live, what, turn, by),
    });
    live.claim.open(isUrgent(state()));
  }

  /** Null: there is none of that name, and its start has failed. */
  #driverOf(live: Live, { agent }: Wanted): AgentDriver | null {
    try {
      live.driver = this.#context.fleet.driver(this.#parts.session, agent);
    } catch (error) {
      this.#failed(live, error);
    }
    return live.driver;
  }

  /** This node lacks what the agent needs: it is not started here. */
  #waitsForNode(): boolean {
    const { nodes, session, throttle } = this.#parts;
    const lack = nodes?.lacks(session) ?? null;
    if (lack !== null) {
      throttle.waits('node', () => nodes?.lacks(session) ?? lack);
      nodes?.waits();
    }
    return lack !== null;
  }

  /** The session is held back meanwhile, and its tape says why. A start that only waits for its turn to start is too short for that. */
  #waits(live: Live): void {
    const wait = live.claim?.wait ?? null;
    if (wait?.for === 'start') {
      this.#parts.throttle.lift('folder');
    } else if (wait !== null) {
      this.#parts.throttle.waits(wait.for, () => this.#detailOf(this.waitsFor ?? wait));
      this.#parts.nodes?.waits();
    }
  }

  #detailOf(wait: SlotWait): string {
    const { nodes, session } = this.#parts;
    const others = wait.for === 'slot' ? (nodes?.noneBetter(session) ?? null) : null;
    return `${detailOf(wait)}${others === null ? '' : `; ${others}`}`;
  }

  #begin(live: Live, wanted: Wanted, folder: string | null, started: () => void): void {
    const { session, throttle } = this.#parts;
    throttle.liftWaits();
    started();
    this.#noted(live, 'start', live.incarnation);
    live.token = this.#context.agentTokens.open(session);
    live.folder = folder;
    const { conversation } = wanted;
    const keeper = this.#parts.nodes?.conversations ?? null;
    if (keeper === null || conversation === null) {
      this.#start(live, wanted);
      return;
    }
    const { driver } = live;
    keeper.find({ session, conversation, folder, driver }, this.#parts.covers).then(
      (lost) => this.#startIn(live, wanted, lost),
      (error: unknown) => this.#failed(live, error),
    );
  }

  /** `lost`: why it cannot have the conversation that is wanted. */
  #startIn(live: Live, wanted: Wanted, lost: string | null): void {
    if (live.gone) {
      return;
    }
    live.lost = lost;
    if (lost !== null) {
      const data = { conversation: wanted.conversation };
      const part = notice('conversation-left', `the conversation cannot be resumed here: ${lost}`, data);
      this.#post({ type: 'output', at: this.#context.clock.wall(), incarnation: live.incarnation, turn: null, part });
    }
    this.#start(live, lost === null ? wanted : { ...wanted, conversation: null });
  }

  #start(live: Live, wanted: Wanted): void {
    const { session } = this.#parts;
    const { folder, token, driver } = live;
    invariant(driver !== null, 'an agent that starts has a driver');
    try {
      live.handle = driver.start({
        session,
        incarnation: live.incarnation,
        conversation: wanted.conversation,
        model: wanted.model,
        folder,
        ...(token === null ? {} : { env: token.env }),
        emit: (event) => this.#emit(live, event),
        onProcess: (process) => {
          // A driver may start another one in the same start, when the first is reaped.
          this.#forget(live);
          this.#record(live, { ...process, session, incarnation: live.incarnation });
        },
      });
      if (live.mustExit) {
        live.handle.kill();
      }
    } catch (error) {
      this.#failed(live, error);
    }
  }

  /** It could not be started: this session waits, and the others continue. */
  #failed(live: Live, error: unknown): void {
    this.#context.onError(error, 'agent start');
    const { name: _, ...record } = errorRecord(error);
    this.#exited(live, 'spawn_failed', record);
  }

  prompt(
    incarnation: Incarnation,
    turn: TurnId,
    text: string,
    how: { rewind: TurnId | null; policy: PermissionPolicy },
  ): void {
    const live = this.#of(incarnation);
    if (live !== null) {
      live.idle = false;
      live.background.busy();
      this.#handOver(live);
      this.#lastText = '';
      live.lastTurn = turn;
      live.output.prompted(turn, how.policy);
      this.#noted(live, 'prompt', turn);
      live.handle?.prompt(turn, text, { rewind: how.rewind });
    }
  }

  interrupt(incarnation: Incarnation, turn: TurnId): void {
    const live = this.#of(incarnation);
    live?.output.interrupted(turn);
    this.#noted(live, 'interrupt', turn)?.interrupt(turn);
  }

  steer(incarnation: Incarnation, turn: TurnId, task: TaskId, text: string): void {
    this.#noted(this.#of(incarnation), 'steer', task)?.steer(turn, task, text);
  }

  answer(
    incarnation: Incarnation,
    turn: TurnId,
    request: string,
    decision: Parameters<AgentHandle['respond']>[2],
  ): void {
    this.permissionRequests.remove(turn, request);
    const live = this.#of(incarnation);
    live?.output.answered(turn, request, decision.allow);
    live?.handle?.respond(turn, request, decision);
  }

  switchModel(incarnation: Incarnation, model: string | null): void {
    this.#noted(this.#of(incarnation), 'switch', incarnation)?.switchModel(model);
  }

  /** The agent is idle: it may be asked to make room. */
  idle(incarnation: number): void {
    const live = this.#live;
    if (live !== null && live.incarnation === incarnation) {
      live.idle = true;
      live.background.idle();
      this.#report(live);
    }
  }

  /** The session has stored a step: the slots learn what its agent does now. */
  settled(): void {
    if (this.#live !== null) {
      this.#report(this.#live);
    }
  }

  #report(live: Live): void {
    const { claim } = live;
    if (live.gone || claim === null) {
      return;
    }
    const session = this.#parts.state();
    const keeps = live.idle && live.background.keeps;
    this.#parts.keeps(keeps);
    if (!keeps) {
      this.#handOver(live);
    }
    claim.urgent = isUrgent(session);
    const use = useOf(session, live.incarnation, keeps);
    if (use !== null) {
      claim.uses(use, session.turns);
    }
  }

  /** Another session needs the slot or the folder. Its agent may do something else by now: then the slots are told. */
  #asked(live: Live, what: Ask, turn: number, by: Actor): void {
    const { clock } = this.#context;
    const { incarnation } = live;
    if (what === 'make-room') {
      this.#parts.tell({ type: 'make-room', at: clock.wall() }, ({ kind }) => {
        if (kind !== 'ok') {
          live.claim?.declined();
        }
      });
      return;
    }
    if (live.idle && live.background.keeps) {
      live.handsOverTo = by;
      if (what === 'give-way') {
        live.claim?.declined();
      }
      return;
    }
    const interrupts = what === 'give-way' ? turnId(turn) : null;
    this.#parts.tell({ type: 'give-way', at: clock.wall(), incarnation, interrupts, by }, () => {
      const now = this.#parts.state().hold?.turn ?? null;
      if (interrupts !== null && onWire(now) && now.interrupt === null) {
        live.claim?.declined();
      }
    });
  }

  /** What was kept back while the agent worked in the background. */
  #handOver(live: Live): void {
    const by = live.handsOverTo;
    if (by !== null) {
      live.handsOverTo = null;
      const { incarnation } = live;
      this.#post({ type: 'give-way', at: this.#context.clock.wall(), incarnation, interrupts: null, by });
    }
  }

  end(incarnation: Incarnation, how: 'kill' | 'close'): void {
    const live = this.#of(incarnation);
    if (live === null) {
      // The agent is gone already. The exit is posted again, since a session that ends it has not applied the first post.
      this.#post({
        type: 'agent-exited',
        at: this.#context.clock.wall(),
        incarnation,
        reason: 'gone',
        data: null,
      });
      return;
    }
    live.ending = true;
    if (live.handle === null) {
      this.#exited(live, 'never_started', null);
    } else {
      this.#noted(live, 'end', incarnation)?.[how]();
    }
  }

  /** Answers the handle to ask, where there is one. */
  #noted(live: Live | null, what: RequestKind, id: string | number): AgentHandle | null {
    live?.unanswered.sent(what, id, this.#context.clock.now());
    return live?.handle ?? null;
  }

  /** The daemon closes, and its sessions record nothing of the ends of their agents. */
  closing(): void {
    if (this.#live !== null) {
      this.#endBackground(this.#live);
    }
  }

  /** Resolves when no agent is left. */
  async gone(): Promise<void> {
    if (this.#live !== null) {
      await new Promise<void>((resolve) => {
        this.#onGone.push(resolve);
      });
    }
  }

  #of(incarnation: Incarnation): Live | null {
    return this.#live !== null && this.#live.incarnation === incarnation && !this.#live.gone ? this.#live : null;
  }

  #emit(live: Live, event: AgentEvent): void {
    if (live.gone) {
      return;
    }
    live.unanswered.received(event, this.#context.clock.now());
    if (event.type === 'exited') {
      this.#exited(live, event.reason, event.data);
      return;
    }
    if (event.type === 'ready') {
      live.claim?.started();
    }
    if (live.mustExit) {
      return;
    }
    if (event.type === 'spent') {
      live.output.spent(event.turn, event.tokens);
      return;
    }
    if (event.type === 'background') {
      const { redact } = this.#context;
      live.background.list = event.work.map((title) => redact.text(title));
      this.#report(live);
      return;
    }
    const said = event.type === 'ready' ? this.#ready(live, event) : event;
    if (live.held !== null && (event.type === 'ready' || live.held.length > 0)) {
      live.held.push(said);
    } else {
      live.output.handle(said);
    }
    if (event.type === 'result') {
      this.#kept(live, (keeper, owned) => keeper.turned(owned, event.turn));
    }
  }

  #ready(live: Live, event: Extract<AgentEvent, { type: 'ready' }>): Extract<AgentEvent, { type: 'ready' }> {
    live.conversation = event.conversation;
    this.#kept(live, (keeper, owned) => {
      live.unstored.add('conversation');
      live.held ??= [];
      // Until it is stored another node would take an older one for the last: nothing is said in this one.
      const isWanted = (): boolean => !live.gone;
      keeper.opened(owned, isWanted).then(
        () => this.#stored(live, 'conversation'),
        (error: unknown) => this.#context.onError(error, 'conversation'),
      );
    });
    return live.lost === null ? event : { ...event, conversationReset: true };
  }

  /** Where conversations move among nodes, and the agent has named its own. */
  #kept(live: Live, use: (keeper: ConversationKeeper, owned: OwnedConversation) => void): void {
    const { nodes, session, lease } = this.#parts;
    const { conversation, folder, driver } = live;
    if (nodes !== null && conversation !== null) {
      use(nodes.conversations, { session, conversation, folder, driver, lease: lease() });
    }
  }

  #exited(live: Live, reason: string, data: unknown): void {
    if (live.gone) {
      return;
    }
    live.gone = true;
    this.#kept(live, (keeper, owned) => keeper.closed(owned, live.lastTurn));
    if (!leaves(data)) {
      this.#forget(live);
    }
    this.#parts.throttle.liftWaits();
    live.claim?.release();
    live.token?.close();
    if (this.#live === live) {
      this.#live = null;
    }
    live.output.end(reason, live.ending, data);
    this.#parts.keeps(false);
    this.#endBackground(live);
    const { redact } = this.#context;
    const shown = redact.value(jsonValue(data));
    this.#post({
      type: 'agent-exited',
      at: this.#context.clock.wall(),
      incarnation: live.incarnation,
      reason: redact.text(reason),
      data: shown,
      ...lossOf(reason, live.ending ? null : data),
    });
    for (const tell of this.#onGone.splice(0)) {
      tell();
    }
  }

  #endBackground({ background, incarnation }: Live): void {
    background.busy();
    const { list } = background;
    background.list = [];
    if (list.length > 0) {
      const part = notice('background-ended', `ended with the agent: ${list.join('; ')}`, { work: list });
      this.#post({ type: 'output', at: this.#context.clock.wall(), incarnation, turn: null, part });
    }
  }

  #record(live: Live, row: ProcessRow): void {
    const process: ProcessId = { pid: row.pid, startTime: row.startTime };
    live.process = process;
    live.held = null;
    live.unstored.clear();
    const written = this.#parts.processRows.record(row, () => this.#doom(live));
    if (written !== null) {
      live.held = [];
      live.unstored.add('process');
      void written.then(() => {
        if (live.process === process) {
          this.#stored(live, 'process');
        }
      });
    }
  }

  /** The session learns now what its agent has said meanwhile. One that has ended was never ready. */
  #stored(live: Live, what: 'process' | 'conversation'): void {
    live.unstored.delete(what);
    if (live.unstored.size === 0) {
      const said = live.held ?? [];
      live.held = null;
      for (const event of said) {
        if (!live.gone && !live.mustExit) {
          live.output.handle(event);
        }
      }
    }
  }

  #forget({ process }: Live): void {
    if (process !== null) {
      this.#parts.processRows.forget(process);
    }
  }

  /** A process that no successor could find is not kept; it is ready for nothing until it is gone. */
  #doom(live: Live): void {
    live.mustExit = true;
    live.handle?.kill();
  }
}

/**
 * Somebody else has ended the process: a signal that asks programs to leave, or the exit code that they give for one (128 and its number). A
 * service manager sends it to a whole group. SIGKILL may be the system's answer to the memory that the agent took.
 */
function isKilled(data: unknown): boolean {
  const { code, signal } =
    typeof data === 'object' && data !== null ? (data as { code?: unknown; signal?: unknown }) : {};
  const asking = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
  return asking.some((name) => signal === name || code === 128 + constants.signals[name]);
}

/** Why the turn is lost that was with it, where it did not just leave. `data`: of its exit; null: it was asked to end. */
function lossOf(reason: string, data: unknown): { readonly loss?: AgentLoss } {
  if (reason === brokenChannel) {
    return { loss: 'channel_broken' };
  }
  return isKilled(data) ? { loss: 'agent_killed' } : {};
}

/** An interactive task waits for the agent, or has it. While the session is held back for another reason, no agent helps it. */
function isUrgent(session: Session): boolean {
  const { hold, tasks, parked, throttle } = session;
  const isHeld = throttle?.level === 'all' && !waitReasons.has(throttle.reason);
  if (parked !== null || isHeld) {
    return false;
  }
  return interactiveWaits(session) || (hold !== null && treeGet(tasks, hold.task)?.lane === 'interactive');
}

/** The task that the agent is needed for. */
const neededFor = ({ hold, indexes }: Session): TaskId | null => {
  const first = treeFirst(indexes.queue);
  return first?.key.rank === 0 ? first.value : (hold?.task ?? null);
};

/** What the agent does, for the slots; null: it starts, or is another one. */
function useOf(
  { agent, hold, tasks }: Session,
  incarnation: Incarnation,
  keeps: boolean,
): Exclude<Use, 'starting'> | null {
  if (agent.kind === 'none' || agent.kind === 'starting' || agent.incarnation !== incarnation) {
    return null;
  }
  if (agent.kind === 'ending') {
    return 'ending';
  }
  const turn = hold?.turn ?? null;
  if (hold !== null && onWire(turn)) {
    const task = treeGet(tasks, hold.task);
    return task !== undefined && mayGiveWay(task, turn) ? 'background' : 'shielded';
  }
  return keeps || !atRest(agent) ? 'kept' : 'idle';
}

/** What a start waits for, for a person. */
export function detailOf(wait: SlotWait): string {
  switch (wait.for) {
    case 'folder':
      return `${wait.folder} is used by ${wait.owner}`;
    case 'slot': {
      const more = wait.limit > wait.sessions.length ? ' and others' : '';
      return `all agent slots (limits.maxAgents: ${wait.limit}) are taken, by ${wait.sessions.join(', ')}${more}`;
    }
    case 'start':
      return `its turn to start (limits.maxStarting: ${wait.limit})`;
  }
}

/** Its end names processes that outlived it: its row stays, so that the next start looks for them again. */
function leaves(data: unknown): boolean {
  const left = typeof data === 'object' && data !== null && 'left' in data ? data.left : null;
  return Array.isArray(left) && left.length > 0;
}
