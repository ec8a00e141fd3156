/**
 * What the runtime offers to the server, to gateways and to users of the library. `createSignalbox` in `signalbox.ts` implements it.
 * Expected outcomes are values; only defects and a closed or failing store throw (`AppError`).
 */
import type { Actor } from '../core/model/actor.ts';
import type { HangNote } from '../core/model/events.ts';
import type { PermissionAction } from '../core/model/permission.ts';
import type { TurnReport } from '../core/model/output.ts';
import type { Epoch, SessionKey, TaskId, TurnId } from '../core/model/ids.ts';
import type { StopScope } from '../core/model/inputs.ts';
import type { SessionState, TaskState } from '../core/model/state.ts';
import type { Where, Lane, TaskStage, TaskStatus } from '../core/model/task.ts';
import type { Assigned, Parked, TurnOutcome } from '../core/model/session.ts';
import type { Assignment, ConversationState, Receipt, Refusal } from '../core/model/replies.ts';
import type { AllTrue, Describes } from '../protocol/describes.ts';
import type { TurnAnswerSchema } from '../protocol/holds.ts';
import type { OpenTasksSchema } from '../protocol/open-tasks.ts';
import type { PermissionPolicy } from '../core/model/permission.ts';
import type { PermissionRequestSchema, RespondRequest } from '../protocol/permissions.ts';
import type { ProviderSchema, ThrottleSchema } from '../protocol/providers.ts';
import type { TaskSpecInput } from '../protocol/task-spec.ts';
import type { ExplanationSchema, SubmitReceiptSchema } from '../protocol/tasks.ts';
import type { PendingView } from './agent/unanswered-requests.ts';
import type {
  FeedEvent,
  FeedPosition,
  Page,
  SessionSummary,
  Store,
  StoredEvent,
  StoredTask,
  StoreStats,
  TaskFilter,
  SentBy,
} from '../store/port.ts';
import type { OutboxFigures } from '../store/outbox.ts';
import type { StoredNode } from '../store/nodes.ts';
import type { ThrottleView } from './throttle/session-throttle.ts';
import type { NamedProvider } from './throttle/providers.ts';

/** `taskSpec` describes every field; all but the prompt have defaults. */
export interface SubmitRequest extends TaskSpecInput {
  readonly session: string;
  /** Belongs to the source: another sender's tasks are not found by it. */
  readonly idempotencyKey?: string | null;
  /**
   * What the sender sent, where the request is made of that by rules which may change: the same digest under the same key is the
   * same request. Default: a digest of the request itself.
   */
  readonly requestDigest?: string;
  /** Whose agent submits it; left out: no agent does. */
  readonly sentBy?: SentBy;
}

/** The turn of an agent that calls the API. */
export interface AgentTurn {
  readonly task: StoredTask;
  readonly lane: Lane;
  /** What the agent may do in it. */
  readonly policy: PermissionPolicy;
}

/** Answered only after the commit; an interrupt that the task fires has been written by then. */
export type SubmitAnswer =
  | {
      readonly kind: 'accepted';
      readonly task: TaskId;
      /** The key the session resolved to. */
      readonly session: SessionKey;
      /** An earlier submit had this idempotency key: this is its task, and nothing was stored. */
      readonly duplicate: boolean;
      readonly stage: TaskStage;
      /** The task that it was merged or steered into. */
      readonly mergedInto: TaskId | null;
      /** Tasks that it replaced or interrupted. */
      readonly endedTasks: readonly TaskId[];
      readonly fallback: boolean;
      /** What holds all work of its lane back, as one sentence; null: it waits for other tasks at most. */
      readonly waitsFor: string | null;
    }
  | Refused;

export interface Refused {
  readonly kind: 'refused';
  readonly code:
    | Refusal
    | 'unknown_session'
    | 'unknown_provider'
    | 'unknown_node'
    | 'not_throttled'
    | 'unknown_runner'
    | 'unknown_agent'
    | 'task_ended'
    | 'stale_epoch'
    | 'mode_conflict'
    | 'evicted'
    | 'key_reused'
    | 'source_full'
    | 'daemon_full'
    | 'closing';
  readonly hint: string;
  /** What is full, where that is why. */
  readonly full?: Full;
}

/** A bound on open tasks that is reached. */
export interface Full {
  readonly what: 'session' | 'source' | 'daemon';
  /** Of the session or the source; null: the daemon. */
  readonly name: string | null;
  readonly open: number;
  readonly limit: number;
  /** When a place may be free, as fast as tasks end at present. */
  readonly retryAfterMs: number;
}

/** Open tasks and their bounds. */
export interface OpenTasks {
  readonly open: number;
  readonly limit: number;
  /** The largest, at most 20. */
  readonly sources: readonly { readonly source: string; readonly open: number }[];
  readonly sourceLimit: number;
}

export type CancelAnswer =
  | { readonly kind: 'receipt'; readonly receipt: Receipt }
  | { readonly kind: 'already-terminal'; readonly task: StoredTask }
  | Refused;

export type CommandAnswer = { readonly kind: 'ok' } | Refused;
/** `turn`: the one that runs, and with which it ends. */
export type ConversationAnswer =
  | { readonly kind: 'conversation'; readonly state: ConversationState; readonly turn: TurnId | null }
  | Refused;
export type AssignAnswer = Assignment | Refused;
export type StopAnswer = { readonly kind: 'receipts'; readonly receipts: readonly Receipt[] } | Refused;

/** Why a task does not run now. Every wait names its deadline, or has none. */
export interface Explanation extends TaskNow {
  readonly task: TaskId;
  readonly session: SessionKey;
  readonly status: TaskStatus;
  /** One sentence for a person. */
  readonly summary: string;
  readonly owner: {
    readonly task: TaskId;
    readonly epoch: Epoch;
    readonly lane: Lane;
    readonly turn: TurnId | null;
    /** `pending`, `sent`, `running`, `draining`, or `between-turns`. */
    readonly phase: string;
    readonly since: number;
  } | null;
  /** Tasks that will be granted before it, in order (at most 100), and how many there are in all. */
  readonly ahead: readonly TaskId[];
  readonly aheadCount: number;
  readonly agent: string;
  readonly waitsFor: readonly {
    readonly what: string;
    readonly since: number;
    readonly deadline: string | null;
    readonly at: number | null;
  }[];
  readonly parked: Parked | null;
  readonly throttle: ThrottleView | null;
  /** Permission requests of the turn that runs in its session. */
  readonly permissionRequests: readonly PermissionRequestView[];
}

/** What a task does now. */
export interface TaskNow {
  readonly state: TaskState;
  /** The last line that its agent wrote, or why it failed; null: neither is known. */
  readonly lastWords: string | null;
}

/** What a session does now. */
export interface SessionNow {
  readonly state: SessionState;
  /** Since when its owner has it, wall clock in ms; null: no owner is live here. */
  readonly ownedSince: number | null;
  /** The last line that its agent wrote in a turn; null: not known. */
  readonly lastWords: string | null;
}

/** A permission request that waits for a person. Times are wall clock, ms. */
export interface PermissionRequestView extends PermissionAction {
  readonly session: SessionKey;
  readonly task: TaskId;
  readonly turn: TurnId;
  readonly request: string;
  readonly since: number;
  /** When it is denied without a response. */
  readonly until: number | null;
}

/** The request of the HTTP API, with a typed actor. */
export interface PermissionResponse extends Omit<RespondRequest, 'by'> {
  readonly by?: Actor;
}

/** A live view of one session; null fields where the session is idle. */
export interface SessionView extends SessionSummary, SessionNow {
  readonly owner: Explanation['owner'];
  readonly agent: string;
  /** The model its agent was started with or switched to; null: the agent's default, or no agent. */
  readonly model: string | null;
  readonly queue: readonly TaskId[];
  readonly throttle: ThrottleView | null;
  readonly permissionRequests: readonly PermissionRequestView[];
}

/** Each of these is sent as it is over HTTP: the schema describes it, or this file does not compile. */
export type ApiFit = AllTrue<{
  submitReceipt: Describes<typeof SubmitReceiptSchema, Omit<Extract<SubmitAnswer, { kind: 'accepted' }>, 'kind'>>;
  explanation: Describes<typeof ExplanationSchema, Explanation>;
  permissionRequest: Describes<typeof PermissionRequestSchema, PermissionRequestView>;
  throttle: Describes<typeof ThrottleSchema, ThrottleView>;
  openTasks: Describes<typeof OpenTasksSchema, OpenTasks>;
  turnAnswer: Describes<typeof TurnAnswerSchema, TurnAnswer>;
  /** The schema does not list the classes of failures: they are the agents' to add. */
  provider: Describes<typeof ProviderSchema, Omit<NamedProvider, 'reason'> & { readonly reason: string | null }>;
}>;

/** Raw figures for `/metrics`; histograms are arrays of seconds' buckets as in Prometheus. */
export interface RuntimeStats {
  /** Null while the store does not answer. */
  readonly store: StoreStats | null;
  /** Messages that go out; null while the store does not answer. */
  readonly replies: OutboxFigures | null;
  readonly sessionsLive: number;
  readonly agentsRunning: number;
  readonly holds: number;
  readonly queueDepth: { readonly [lane in Lane]: number };
  readonly openTasks: OpenTasks;
  /** Permission requests that wait for a person. */
  readonly permissionRequests: number;
  readonly providers: readonly NamedProvider[];
  readonly throttled: { readonly [level in ThrottleView['level']]: number };
  /** Counters since start. */
  readonly counters: { readonly [name: string]: number };
  readonly histograms: { readonly [name: string]: HistogramView };
}

export interface HistogramView {
  readonly help: string;
  /** Upper bounds, and cumulative counts per bound; `count` includes the rest. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

export type Tape = { readonly task: TaskId } | { readonly session: SessionKey } | { readonly all: true };

/**
 * A subscription to committed events. The callback gets them in commit order, in batches, after the commit, in the same
 * pass; it must not block. It says which events exist, so that a follower reads what it needs or takes the batch itself.
 */
export type FeedListener = (events: readonly FeedEvent[]) => void;

/** A live session at a glance, for hang reports. */
export interface LiveSession {
  readonly session: string;
  /** For a person: `in a turn (draining)`. */
  readonly phase: string;
  readonly task: string | null;
  readonly turn: number | null;
  /** The agent has a prompt of Signalbox and has not ended its turn. */
  readonly inTurn: boolean;
  readonly queued: number;
  readonly incarnation: number | null;
  readonly process: { readonly pid: number; readonly startTime: string } | null;
  /** The beginning of the name of its thread, if the agent runs in a thread of the daemon. */
  readonly threadName: string | null;
  /** The agent has got the request to end. */
  readonly ending: boolean;
  /** Time since the last message of the agent, or since its last prompt if that is later; null: there is no agent. */
  readonly quietMs: number | null;
  /** Written to the agent and not answered, oldest first. */
  readonly pending: readonly PendingView[];
  /** Permission requests that wait for a person. */
  readonly permissionRequests: number;
}

/** Commands for one task. */
export interface TaskCommands {
  submit(request: SubmitRequest): Promise<SubmitAnswer>;
  cancel(task: string, options?: { readonly by?: Actor; readonly reason?: string }): Promise<CancelAnswer>;
  edit(task: string, change: { readonly prompt: string; readonly by?: Actor }): Promise<CommandAnswer>;
  move(
    task: string,
    change: { readonly lane?: Lane; readonly priority?: number; readonly where?: Where; readonly by?: Actor },
  ): Promise<CommandAnswer>;
}

/** What a claim has come to. `granted`: the holder has the session, under this epoch. */
export type ClaimAnswer =
  | { readonly kind: 'waiting'; readonly session: SessionKey; readonly leaseMs: number }
  | {
      readonly kind: 'granted';
      readonly session: SessionKey;
      readonly leaseMs: number;
      /** Fencing token of all that the holder asks from now on. */
      readonly epoch: Epoch;
      readonly prompt: string;
      readonly input: unknown;
      readonly attempt: number;
      /** An earlier attempt was interrupted midway; what it did last is unknown. */
      readonly interruptedMidTurn: boolean;
      /** The last call of this epoch that was answered; null: none. */
      readonly call: number | null;
    }
  | Refused;

export type HolderTurnAnswer =
  | { readonly kind: 'waiting'; readonly call: number; readonly leaseMs: number }
  | { readonly kind: 'answered'; readonly call: number; readonly answer: TurnAnswer }
  | Refused;

/**
 * Commands of the holder of an external task, a program outside the daemon. None waits: ask again after the next event of the task. Each
 * renews the lease. A holder that was evicted or whose lease has lapsed gets `evicted`, and changes nothing.
 */
export interface HolderCommands {
  /** The same `holder` may claim again: it learns what has become of its claim. `leaseMs`: how long it may be silent. */
  claim(task: string, claim: { readonly holder: string; readonly leaseMs?: number }): Promise<ClaimAnswer>;
  /** One turn of the agent. The same `call`, asked again, waits for the same turn or has its answer; numbers only grow within an epoch. */
  turn(
    task: string,
    call: { readonly epoch: number; readonly call: number; readonly prompt: string; readonly model?: string | null },
  ): Promise<HolderTurnAnswer>;
  /** Whether a claim or a call still waits. It asks the session nothing, and is no sign of life. */
  waits(
    task: string,
    session: string,
    asked: { readonly holder: string } | { readonly epoch: number; readonly call: number },
  ): boolean;
  /** Appends a `progress` event. */
  progress(task: string, progress: { readonly epoch: number; readonly data: unknown }): Promise<CommandAnswer>;
  heartbeat(task: string, hold: { readonly epoch: number }): Promise<CommandAnswer>;
  /** Gives the session back. The holder works on without it, and still ends the task. */
  release(task: string, hold: { readonly epoch: number }): Promise<CommandAnswer>;
  /** Ends the task. `reason`: a code; default `completed` or `runner_failed`. */
  finish(
    task: string,
    end: {
      readonly epoch: number;
      readonly status: 'completed' | 'failed';
      readonly reason?: string;
      readonly result?: unknown;
    },
  ): Promise<CommandAnswer>;
}

/** Commands for one session, or for a provider of models. */
export interface OperatorCommands {
  stop(session: string, scope: StopScope, by?: Actor): Promise<StopAnswer>;
  evict(session: string, options?: { readonly epoch?: number; readonly by?: Actor }): Promise<CommandAnswer>;
  park(session: string, reason: string, by?: Actor): Promise<CommandAnswer>;
  unpark(session: string, by?: Actor): Promise<CommandAnswer>;
  /** Also lifts a throttle that crashes of its agent or its failed turns have caused. */
  restartAgent(session: string, by?: Actor): Promise<CommandAnswer>;
  /** The next prompt begins a fresh conversation. A turn that runs is left alone: the answer says when. */
  newConversation(session: string, by?: Actor): Promise<ConversationAnswer>;
  /** The session gets this agent and model. A turn that runs is left alone: the answer says when, and whether the conversation is lost. */
  assignAgent(session: string, wanted: Assigned, by?: Actor): Promise<AssignAnswer>;
  /** Allows or denies a permission request. */
  respond(session: string, response: PermissionResponse): Promise<CommandAnswer>;
  /** Ends the throttle of the provider. Its failed turns are retried at once. */
  resumeProvider(name: string): Promise<CommandAnswer>;
  /** Puts a hang report that concerns a session on its tape; false: the session is not live. */
  noteHang(session: string, note: HangNote): boolean;
}

/** Reads that the store answers alone. */
export interface StoredReads {
  readonly store: Store;
  /** The key of the session that a routing key means. Throws `bad_session_key`. */
  sessionKey(key: string): SessionKey;
  task(id: string): Promise<StoredTask | null>;
  /** The tasks that are or were merged or steered into its turns, oldest first. */
  mergedTasks(task: StoredTask): Promise<readonly TaskId[]>;
  tasks(filter: TaskFilter, cursor: string | null, limit: number): Promise<Page<StoredTask>>;
  sessions(cursor: string | null, limit: number): Promise<Page<SessionSummary>>;
  tape(session: string, task: string | null, after: number, limit: number): Promise<readonly StoredEvent[]>;
  feed(session: string | null, after: FeedPosition | null, limit: number): Promise<readonly FeedEvent[]>;
  feedEnd(session: string | null): Promise<FeedPosition | null>;
}

/** Reads that need the live sessions. */
export interface LiveReads {
  /** The session whose agent has this token; null: none that lives. */
  agentOf(token: string): SessionKey | null;
  /** The turn that runs in the session now, or waits for its agent to end it; null: none. */
  turnOf(session: SessionKey): Promise<AgentTurn | null>;
  explain(task: string): Promise<Explanation | null>;
  session(key: string): Promise<SessionView | null>;
  /** Without I/O: of a session that is not live here, what its rows say. */
  taskNow(task: StoredTask): TaskNow;
  /** As `taskNow`. */
  sessionNow(session: SessionSummary): SessionNow;
  /** The permission requests of all sessions that wait for a person, oldest first. */
  permissionRequests(): Promise<readonly PermissionRequestView[]>;
  /** The agent's own provider first, whether anything has failed there or not. */
  providers(): Promise<readonly NamedProvider[]>;
  /** Live sessions now, for hang reports: at most 200, synchronous, without I/O. */
  inspect(): readonly LiveSession[];
  /** The agents' processes that live now: synchronous, without I/O. */
  processes(): readonly { readonly pid: number; readonly startTime: string }[];
  /** Open tasks and their bounds, without I/O. */
  openTasks(): Promise<OpenTasks>;
  stats(): Promise<RuntimeStats>;
}

/** Events as they are committed. */
export interface Following {
  /** Live events of one tape, one session or all. The returned function ends the subscription. */
  listen(tape: Tape, listener: FeedListener): () => void;
  /** Follows a tape from `after` (exclusive) to its `final`: every event once, in order. */
  follow(task: string, after?: number, signal?: AbortSignal): AsyncIterable<StoredEvent>;
  /** Resolves with the ended task. */
  result(task: string, signal?: AbortSignal): Promise<StoredTask>;
}

/** A daemon that shares its store with others. */
export interface NodeView extends StoredNode {
  /** Sessions that it owns. */
  readonly sessions: number;
  /** It is the one that answers. */
  readonly local: boolean;
}

export interface NodeCommands {
  /** Empty where the store is not shared. */
  nodes(): Promise<readonly NodeView[]>;
  /** It takes no further sessions and hands its own over; false: it takes sessions again. */
  drain(name: string, draining: boolean): Promise<CommandAnswer>;
}

export interface Signalbox
  extends TaskCommands, OperatorCommands, StoredReads, LiveReads, Following, NodeCommands, AsyncDisposable {
  /** For programs outside the daemon that hold a session. */
  readonly holders: HolderCommands;
  /** Recovery is done and inputs are taken. */
  readonly ready: Promise<void>;
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** What a code runner works with; passed to the registered function. */
export interface RunnerContext {
  readonly task: TaskId;
  readonly session: SessionKey;
  readonly prompt: string;
  readonly input: unknown;
  readonly attempt: number;
  /** An earlier attempt was interrupted midway; what it did last is unknown. */
  readonly interruptedMidTurn: boolean;
  /** Aborts when the task is cancelled, evicted or the daemon closes. */
  readonly signal: AbortSignal;
  /** The hold, already granted; preempted and resumed without the runner's help. Disposing it releases it: the next task gets the session at once. */
  readonly hold: RunnerHold;
}

/** `text` is empty where the agent said nothing. */
export interface TurnAnswer extends TurnReport {
  readonly outcome: TurnOutcome;
}

export interface RunnerHold extends AsyncDisposable {
  readonly epoch: Epoch;
  /** One turn of the agent. Rejects with `Evicted` (code `evicted`) once the hold is no longer this runner's, and with `hold_released` once it is disposed. */
  turn(prompt: string, options?: { readonly model?: string }): Promise<TurnAnswer>;
  /** Appends a `progress` event; resolves when it is durable; rejects with `Evicted` after the end. */
  progress(data: unknown): Promise<void>;
}

/** Returns the task's result (any JSON); throwing fails the task with the error's code. */
export type Runner = (context: RunnerContext) => Promise<unknown>;
