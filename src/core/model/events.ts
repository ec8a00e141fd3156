/**
 * Everything that can stand on a tape: one discriminated union by `type`, closed for writers and for `switch`.
 *
 * This is the one home of the list. `protocol` has a schema of each member beside it, and `docs/events.md` is made from both.
 * A reader that is older than the tape it reads gets what it does not know apart from this union (`kind: 'unknown'`, see
 * `protocol/events`), so that a misspelt type never compiles.
 *
 * Times are wall-clock milliseconds; they are shown, nothing is decided by them.
 */
import type { TurnLimit } from './turn-limits.ts';
import type { Actor } from './actor.ts';
import type { OutputPart, Usage, Cost, TurnFailure, TurnReport } from './output.ts';
import type { PermissionAction } from './permission.ts';
import type { Epoch, Incarnation, TaskId, TurnId } from './ids.ts';
import type { AgentCaps, Assigned, ConversationEnding, Intent, Parked, Throttle, TurnOutcome } from './session.ts';
import type { Lane, TaskMode, TerminalStatus, WhenBusy, Where } from './task.ts';
import type { DeadlineName } from './timers.ts';

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
  edited: {
    /** First line of the new prompt. */
    readonly title: string;
    readonly by: Actor | null;
  };
  moved: { readonly lane: Lane; readonly priority: number; readonly where: Where | null; readonly by: Actor | null };
  granted: { readonly epoch: Epoch; readonly attempt: number; readonly passedOver: number };
  resumed: { readonly epoch: Epoch; readonly attempt: number; readonly passedOver: number };
  'turn-sent': {
    readonly turn: TurnId;
    readonly incarnation: Incarnation;
    readonly epoch: Epoch;
    readonly attempt: number;
    /** A turn of this task was taken before: the agent is asked to continue. */
    readonly resumed: boolean;
    /** An earlier turn was cut off; whether its last tool call happened is unknown, and the prompt says so. */
    readonly interruptedMidTurn: boolean;
    /** The conversation has the text: the agent got only a note. */
    readonly delivered: boolean;
    /** It is not preempted until its window ends. */
    readonly protected: boolean;
    readonly mergedTasks: readonly TaskId[];
    readonly model: string | null;
  };
  'turn-started': { readonly turn: TurnId };
  output: { readonly turn: TurnId; readonly part: OutputPart };
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
    readonly why: Intent;
    readonly by: Actor | null;
    /** False: it waits until the agent has confirmed the turn, or the turn is being interrupted already. */
    readonly sent: boolean;
  };
  /** `noResult`: the agent says that no result will come for this turn. */
  'interrupt-acked': { readonly turn: TurnId; readonly noResult: boolean };
  'cancel-requested': { readonly reason: string; readonly by: Actor | null; readonly turn: TurnId };
  'deadline-reached': { readonly name: DeadlineName; readonly turn: TurnId | null; readonly epoch: Epoch | null };
  /** The turn has reached one of its limits, and is interrupted. `bound`: what was configured. */
  'limit-reached': { readonly turn: TurnId; readonly limit: TurnLimit; readonly bound: number };
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
  /** Its time was up, and it waited: `waitsFor` says for what. `final` follows. */
  expired: { readonly waitsFor: string };
  /** A holder is there for an external task. */
  claimed: { readonly holder: string; readonly leaseMs: number };
  /** It was silent for longer than its lease. `epoch`: that of its run, which has ended; null: it had none yet. */
  'lease-lapsed': { readonly holder: string; readonly epoch: Epoch | null };
  preempted: { readonly by: Actor | null; readonly epoch: Epoch };
  'attempt-lost': { readonly reason: string; readonly attempt: number };
  /** A new attempt begins in place of the lost one. */
  'attempt-retried': { readonly attempt: number; readonly reason: string };
  /** The turn failed for a transient reason; it is retried within the same attempt. */
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
  'agent-starting': {
    readonly incarnation: Incarnation;
    readonly resume: boolean;
    /** Its name in the fleet; left out where the session has none. */
    readonly agent?: string;
    readonly model: string | null;
  };
  'agent-ready': {
    readonly incarnation: Incarnation;
    readonly conversation: string | null;
    readonly caps: AgentCaps;
  };
  /** `by`: who asked for it; null: a rule of Signalbox, which `reason` names. */
  'agent-ending': { readonly incarnation: Incarnation; readonly reason: string; readonly by: Actor | null };
  'agent-exited': { readonly incarnation: Incarnation; readonly reason: string; readonly data: unknown };
  /** The agent does not know the old conversation any more; a fresh one began. */
  'conversation-reset': { readonly conversation: string | null };
  /** The conversation is not resumed any more: the next prompt begins another. `by`: a person, or the task that wanted or filled it. */
  'conversation-ended': { readonly conversation: string | null } & ConversationEnding;
  /** The session has another agent or model. `from`: the agent before. `by`: a person, or the task that named it. */
  'agent-assigned': Assigned & {
    readonly from: string | null;
    /** The new agent does not know what was said before. */
    readonly conversationLost: boolean;
    readonly by: Actor | null;
  };
  /** The turns from `from` on were taken out of the conversation before `turn` began; not `ok`: the agent did not do it. */
  'conversation-rewound': { readonly from: TurnId; readonly turn: TurnId; readonly ok: boolean };
  'model-switching': {
    readonly incarnation: Incarnation;
    readonly from: string | null;
    readonly to: string | null;
  };
  'model-switched': { readonly incarnation: Incarnation; readonly model: string | null; readonly ok: boolean };
  throttled: Throttle;
  unthrottled: { readonly reason: string | null };
  'hang-reported': HangNote;
  /** Events that stood here before are gone: a failover of the store has lost them. */
  'store-rewound': { readonly node: string };
  /** A turn that nobody asked for. */
  'unsolicited-turn': {
    readonly incarnation: Incarnation;
    readonly phase: 'began' | 'ended';
    readonly data: unknown;
  };
  /** What the agent said outside of a turn of ours. */
  'unexpected-output': { readonly incarnation: Incarnation; readonly part: OutputPart };
  evicted: { readonly task: TaskId; readonly epoch: Epoch; readonly by: Actor | null };
  parked: Parked;
  /** `kind` and `reason` are those of the park; `by` is who ended it. */
  unparked: Parked;
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
