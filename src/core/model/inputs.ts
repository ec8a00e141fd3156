/** Everything that can happen to a session. Each input carries its own time; the core reads no clock. */
import type { TurnLimit } from './turn-limits.ts';
import type { Where, Lane, OnLost, TaskConversation, TaskMode, TerminalStatus, WhenBusy } from './task.ts';
import type { TimerName } from './timers.ts';
import type { Actor } from './actor.ts';
import type { HangNote } from './events.ts';
import type { OutputPart } from './output.ts';
import type { AgentLoss } from './reasons.ts';
import type { PermissionAction } from './permission.ts';
import type { AgentCaps, Assigned, Parked, ParkedKind, Throttle, TurnResult } from './session.ts';
import type { Epoch, Incarnation, TaskId, TurnId } from './ids.ts';

/** A task as its sender states it. */
export interface NewTask {
  readonly id: TaskId;
  readonly lane: Lane;
  readonly mode: TaskMode;
  readonly priority: number;
  readonly mergeGroup: string | null;
  readonly whenBusy: WhenBusy;
  readonly onLost: OnLost;
  readonly maxAttempts: number;
  readonly conversation: TaskConversation;
  /** Wall-clock ms at which it is not to wait any longer; null: it waits as long as it takes. Only copied. */
  readonly expiresAt: number | null;
  /** Null: the agent's default. */
  readonly model: string | null;
}

/** What the tape says of a task's origin. Opaque to the core. */
export interface TaskOrigin {
  /** First line of the prompt. */
  readonly title: string;
  readonly source: string;
  readonly author: string | null;
}

/** `turn`: the owner and what is merged into it. `queue`: all others. `session`: both. */
export const stopScopes = ['turn', 'queue', 'session'] as const;
export type StopScope = (typeof stopScopes)[number];

interface At {
  /** Wall-clock milliseconds, shown on the tape; nothing is decided by it. */
  readonly at: number;
}

/** What senders, operators and persons ask for. Each names what it means; what is not there is `refused`. */
type Command =
  | {
      readonly type: 'submit';
      readonly task: NewTask;
      readonly about: TaskOrigin;
      /** Opaque; stored with the task. */
      readonly payload: unknown;
      /** What a session gets that has no agent yet. `named`: by the sender, who means no other. */
      readonly assign?: Assigned & { readonly named: boolean };
    }
  | { readonly type: 'cancel'; readonly task: TaskId; readonly reason: string; readonly by: Actor | null }
  | {
      readonly type: 'edit';
      readonly task: TaskId;
      /** First line of the new prompt. */
      readonly title: string;
      readonly payload: unknown;
      readonly by: Actor | null;
    }
  | {
      readonly type: 'move';
      readonly task: TaskId;
      readonly lane: Lane | null;
      readonly priority: number | null;
      readonly where: Where | null;
      readonly by: Actor | null;
    }
  | {
      readonly type: 'stop';
      readonly scope: StopScope;
      readonly by: Actor | null;
      /** Of the tasks that wait, so many in this step: the answer says `more`, and the same input with `goesOn` has to come before any other. */
      readonly atMost?: number;
      readonly goesOn?: true;
    }
  /** `epoch` names the hold that is meant; null means whichever there is. */
  | { readonly type: 'evict'; readonly epoch: Epoch | null; readonly by: Actor | null }
  | ({ readonly type: 'park'; readonly kind: Exclude<ParkedKind, 'fault'> } & Omit<Parked, 'kind'>)
  | { readonly type: 'unpark'; readonly by: Actor | null }
  | { readonly type: 'restart-agent'; readonly by: Actor | null }
  /** A program outside the daemon is there for an external task, until its lease lapses. The same holder may claim again. */
  | { readonly type: 'claim'; readonly task: TaskId; readonly holder: string; readonly leaseMs: number }
  /** The next prompt begins another conversation. A turn on the wire is left alone. */
  | { readonly type: 'new-conversation'; readonly by: Actor | null }
  /** The session gets this agent, or its agent this model. A turn on the wire is left alone. */
  | ({ readonly type: 'assign-agent'; readonly by: Actor | null } & Assigned)
  /** A person's answer to a permission request; it names the turn that asks. */
  | {
      readonly type: 'respond';
      readonly turn: TurnId;
      readonly request: string;
      readonly allow: boolean;
      readonly by: Actor | null;
      /** Told to the agent with a denial. */
      readonly note: string | null;
    };

/** What a runner says, of code or outside the daemon. `run`: the epoch at which it was started. */
export type RunnerInput = At & { readonly task: TaskId; readonly run: Epoch } & (
    | { readonly type: 'call'; readonly call: number; readonly model: string | null }
    | { readonly type: 'progress'; readonly data: unknown }
    /** A holder is alive. The shell moves its lease with this, and with all else that it says. */
    | { readonly type: 'heartbeat' }
    /** It takes no more turns, and works on. */
    | { readonly type: 'release' }
    | {
        readonly type: 'finish';
        readonly status: Exclude<TerminalStatus, 'cancelled'>;
        readonly reason: string;
        /** What it returned, or the record of its error: any JSON. */
        readonly result: unknown;
      }
  );

/** What the agent's driver says of its process, and what is said of it. */
export type AgentInput = At & { readonly incarnation: Incarnation } & (
    | {
        readonly type: 'agent-ready';
        readonly caps: AgentCaps;
        readonly conversation: string | null;
        /** The conversation to be resumed is unknown to the agent: a fresh one was begun. */
        readonly conversationReset: boolean;
      }
    /**
     * The process is gone and reaped, whatever the reason; also the end of `kill` and `close`, and of a failed start. `loss`: why
     * a turn is lost that is on the wire; left out: `agent_lost`.
     */
    | { readonly type: 'agent-exited'; readonly reason: string; readonly data: unknown; readonly loss?: AgentLoss }
    /** Something outside a turn of ours; it goes on the session's tape as `unexpected-output`. */
    | { readonly type: 'output'; readonly turn: null; readonly part: OutputPart }
    | { readonly type: 'switched'; readonly model: string | null; readonly ok: boolean }
    /**
     * Another session needs the agent's slot or folder: the agent is closed as soon as it is at rest. `interrupts`: a background turn that is
     * interrupted for it; null: none is. `by`: the task of the other session.
     */
    | { readonly type: 'give-way'; readonly interrupts: TurnId | null; readonly by: Actor }
    | { readonly type: 'unsolicited'; readonly phase: 'began' | 'ended'; readonly data: unknown }
  );

/** What is said of a turn: by the agent's driver, and by the shell that counts what it says. */
export type TurnInput = At & { readonly incarnation: Incarnation; readonly turn: TurnId } & (
    | { readonly type: 'turn-started' }
    | { readonly type: 'output'; readonly part: OutputPart }
    /** `noResult`: the agent says that no result will come for this turn. */
    | { readonly type: 'ack'; readonly noResult: boolean }
    | { readonly type: 'result'; readonly result: TurnResult }
    | { readonly type: 'steered'; readonly task: TaskId; readonly taken: boolean }
    /** The agent asks for permission. `policyDecision`: see `rules/permission-policy.ts`; null: a person has to decide. */
    | {
        readonly type: 'permission-requested';
        /** The driver's name for it, unique within the turn. */
        readonly request: string;
        readonly policyDecision: 'allow' | 'deny' | null;
        /** Why the policy denies it; null: it does not. */
        readonly policyNote: string | null;
        readonly action: PermissionAction;
      }
    /** The agent has withdrawn the request. */
    | { readonly type: 'permission-withdrawn'; readonly request: string }
    /** The shell has counted, and the turn has reached a limit of its own. `bound`: what was configured. */
    | { readonly type: 'turn-limit'; readonly limit: TurnLimit; readonly bound: number }
  );

/** What the shell says. */
type ShellInput =
  | { readonly type: 'timer'; readonly name: TimerName; readonly subject: number | TaskId }
  /** The answer to the effect of that name. */
  | { readonly type: 'continue' }
  /** How far the session has to hold back from now on; null: not at all. */
  | { readonly type: 'throttle'; readonly throttle: Throttle | null }
  /** A hang report concerns this session. */
  | { readonly type: 'report'; readonly note: HangNote }
  /** The store has lost the last events of the session; `node` found that out. */
  | { readonly type: 'rewound'; readonly node: string }
  /** The runtime needs the agent's place for another session; only an agent at rest is closed. */
  | { readonly type: 'make-room' }
  /** First input after a rebuild from the store: the agent and the runners of the old node are gone. */
  | { readonly type: 'recovered' }
  /** `step` has thrown for another input. The session stops loudly and waits for the operator. */
  | { readonly type: 'fault'; readonly reason: string }
  /** The lease is lost: end everything here, write nothing. */
  | { readonly type: 'fenced' };

/** In families: `step` fences all of a family by its token, in one place. */
export type Input = (At & Command) | RunnerInput | AgentInput | TurnInput | (At & ShellInput);

export type InputType = Input['type'];
export type InputOf<T extends InputType> = Extract<Input, { type: T }>;
