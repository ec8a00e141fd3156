/**
 * Everything that can stand on a tape: one discriminated union by `type`, closed for whoever writes and for `switch`.
 *
 * This is the one home of the list. `protocol` has a schema of each member beside it, and `docs/events.md` is made from both.
 * A reader that is older than the tape it reads gets what it does not know apart from this union (`kind: 'unknown'`, see
 * `protocol/events`), so that a misspelt type never compiles.
 *
 * Times are wall-clock milliseconds; they are shown, nothing is decided by them.
 */
import type { Epoch, Incarnation, TaskId, TurnId } from './ids.ts';
import type { AgentCaps, Lane, TaskMode, TerminalStatus, Throttle, TurnOutcome, WhenBusy } from './model.ts';
import type { TimerName, Where } from './inputs.ts';
import type { ActionKind, RequestedAction } from './policy.ts';

/** Kinds of whoever acts on a task or a session. */
export const ACTOR_KINDS = [
  'person', // a user of the command line or the API who gave a name
  'token', // a caller of the API who gave none
  'rule', // a webhook rule
  'task', // another task; `name` is its id
  'runner', // the task's own code runner
  'agent',
  'policy', // the permission policy of the task
  'deadline', // `name` is that of the deadline
  'limit', // a bound that cannot be configured
  'daemon',
] as const;
type ActorKind = (typeof ACTOR_KINDS)[number];

/**
 * Who did something. Only the surfaces that callers reach make `person`, `token` and `rule`, and they make nothing else. `name`
 * repeats the kind where there is only one actor of it. Nothing is decided by a name.
 */
export interface Actor {
  readonly kind: ActorKind;
  readonly name: string;
}

/** Tokens of one turn; a dialect that counts from the beginning of its session is brought to this by its driver. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Part of `inputTokens` that the provider had cached. */
  readonly cachedInputTokens?: number;
}

/** What a turn cost, as the agent tells. */
export interface Cost {
  readonly amount: number;
  /** ISO 4217, for example `USD`. */
  readonly currency: string;
}

/** Text that was cut to a bound: `omittedBytes` of it are missing at the place that the text itself marks. */
export interface BoundedText {
  readonly text: string;
  /** Left out when nothing is missing. */
  readonly omittedBytes?: number;
}

/** A change of one file, as a unified diff. */
export interface FileDiff {
  readonly path: string;
  /** Unified diff (`--- a/…`, `+++ b/…`, `@@ …`), bounded. */
  readonly unified: BoundedText;
}

export type ToolStatus = 'started' | 'completed' | 'failed';

/** One use of a tool. Events of the same use carry the same `id`; each repeats what is known by then. */
export interface ToolPart {
  readonly kind: 'tool';
  /** The agent's id of this use; null: the agent gives none. */
  readonly id: string | null;
  /** The agent's own name of the tool, for example `Bash`. */
  readonly name: string;
  readonly action: ActionKind;
  /** One line for a person: the command, the path. */
  readonly title: string;
  readonly status: ToolStatus;
  /** The input as JSON text. Left out where the agent does not say. */
  readonly input?: BoundedText;
  /** The result. Left out while the tool runs. */
  readonly output?: BoundedText;
  /** Files that the tool changed. */
  readonly diffs?: readonly FileDiff[];
  readonly startedAt?: number;
  readonly endedAt?: number;
}

export interface PlanEntry {
  readonly text: string;
  readonly status: 'pending' | 'in_progress' | 'completed';
}

/** What an agent says in a turn: the same parts for every driver. */
export type OutputPart =
  /**
   * A piece of the answer; the pieces of a turn, one after the other, are its whole text. A notice `answer-restarted` takes the
   * last `detail.retractedLength` UTF-16 units of them back: the agent begins its message again.
   */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'thinking'; readonly text: string }
  | ToolPart
  | ({ readonly kind: 'usage' } & Usage)
  | ({ readonly kind: 'cost' } & Cost)
  | { readonly kind: 'plan'; readonly entries: readonly PlanEntry[] }
  /** What the agent or its driver says of itself: `code` is stable, `detail` any JSON. */
  | { readonly kind: 'notice'; readonly code: string; readonly message: string; readonly detail?: unknown }
  /** A message that the driver does not know, bounded. */
  | { readonly kind: 'raw'; readonly data: unknown };

/** Why a turn failed, in the one vocabulary of all dialects. */
export interface TurnFailure {
  /** `rate_limit`, `overloaded`, … : see docs/providers.md. */
  readonly class: string;
  readonly transient: boolean;
  /** The agent's own words. */
  readonly message: string;
  /** What to do. */
  readonly hint: string;
  readonly retryAfterMs?: number;
}

/** What came with the boundary of a turn. */
export interface TurnReport {
  /** All that the agent said in it; empty where it said nothing. */
  readonly text: string;
  readonly usage?: Usage;
  readonly cost?: Cost;
  readonly failure?: TurnFailure;
  /** The dialect's own record of what went wrong. */
  readonly error?: unknown;
}

export interface PermissionAction extends RequestedAction {
  /** The request as the agent made it. */
  readonly detail: unknown;
}

/** A hang report that concerns a session; `signalbox hangs` shows the whole of it. */
export interface HangNote {
  /** Its id. */
  readonly report: string;
  /** What hangs, and how: see docs/hangs.md. */
  readonly class: string;
  /** One line for a person. */
  readonly summary: string;
}

/** Data of each event on a task's tape, in the order in which a task usually meets them. */
export interface TaskEventData {
  queued: {
    readonly lane: Lane;
    readonly mode: TaskMode;
    readonly whenBusy: WhenBusy;
    readonly priority: number;
    /** First line of the prompt. */
    readonly title: string;
    readonly source: string;
    readonly author: string | null;
    /** It could not be steered, so it was queued. */
    readonly fallback: boolean;
  };
  /** It joined the turn of another task that is still queued. */
  merged: { readonly into: TaskId };
  /** It was sent into a running turn; `delivered` once the agent has taken its text. */
  steered: { readonly into: TaskId; readonly turn: TurnId; readonly delivered: boolean };
  /** It left the turn of another task and waits for itself again. */
  requeued: { readonly from: TaskId };
  edited: { readonly by: Actor | null };
  moved: { readonly lane: Lane; readonly priority: number; readonly where: Where | null; readonly by: Actor | null };
  granted: { readonly epoch: Epoch; readonly attempt: number };
  resumed: { readonly epoch: Epoch; readonly attempt: number };
  'turn-sent': {
    readonly turn: TurnId;
    readonly incarnation: Incarnation;
    readonly epoch: Epoch;
    readonly attempt: number;
    /** A turn of this task was taken before: the agent is asked to continue. */
    readonly resumed: boolean;
    /** An earlier turn was cut off; whether its last tool call happened is unknown, and the prompt says so. */
    readonly interruptedMidTurn: boolean;
    /** It is not preempted until its window ends. */
    readonly protected: boolean;
    readonly mergedTasks: readonly TaskId[];
    readonly model: string | null;
  };
  'turn-started': { readonly turn: TurnId };
  /** `turn` null: the agent did not say which. */
  output: { readonly turn: TurnId | null; readonly part: OutputPart };
  'permission-requested': { readonly turn: TurnId; readonly request: string; readonly action: PermissionAction };
  'permission-resolved': {
    readonly turn: TurnId;
    readonly request: string;
    readonly decision: 'allow' | 'deny' | 'withdrawn';
    readonly by: Actor | null;
    readonly note: string | null;
  };
  /** Any JSON of the task's code runner. */
  progress: { readonly data: unknown };
  'interrupt-requested': {
    readonly turn: TurnId;
    readonly why: 'preempt' | 'silence' | 'verdict';
    readonly by: Actor | null;
    /** False: it waits until the agent has confirmed the turn, or the turn is being interrupted already. */
    readonly sent: boolean;
  };
  /** `noResult`: the agent says that no result will come for this turn. */
  'interrupt-acked': { readonly turn: TurnId; readonly noResult: boolean };
  'cancel-requested': { readonly reason: string; readonly by: Actor | null; readonly turn: TurnId };
  'deadline-reached': { readonly name: TimerName; readonly turn: TurnId | null; readonly epoch: Epoch | null };
  /** The text of the turn is in its `output` events and, where the turn ended the task, in `final`. */
  'turn-ended': {
    readonly turn: TurnId;
    readonly outcome: TurnOutcome;
    /** Length of the text in UTF-16 units; null: the agent gave no result. */
    readonly textLength: number | null;
    readonly usage: Usage | null;
    readonly cost: Cost | null;
    readonly failure: TurnFailure | null;
    readonly error: unknown;
    /** Why the turn was lost, where it was. */
    readonly reason: string | null;
  };
  preempted: { readonly by: Actor | null; readonly preemptionsInRow: number; readonly epoch: Epoch };
  'attempt-lost': { readonly reason: string; readonly attempt: number };
  /** A new attempt begins in place of the lost one. */
  'attempt-retried': { readonly attempt: number; readonly reason: string };
  /** The turn failed for a reason that passes by itself; it is tried again within the same attempt. */
  'turn-retried': { readonly attempt: number; readonly reason: string | null; readonly retry: number };
  final: {
    readonly status: TerminalStatus;
    readonly reason: string;
    readonly by: Actor | null;
    /** Attempts begun. */
    readonly attempts: number;
    /** What the agent said in the turn that ended a prompt task; null where no turn did. */
    readonly answer: TurnReport | null;
    /** What the code runner returned, or the record of its error; null for a prompt task. */
    readonly result: unknown;
  };
}

/** Data of each event on a session's own tape. */
export interface SessionEventData {
  'agent-starting': { readonly incarnation: Incarnation; readonly resume: boolean; readonly model: string | null };
  'agent-ready': {
    readonly incarnation: Incarnation;
    readonly conversation: string | null;
    readonly caps: AgentCaps;
  };
  'agent-ending': { readonly incarnation: Incarnation; readonly reason: string };
  'agent-exited': { readonly incarnation: Incarnation; readonly reason: string; readonly data: unknown };
  /** The agent does not know the old conversation any more; a fresh one began. */
  'conversation-reset': { readonly conversation: string | null };
  'model-switching': {
    readonly incarnation: Incarnation;
    readonly from: string | null;
    readonly to: string | null;
  };
  'model-switched': { readonly incarnation: Incarnation; readonly model: string | null; readonly ok: boolean };
  throttled: Throttle;
  unthrottled: { readonly reason: string | null };
  'hang-reported': HangNote;
  /** A turn that nobody asked for. */
  'unsolicited-turn': {
    readonly incarnation: Incarnation;
    readonly phase: 'began' | 'ended';
    readonly data: unknown;
  };
  /** What the agent said outside of a turn of ours. */
  'unexpected-output': { readonly incarnation: Incarnation; readonly part: OutputPart };
  evicted: { readonly task: TaskId; readonly epoch: Epoch; readonly by: Actor | null };
  parked: { readonly reason: string; readonly by: Actor | null };
  unparked: { readonly reason: string; readonly by: Actor | null };
  /** A daemon has taken the session up again; `owner` is the task that owned it. */
  recovered: { readonly owner: TaskId | null };
  fault: { readonly reason: string };
}

export type TaskEventType = keyof TaskEventData;
export type SessionEventType = keyof SessionEventData;
export type EventType = TaskEventType | SessionEventType;

type TaskEvents = { readonly [T in TaskEventType]: { readonly type: T; readonly data: TaskEventData[T] } };
type SessionEvents = { readonly [T in SessionEventType]: { readonly type: T; readonly data: SessionEventData[T] } };

export type TaskEvent<T extends TaskEventType = TaskEventType> = TaskEvents[T];
export type SessionEvent<T extends SessionEventType = SessionEventType> = SessionEvents[T];
/** Everything that can stand on a tape. */
export type Event = TaskEvent | SessionEvent;
