/** What a step gives back: records to commit, effects to run after the commit, and the answer to the input's sender. */
import type { Epoch, Incarnation, TaskId, TurnId } from './ids.ts';
import type { SessionEvent, TaskEvent, TaskEventData, TaskEventType, TurnReport } from './events.ts';
import type { TimerName } from './inputs.ts';
import type { Session, Task, TaskStatus, TurnOutcome } from './model.ts';

/** A task as the store keeps it: all of it but the live runner. Payload, result and `seq` have columns of their own. */
export type TaskRow = Omit<Task, 'run' | 'call' | 'seq'>;

/**
 * A session as the store keeps it. `sent`: the turn's prompt may have reached the agent; `permissionRequests`: those that
 * wait for a person, so that each of them has its end on the tape though the node dies.
 */
export interface SessionRow extends Pick<
  Session,
  'key' | 'epoch' | 'nextPosition' | 'turns' | 'incarnations' | 'parked' | 'conversation' | 'conversationReset'
> {
  readonly hold: {
    readonly task: TaskId;
    readonly epoch: Epoch;
    readonly sent: TurnId | null;
    readonly permissionRequests: readonly string[];
  } | null;
}

export type Final = TaskEventData['final'];
/** Every type of a task's tape but `final`, which is part of the `end` record. */
export type OpenTaskEventType = Exclude<TaskEventType, 'final'>;
export type OpenTaskEvent = TaskEvent<OpenTaskEventType>;

/**
 * A committed fact. The store applies the records of one step in one transaction, in order.
 * `admit` inserts a task, `task` replaces its row, `end` sets the terminal status and appends `final` (one statement pair,
 * refused if the task is already terminal), `event` appends to a tape (refused after `final`), `session` replaces the session's row.
 */
export type Record =
  | { readonly type: 'admit'; readonly at: number; readonly task: TaskRow; readonly payload: unknown }
  | { readonly type: 'task'; readonly at: number; readonly task: TaskRow }
  | { readonly type: 'payload'; readonly at: number; readonly task: TaskId; readonly payload: unknown }
  | {
      readonly type: 'end';
      readonly at: number;
      readonly task: TaskId;
      readonly seq: number;
      /** Data of the `final` event. */
      readonly final: Final;
    }
  | {
      readonly type: 'event';
      readonly at: number;
      readonly task: TaskId;
      readonly seq: number;
      readonly event: OpenTaskEvent;
    }
  /** On the session's own tape. */
  | {
      readonly type: 'event';
      readonly at: number;
      readonly task: null;
      readonly seq: number;
      readonly event: SessionEvent;
    }
  | { readonly type: 'session'; readonly at: number; readonly session: SessionRow };

/** What the shell does once the records are durable, in this order. */
export type Effect =
  | {
      readonly type: 'start';
      readonly incarnation: Incarnation;
      readonly conversation: string | null;
      readonly model: string | null;
    }
  | {
      readonly type: 'prompt';
      readonly incarnation: Incarnation;
      readonly turn: TurnId;
      readonly task: TaskId;
      readonly call: number | null;
      /** Merged tasks whose text belongs into this prompt, after the task's own, in order. */
      readonly riders: readonly TaskId[];
      readonly attempt: number;
      /** A turn of this task was taken before: the agent is asked to go on, not to begin. */
      readonly resumed: boolean;
      readonly interruptedMidTurn: boolean;
      /** The agent's conversation was lost; the prompt says so. */
      readonly conversationReset: boolean;
      readonly rewind: TurnId | null;
    }
  | { readonly type: 'interrupt'; readonly incarnation: Incarnation; readonly turn: TurnId; readonly resend: boolean }
  | { readonly type: 'steer'; readonly incarnation: Incarnation; readonly turn: TurnId; readonly task: TaskId }
  | {
      readonly type: 'respond';
      readonly incarnation: Incarnation;
      readonly turn: TurnId;
      readonly request: string;
      readonly allow: boolean;
      readonly note: string | null;
    }
  | { readonly type: 'switch'; readonly incarnation: Incarnation; readonly model: string | null }
  /** End the process group and reap it; then `agent-exited`. `close` lets an agent at rest leave by itself first. */
  | { readonly type: 'kill'; readonly incarnation: Incarnation }
  | { readonly type: 'close'; readonly incarnation: Incarnation }
  | {
      readonly type: 'run';
      readonly task: TaskId;
      readonly run: Epoch;
      readonly attempt: number;
      readonly interruptedMidTurn: boolean;
    }
  | { readonly type: 'abort'; readonly task: TaskId; readonly run: Epoch; readonly reason: string }
  | {
      readonly type: 'settle';
      readonly task: TaskId;
      readonly run: Epoch;
      readonly call: number;
      readonly outcome: TurnOutcome;
      /** Null: the agent said that no result comes. */
      readonly report: TurnReport | null;
    }
  | { readonly type: 'arm'; readonly timer: TimerName; readonly subject: number | TaskId }
  | { readonly type: 'disarm'; readonly timer: TimerName; readonly subject: number | TaskId };

export type Refusal =
  | 'queue_full'
  | 'session_busy'
  | 'rollback_unsupported'
  | 'not_queued'
  | 'not_movable'
  | 'unknown_task'
  | 'nothing_held'
  | 'agent_not_running'
  | 'not_parked'
  | 'nothing_asked'
  | 'duplicate_task';

/** Why an input was too late or meant something else. Counted by the shell, never applied. */
export type StaleKind = 'ended' | 'epoch' | 'turn' | 'incarnation' | 'timer' | 'unexpected' | 'fenced';

/** A cancel's receipt: `acknowledged` means it has ended; `requested` means that its turn is being interrupted. */
export interface Receipt {
  readonly task: TaskId;
  readonly state: 'requested' | 'acknowledged';
  readonly status: TaskStatus;
  /** What still runs: the turn that is being interrupted, or that has taken the text of a task that rode on it. */
  readonly turn: TurnId | null;
}

export type Reply =
  | { readonly kind: 'ok' }
  | {
      readonly kind: 'admitted';
      readonly task: TaskId;
      readonly stage: Task['stage'];
      /** What the policy did: merged or steered into, replaced or interrupted these. */
      readonly mergedInto: TaskId | null;
      readonly endedTasks: readonly TaskId[];
      /** It could not be steered, so it was queued. */
      readonly fallback: boolean;
    }
  | { readonly kind: 'receipt'; readonly receipt: Receipt }
  | { readonly kind: 'receipts'; readonly receipts: readonly Receipt[] }
  | { readonly kind: 'refused'; readonly code: Refusal }
  | { readonly kind: 'stale'; readonly what: StaleKind };

export interface StepResult {
  readonly session: Session;
  readonly records: readonly Record[];
  readonly effects: readonly Effect[];
  readonly reply: Reply;
}
