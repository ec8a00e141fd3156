/** What a step answers the sender of its input, and all that it gives back. */
import type { Effect } from './effects.ts';
import type { Record } from './records.ts';
import type { Session } from './session.ts';
import type { Task, TaskStatus } from './task.ts';
import type { TaskId, TurnId } from './ids.ts';

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
  | 'no_permission_request'
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
