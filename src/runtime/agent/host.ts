/**
 * The one agent of a session: carries effects to its driver's handle, and the driver's events to the session as inputs.
 *
 * Owned by the session's actor. Invariants:
 *  agent-host/1 At most one handle lives; every event carries the incarnation it was started with.
 *  agent-host/2 The session does not learn that its agent is ready before the store has the agent's process; the row goes when
 *               the process is gone.
 *  agent-host/3 `agent-exited` is posted for each incarnation, also for one that never got a slot or whose start threw, and
 *               again for one that is to be ended and is gone; the core takes the first.
 *  agent-host/4 First the folder, then the slot: an agent with a slot waits for nothing.
 *  agent-host/5 An agent that works in the background is not offered as one that can make room. What ends with it is on the
 *               tape before its exit.
 */
import { constants } from 'node:os';
import type { AgentEvent, AgentHandle } from '../../agents/port.ts';
import { notice } from '../../agents/shared/parts.ts';
import type { Incarnation, SessionKey, TaskId, TurnId } from '../../core/model/ids.ts';
import type { Input } from '../../core/model/inputs.ts';
import type { AgentLoss } from '../../core/model/reasons.ts';
import type { PermissionPolicy } from '../../core/model/permission.ts';
import type { ProcessRow } from '../../store/port.ts';
import { UnansweredRequests, type PendingView, type RequestKind } from './unanswered-requests.ts';
import { BackgroundWork } from './background-work.ts';
import { AgentOutput } from './output.ts';
import { OpenPermissionRequests } from './permission-requests.ts';
import { errorRecord, jsonValue } from '../json.ts';
import type { Context } from '../options.ts';
import type { ProcessId, ProcessRows } from './process-rows.ts';
import type { AgentPool, Slot, SlotOwner } from './pool.ts';
import type { SessionThrottle } from '../throttle/session-throttle.ts';
import type { FolderClaim } from '../workspace/workspaces.ts';

/** The reason of a program that hung up while it lived (`ExitReason`). */
const brokenChannel = 'channel_broken';

interface Live {
  readonly incarnation: Incarnation;
  readonly output: AgentOutput;
  readonly unanswered: UnansweredRequests;
  claim: FolderClaim | null;
  slot: Slot | null;
  handle: AgentHandle | null;
  /** It has been asked to end. */
  ending: boolean;
  gone: boolean;
  process: ProcessId | null;
  /** What it said since it was ready, while the row of its process is being written; null: the row is written. */
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
  /** The owner is an interactive task, or one waits for it. */
  readonly urgent: () => boolean;
  /** Whether an idle agent is to be kept, for its work in the background. */
  readonly keeps: (keeps: boolean) => void;
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
  readonly conversation: string | null;
  readonly model: string | null;
}

export class AgentHost {
  readonly permissionRequests = new OpenPermissionRequests();
  readonly #parts: HostParts;
  readonly #context: Context;
  readonly #post: (input: Input) => void;
  #live: Live | null = null;
  readonly #onGone: (() => void)[] = [];

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.#context = parts.context;
    this.#post = parts.post;
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

  /** What the start of an agent waits for, as text for a person; null: it does not wait. */
  get waitsFor(): string | null {
    const slot = this.#live?.slot ?? null;
    return slot === null ? null : this.#parts.pool.waitsFor(slot);
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
    const { workspaces, agent, limits } = this.#context;
    const { throttle } = this.#parts;
    const live: Live = {
      incarnation,
      output: new AgentOutput({
        incarnation,
        context: this.#context,
        throttle,
        permissionRequests: this.permissionRequests,
        post: this.#post,
      }),
      unanswered: new UnansweredRequests(this.#context.clock.now()),
      claim: null,
      slot: null,
      handle: null,
      ending: false,
      gone: false,
      process: null,
      held: null,
      background: new BackgroundWork({
        clock: this.#context.clock,
        limitMs: limits.backgroundMs,
        onLimit: () => this.#offerRoom(live),
      }),
      idle: false,
      mustExit: false,
    };
    this.#live = live;
    if (workspaces === null || agent.needsFolder === false) {
      this.#takeSlot(live, wanted, null, started);
    } else {
      this.#takeFolder(live, wanted, started);
    }
  }

  /** A folder that another session has is waited for, and the session's tape says whose it is. */
  #takeFolder(live: Live, wanted: Wanted, started: () => void): void {
    const { workspaces, clock } = this.#context;
    const { session, throttle } = this.#parts;
    // What comes from within `claim` must not use the claim before it is there.
    let granted: string | null = null;
    const go = (folder: string): void => {
      throttle.lift('folder');
      this.#takeSlot(live, wanted, folder, started);
    };
    live.claim =
      workspaces?.claim({
        session,
        granted: (folder) => {
          if (live.claim === null) {
            granted = folder;
          } else {
            go(folder);
          }
        },
        blocked: (folder, owner) => {
          throttle.blocked(`${folder} is used by ${owner}`);
        },
        failed: (error) => this.#failed(live, error),
        makeRoom: () => this.#post({ type: 'make-room', at: clock.wall() }),
      }) ?? null;
    if (granted !== null) {
      go(granted);
    } else if (live.gone) {
      live.claim?.release();
    }
  }

  #takeSlot(live: Live, wanted: Wanted, folder: string | null, started: () => void): void {
    const owner: SlotOwner = {
      urgent: this.#parts.urgent,
      makeRoom: () => this.#post({ type: 'make-room', at: this.#context.clock.wall() }),
    };
    let early = false;
    const begin = (): void => {
      if (live.slot === null) {
        early = true;
      } else {
        this.#begin(live, wanted, folder, started);
      }
    };
    live.slot = this.#parts.pool.take(owner, begin);
    if (early) {
      this.#begin(live, wanted, folder, started);
    }
  }

  #begin(live: Live, wanted: Wanted, folder: string | null, started: () => void): void {
    const { agent } = this.#context;
    const { session } = this.#parts;
    started();
    this.#noted(live, 'start', live.incarnation);
    try {
      live.handle = agent.start({
        session,
        incarnation: live.incarnation,
        conversation: wanted.conversation,
        model: wanted.model,
        folder,
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
    if (live !== null && live.slot !== null) {
      live.idle = false;
      live.background.busy();
      this.#parts.pool.busy(live.slot);
      live.claim?.busy();
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
      this.#offerRoom(live);
    }
  }

  /** What it does in the background would end with it. */
  #offerRoom(live: Live): void {
    if (live.gone || live.slot === null) {
      return;
    }
    const { keeps } = live.background;
    this.#parts.keeps(keeps);
    if (!live.idle) {
      return;
    }
    if (keeps) {
      this.#parts.pool.busy(live.slot);
      live.claim?.busy();
    } else {
      this.#parts.pool.idle(live.slot, this.#context.clock.now());
      live.claim?.idle();
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
    if (event.type === 'ready' && live.slot !== null) {
      this.#parts.pool.ready(live.slot);
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
      this.#offerRoom(live);
      return;
    }
    if (live.held !== null && (event.type === 'ready' || live.held.length > 0)) {
      live.held.push(event);
    } else {
      live.output.handle(event);
    }
  }

  #exited(live: Live, reason: string, data: unknown): void {
    if (live.gone) {
      return;
    }
    live.gone = true;
    if (!leaves(data)) {
      this.#forget(live);
    }
    if (live.slot !== null) {
      this.#parts.pool.give(live.slot);
    }
    this.#parts.throttle.lift('folder');
    live.claim?.release();
    if (this.#live === live) {
      this.#live = null;
    }
    live.output.end(reason, live.ending);
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
    const written = this.#parts.processRows.record(row, () => this.#doom(live));
    if (written !== null) {
      live.held = [];
      void written.then(() => this.#recorded(live, process));
    }
  }

  /** The session learns now what its agent has said meanwhile. One that has ended was never ready. */
  #recorded(live: Live, process: ProcessId): void {
    if (live.process === process) {
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

/** Its end names processes that outlived it: its row stays, so that the next start looks for them again. */
function leaves(data: unknown): boolean {
  const left = typeof data === 'object' && data !== null && 'left' in data ? data.left : null;
  return Array.isArray(left) && left.length > 0;
}
