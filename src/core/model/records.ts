/** What a step changes for good: rows of the store, and the records that change them. */
import type { Epoch, TaskId, TurnId } from './ids.ts';
import type { SessionEvent, TaskEvent, TaskEventData, TaskEventType } from './events.ts';
import type { Conversation, Session } from './session.ts';
import type { Task } from './task.ts';

/**
 * A task as the store keeps it: all of it but what lives in the daemon, such as a code runner. Payload, result and `seq` have columns of their
 * own. `run` and `holder`: those of a holder that was granted the session; a claim before that ends with the daemon.
 */
export type TaskRow = Omit<Task, 'call' | 'overdue' | 'seq'>;

/**
 * A session as the store keeps it. `sent`: the turn's prompt may have reached the agent; `permissionRequests`: those that
 * wait for a person, so that each of them has its end on the tape though the node dies.
 */
export interface SessionRow extends Pick<
  Session,
  'key' | 'epoch' | 'admissions' | 'turns' | 'incarnations' | 'parked' | 'answered' | 'passedOver' | 'settling'
> {
  /** Left out by versions in which sessions remembered no agent. */
  readonly assigned?: Session['assigned'];
  readonly assigning?: Session['assigning'];
  readonly conversation: Conversation['id'];
  readonly conversationReset: Conversation['reset'];
  readonly conversationEnding: Conversation['ending'];
  readonly firstTurn: TurnId | null;
  readonly rewind: TurnId | null;
  readonly hold: {
    readonly task: TaskId;
    readonly epoch: Epoch;
    readonly sent: TurnId | null;
    readonly permissionRequests: readonly string[];
  } | null;
}

type Final = TaskEventData['final'];
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
