/** What a step answers the sender of its input, and all that it gives back. */
import type { Effect } from './effects.ts';
import type { Record } from './records.ts';
import type { Session } from './session.ts';
import type { Task, TaskStatus, TerminalStatus } from './task.ts';
import type { Epoch, TaskId, TurnId } from './ids.ts';

export type Refusal =
  | 'queue_full'
  | 'session_busy'
  | 'rollback_unsupported'
  | 'agent_differs'
  | 'text_sent'
  | 'turn_sent'
  | 'task_merged'
  | 'not_movable'
  | 'unknown_task'
  | 'nothing_held'
  | 'agent_not_running'
  | 'not_parked'
  | 'no_permission_request'
  | 'duplicate_task'
  | 'not_external'
  | 'task_claimed'
  | 'call_out_of_order'
  | 'turn_in_progress'
  | 'hold_released';

/** Why an input was too late or meant something else. Counted by the shell, never applied. */
export type StaleKind = 'ended' | 'epoch' | 'turn' | 'incarnation' | 'timer' | 'unexpected' | 'fenced';

/** A cancel's receipt: `acknowledged` means it has ended; `requested` means that its turn is being interrupted. */
export interface Receipt {
  readonly task: TaskId;
  readonly state: 'requested' | 'acknowledged';
  readonly status: TaskStatus;
  /** How it has ended, or will end unless its whole answer crosses the interrupt: of two requests the first one stands. */
  readonly verdict: TerminalStatus;
  /** The reason code of that. */
  readonly reason: string;
  /** What still runs: the turn that is being interrupted, or that has taken the text of a task that rode on it. */
  readonly turn: TurnId | null;
}

/** What became of a conversation that is to end. */
export const conversationStates = ['ended', 'requested', 'unused'] as const;
export type ConversationState = (typeof conversationStates)[number];

/** What became of an assignment. */
export const assignmentStates = ['applied', 'requested', 'unchanged'] as const;
export type AssignmentState = (typeof assignmentStates)[number];

/** `applied`: the next prompt goes to that agent. `requested`: with the end of the turn that runs, or as soon as the agent is at a boundary. `unchanged`: it has that agent. */
export interface Assignment {
  readonly kind: 'assigned';
  readonly state: AssignmentState;
  readonly turn: TurnId | null;
  /** The agent that is assigned does not know what was said before. */
  readonly conversationLost: boolean;
}

/** What a submit did. */
interface Admission {
  readonly kind: 'admitted';
  readonly task: TaskId;
  /** The tasks that the policy replaced or interrupted. */
  readonly endedTasks: readonly TaskId[];
  /** It could not be steered, so it was queued. */
  readonly fallback: boolean;
  /** The task that it is merged or steered into. */
  readonly mergedInto: TaskId | null;
}

/** Where the admitted task stands at the end of the step. */
interface Admitted extends Admission {
  readonly stage: Task['stage'];
}

/** What a claim has come to. */
export interface Claimed {
  readonly kind: 'claimed';
  /** Null: the session is not granted yet. */
  readonly run: Epoch | null;
  readonly attempt: number;
  readonly interruptedMidTurn: boolean;
  /** The last call of this holder that was answered; null: none. */
  readonly call: number | null;
}

export type Reply =
  | { readonly kind: 'ok' }
  | Admitted
  | { readonly kind: 'receipt'; readonly receipt: Receipt }
  | Claimed
  /** The holder's call was answered before, by this turn. */
  | { readonly kind: 'answered'; readonly turn: TurnId }
  /** `ended`: the conversation is over. `requested`: it ends with the turn that runs, or as soon as the agent is ready. `unused`: nothing was said in it yet. */
  | { readonly kind: 'conversation'; readonly state: ConversationState; readonly turn: TurnId | null }
  | Assignment
  /** `more`: `atMost` was reached, and the owner has not been looked at. */
  | { readonly kind: 'receipts'; readonly receipts: readonly Receipt[]; readonly more?: true }
  | { readonly kind: 'refused'; readonly code: Refusal }
  | { readonly kind: 'stale'; readonly what: StaleKind };

/** What a rule answers. Where an admitted task stands is known only once the step is over. */
export type RuleReply = Exclude<Reply, { kind: 'admitted' }> | Admission;

export interface StepResult {
  readonly session: Session;
  readonly records: readonly Record[];
  readonly effects: readonly Effect[];
  readonly reply: Reply;
}
