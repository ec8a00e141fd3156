import type { Epoch, Incarnation, TaskId, TurnId } from './ids.ts';
import type { TimerName } from './timers.ts';
import type { ConversationReset, TurnOutcome } from './session.ts';
import type { TurnReport } from './output.ts';

/** What the shell does once the records are durable, in this order. */
export type Effect =
  | {
      readonly type: 'start';
      readonly incarnation: Incarnation;
      readonly conversation: string | null;
      /** Its name in the fleet; null: the session has none. */
      readonly agent: string | null;
      readonly model: string | null;
    }
  | {
      readonly type: 'prompt';
      readonly incarnation: Incarnation;
      readonly turn: TurnId;
      readonly task: TaskId;
      readonly call: number | null;
      /** Merged tasks whose text belongs into this prompt, after the task's own, in order. */
      readonly mergedTasks: readonly TaskId[];
      readonly attempt: number;
      /** A turn of this task was taken before: the agent is asked to continue, not to begin. */
      readonly resumed: boolean;
      readonly interruptedMidTurn: boolean;
      /** The conversation has the text: the agent gets only a note. */
      readonly delivered: boolean;
      /** The agent does not know what was said before, and the prompt says so; null: it does. */
      readonly conversationReset: ConversationReset | null;
      /** The agent first takes this turn out of its conversation, and all after it. */
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
  /** Parts are left to settle: `continue` is to be sent. */
  | { readonly type: 'continue' }
  | { readonly type: 'arm'; readonly timer: TimerName; readonly subject: number | TaskId }
  | { readonly type: 'disarm'; readonly timer: TimerName; readonly subject: number | TaskId };
