/**
 * A task as the core sees it, and the lists of what its fields may be. `protocol`, the configuration and the command line make
 * their lists from these.
 */
import type { Actor } from './actor.ts';
import type { Epoch, TaskId, TurnId } from './ids.ts';

/** `interactive`: somebody waits for the answer. `background`: it gives way to the other lane. */
export const lanes = ['interactive', 'background'] as const;
export type Lane = (typeof lanes)[number];

/** What a new task does when it finds the session busy; `busyPolicies` says what each of them means. */
export const whenBusyPolicies = [
  'preempt',
  'enqueue',
  'steer',
  'collect',
  'replace',
  'interrupt',
  'rollback',
  'reject',
] as const;
export type WhenBusy = (typeof whenBusyPolicies)[number];

/** For a task that does not say. */
export const defaultWhenBusy: { readonly [L in Lane]: WhenBusy } = { interactive: 'preempt', background: 'enqueue' };

/**
 * `prompt`: one turn with the task's input. `code`: a registered runner that asks for any number of turns. `external`: a program outside
 * the daemon does so, its holder.
 */
export const taskModes = ['prompt', 'code', 'external'] as const;
export type TaskMode = (typeof taskModes)[number];

/** What becomes of a task whose turn was cut off: another attempt, or its end. */
export const onLostPolicies = ['retry', 'fail'] as const;
export type OnLost = (typeof onLostPolicies)[number];

/** `current`: the turns of a task go into the conversation that there is. `fresh`: its first turn begins another. */
export const taskConversations = ['current', 'fresh'] as const;
export type TaskConversation = (typeof taskConversations)[number];

const openStatuses = ['queued', 'running'] as const;
export const terminalStatuses = ['completed', 'failed', 'cancelled'] as const;
export const taskStatuses = [...openStatuses, ...terminalStatuses] as const;
type OpenStatus = (typeof openStatuses)[number];
export type TerminalStatus = (typeof terminalStatuses)[number];
export type TaskStatus = (typeof taskStatuses)[number];

/**
 * Where an open task stands. `collecting`: its window for further parts is open, it does not compete yet.
 * `waiting`: in the queue. `owner`: it owns the session. `merged`: its text goes with the prompt of another task.
 * `steered`: its text goes into the running turn of the owner. `released`: its runner has given the session back and works on.
 * `unclaimed`: it is external, and no holder is there for it, so it does not compete.
 */
export const taskStages = ['collecting', 'waiting', 'owner', 'merged', 'steered', 'released', 'unclaimed'] as const;
export type TaskStage = (typeof taskStages)[number];

/** What an open task will end with as soon as its turn is off the wire. The first verdict counts. */
export interface Verdict {
  readonly status: TerminalStatus;
  /** Stable reason code: `cancelled`, `stopped`, `replaced`, `interrupted`, `hold_limit`, `runner_completed`, … */
  readonly reason: string;
  /** For `replaced` and `interrupted` the task that did it. */
  readonly by: Actor | null;
  /** Opaque result of a runner that finished while its turn was still on the wire. */
  readonly result: unknown;
  /**
   * What ends with the task. `task`: it alone. `turn`: what is merged into it, and what its turn has taken. `all`: also what was
   * steered and is not taken yet.
   */
  readonly scope: 'task' | 'turn' | 'all';
}

export interface Task {
  readonly id: TaskId;
  readonly lane: Lane;
  readonly mode: TaskMode;
  /** Higher first, background lane only. */
  readonly priority: number;
  /** Number of its admission in the session: its age. */
  readonly admission: number;
  /** Its place in the order of the open tasks, an integer that no other of them has. Only `move` and `replace` give an older place. */
  readonly position: number;
  /** Source and rights, fixed at admission; only members of one merge group merge, steer, replace or interrupt. Null: nobody's equal. */
  readonly mergeGroup: string | null;
  readonly whenBusy: WhenBusy;
  readonly onLost: OnLost;
  readonly maxAttempts: number;
  /** Wall-clock ms at which it is not to wait any longer; null: it waits as long as it takes. Opaque. */
  readonly expiresAt: number | null;
  readonly status: OpenStatus;
  readonly stage: TaskStage;
  /** Where it is `merged` or `steered`: the entry (`entryOf`) of the task whose turn it belongs to. */
  readonly mergedInto: TaskId | null;
  /** The entry that it leads since the task that opened it was cancelled; null: its own. */
  readonly leads: TaskId | null;
  /** Where it is `steered`: the agent has taken its text. */
  readonly delivered: boolean;
  /** Attempts begun: counted by the first grant, by a lost turn that may have caused the loss itself, and by the start of a runner in place of a lost one. */
  readonly attempts: number;
  /** A turn of it was sent and did not end by itself: the next prompt asks the agent to continue, not to begin. */
  readonly started: boolean;
  /** An earlier turn was cut off and its last tool call may or may not have happened; the next prompt says so. */
  readonly interruptedMidTurn: boolean;
  /**
   * The conversation, by its first turn, that is known to have the text of all prompts of its present turn: a turn of it in which the model had
   * spoken, or its provider had failed, came to its boundary there. Null: none.
   */
  readonly textIn: TurnId | null;
  readonly conversation: TaskConversation;
  /** Its next turn begins a fresh conversation. */
  readonly beginsFresh: boolean;
  readonly verdict: Verdict | null;
  /** The model its turns are for; null: the agent's default. Opaque. */
  readonly model: string | null;
  /** Turns in a row that failed for a transient reason (rate limit, overload). They burn no attempt. */
  readonly retries: number;
  /** Not durable: its time was up while it did not wait. It ends as soon as it waits again. */
  readonly overdue: boolean;
  /** Last `seq` on the task's tape. */
  readonly seq: number;
  /** Epoch at which the live runner was started; its fencing token. Null: no live runner. Durable for a holder, which outlives the daemon. */
  readonly run: Epoch | null;
  /** The program that has claimed an external task; null: none is there. Durable with its run. */
  readonly holder: Holder | null;
  /** Not durable: the turn the live runner has asked for and not had yet. */
  readonly call: CallOf | null;
}

/** The runner of an external task: a program outside the daemon. */
export interface Holder {
  /** As it names itself: the same name that claims again is the same holder. */
  readonly name: string;
  /** How long it may be silent. Opaque. */
  readonly leaseMs: number;
  /** It has the answer that the session is granted to it, or has said something under its epoch. Until then it cannot have begun. */
  readonly told: boolean;
  /** Its last call that was answered, and the turn that answered it: the same call, asked again, has the same answer. */
  readonly answered: { readonly call: number; readonly turn: TurnId } | null;
}

/** A runner's asking for a turn. `model`: null for that of its task. */
interface CallOf {
  readonly id: number;
  readonly model: string | null;
}

/** Where a task is moved to, among those that compete with it on equal terms. */
export type Where = 'first' | 'last' | { readonly before: TaskId };
