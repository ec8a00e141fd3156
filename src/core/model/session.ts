/**
 * The state of one session as the pure core sees it: its hold, the turn of that, its agent, and its tasks.
 *
 * Owned by: the session's actor (one per session); only `step` makes a new one.
 * Durable part: `SessionRow` and `TaskRow` (see records.ts). All else is rebuilt or forgotten at a restart.
 * Payloads (prompts, results) never live here: the core decides by ids, lanes and tokens alone.
 */
import type { Epoch, Incarnation, SessionKey, TaskId, TurnId } from './ids.ts';
import type { Actor } from './actor.ts';
import type { TurnReport } from './output.ts';
import type { Indexes } from './indexes.ts';
import type { LossReason } from './reasons.ts';
import type { Tree } from '../tree.ts';
import type { Task, TerminalStatus } from './task.ts';

/** How a turn ended. Stated by the agent or by the rule that ended it, never inferred from text. */
export const turnOutcomes = ['completed', 'preempted', 'cancelled', 'timed-out', 'agent-lost', 'failed'] as const;
export type TurnOutcome = (typeof turnOutcomes)[number];

/**
 * Why a turn is to be interrupted. `preempt`, `hold`, `close` and `give-way`: its task gives way, to one that may interrupt it, at the hold limit,
 * since the daemon closes, or to a task of another session. `release`: its runner has given the session back, or is lost. `verdict`: its task is to end. That outranks the others.
 */
export type Intent = 'preempt' | 'hold' | 'close' | 'give-way' | 'silence' | 'release' | 'verdict';

/** The interrupt of a turn. It leaves with the confirmation of the turn, and at once where that is there: `draining`. */
export interface Interrupt {
  readonly intent: Intent;
  /** Who asked for it, for the tape. */
  readonly by: Actor | null;
  /** It was written a second time. */
  readonly resent: boolean;
  readonly acked: boolean;
  /** The turn is to be taken out of the conversation (`rollback`). */
  readonly rollsBack: boolean;
}

/** What the agent said at the result boundary of a turn. `interrupted`: it stopped because it was asked to. */
export interface TurnResult {
  readonly outcome: 'completed' | 'interrupted' | 'failed';
  /** No text came with it: after an interrupt that is not a completion (rule 10). */
  readonly empty: boolean;
  /** Null: the agent says that no result comes. The core reads its `failure` and the length of its text; the tape has the rest. */
  readonly report: TurnReport | null;
}

/**
 * `pending`: admitted, nothing written, waits for the agent's boundary. `sent`: written, not confirmed.
 * `running`: confirmed by the agent. `draining`: an interrupt is on the wire.
 */
const turnPhases = ['pending', 'sent', 'running', 'draining'] as const;
export type TurnPhase = (typeof turnPhases)[number];

export interface Turn {
  readonly id: TurnId;
  /** The code runner's call that this turn answers; null for a prompt task. */
  readonly call: number | null;
  readonly phase: TurnPhase;
  /** The model it is for; null: the agent's default. */
  readonly model: string | null;
  /** Permission requests of the agent that wait for a person's answer, oldest first. */
  readonly permissionRequests: readonly string[];
  /** Not durable: the names of all its requests, so that none is decided twice. */
  readonly requested: Tree<string, true>;
  /** A protected turn is not preempted (rule 17) until its window ends. */
  readonly protected: boolean;
  /** Null: nobody interrupts it. */
  readonly interrupt: Interrupt | null;
  readonly result: TurnResult | null;
  /**
   * Not durable: the uses of tools that the agent has announced and whose end it has not told. What it says of one after the interrupt was
   * written is not believed: it may have been cut off in the middle.
   */
  readonly tools: Tree<string, true>;
  /** Not durable: its model has said something in it, and so has read the prompt. */
  readonly spoke: boolean;
  /** A task that is merged into it has ended alone: the conversation has more than is still wanted. */
  readonly withdrawn: boolean;
}

export interface Hold {
  readonly task: TaskId;
  readonly epoch: Epoch;
  /** Null: a code runner between two turns. */
  readonly turn: Turn | null;
}

/** What the driver detected about the running agent; never guessed from a version. */
export interface AgentCaps {
  /** It acknowledges interrupts; without, the result boundary alone ends a drain. */
  readonly acks: boolean;
  readonly steer: boolean;
  readonly rewind: boolean;
  /** It changes its model by protocol; without, it is closed, and another is started with the other model. */
  readonly models: boolean;
  /** Its conversation keeps the prompt of a turn that was interrupted or has failed. */
  readonly keepsPrompts: boolean;
}

export type Agent =
  | { readonly kind: 'none' }
  | { readonly kind: 'starting'; readonly incarnation: Incarnation; readonly model: string | null }
  | {
      readonly kind: 'up';
      readonly incarnation: Incarnation;
      /** `turn`: a prompt of ours is with it. `switching`: it has been asked to change its model. */
      readonly activity: 'boundary' | 'turn' | 'switching';
      /** The model it was started with or switched to; while `switching`, the one that was asked for. Null: its default. */
      readonly model: string | null;
      /** It takes a turn that nobody asked for; the next prompt waits. */
      readonly unsolicited: boolean;
      /** Who gets its slot or folder: it is closed as soon as it is at rest. Null: it stays. */
      readonly leavesFor: Actor | null;
      readonly caps: AgentCaps;
    }
  | { readonly kind: 'ending'; readonly incarnation: Incarnation };

/** The agent that can take a prompt. */
export type Up = Extract<Agent, { kind: 'up' }>;

/** Tunable numbers of the rules. They come from configuration; the checker runs with small ones. */
export interface Limits {
  /** Grants of other tasks after which the oldest waiting background task comes next, and its turn is protected. */
  readonly maxPassedOver: number;
  /** Open tasks a session accepts; the next submit is refused with `queue_full`. */
  readonly maxOpen: number;
  /** Parts of an entry that one step settles. */
  readonly partsPerStep: number;
  /** A conversation that is too long for its model ends, and its task begins another; else the task fails. */
  readonly freshWhenFull: boolean;
}

export const throttleLevels = ['background', 'all'] as const;
export type ThrottleLevel = (typeof throttleLevels)[number];

/**
 * Why the session holds back, though nobody parked it: the provider limits or rejects, or its agent keeps dying. It is set
 * and lifted by the shell, which alone knows times. `background`: only that lane; `all`: nothing is granted or sent.
 */
export interface Throttle {
  readonly level: ThrottleLevel;
  readonly reason: string;
  /** Wall-clock ms when it is lifted, shown only; null: not known. */
  readonly until: number | null;
}

/** `operator`: somebody asked for it. `closing`: the daemon closes, and its next start unparks. `fault`: a step has thrown. */
export const parkedKinds = ['operator', 'closing', 'fault'] as const;
export type ParkedKind = (typeof parkedKinds)[number];

/** Why a session is parked. Rules and code decide by `kind`; `reason` is text for people. */
export interface Parked {
  readonly kind: ParkedKind;
  readonly reason: string;
  /** Null: unknown, or nobody (a fault). */
  readonly by: Actor | null;
}

/** What is known of the agent's conversation. */
export interface Conversation {
  /** The agent's own id, to resume it; null until the agent named one. */
  readonly id: string | null;
  /** It is a fresh one, and no prompt that says so was read yet; null: there is nothing to say. */
  readonly reset: ConversationReset | null;
  /** The first turn whose prompt was written in it, by which the core knows it; null: there was none. */
  readonly firstTurn: TurnId | null;
  /** The oldest turn that was rolled back and may still be in it: it goes with all after it. */
  readonly rewind: TurnId | null;
  /** It is to end, and the next prompt begins another; null: it goes on. */
  readonly ending: ConversationEnding | null;
}

/** Why an agent does not know what was said before: it had `lost` the conversation, somebody wanted a `fresh` one, the old one was `full`, or another `agent` had it. */
export const conversationResets = ['lost', 'fresh', 'full', 'agent'] as const;
export type ConversationReset = (typeof conversationResets)[number];

/** `command`: a person asked for it. `task`: so does a task. `full`: it was too long for the model in a turn of that task. */
export const conversationEnds = ['command', 'task', 'full'] as const;

export interface ConversationEnding {
  readonly why: (typeof conversationEnds)[number];
  readonly by: Actor | null;
}

/** The background task that waits when others are granted, and how often that was, up to `maxPassedOver` (rule 17). */
export interface PassedOver {
  readonly task: TaskId;
  /** With it, it stands in `backgroundByAge` while it waits. */
  readonly admission: number;
  readonly times: number;
}

/**
 * What is decided for all parts of an entry, and recorded for so many of them in a step (`partsPerStep`). No prompt is sent
 * before all of it is recorded.
 */
export type Settlement =
  /** The entry was granted for the first time. */
  | { readonly kind: 'begin'; readonly entry: TaskId }
  /** The entry has ended, and what is merged into it ends so too. */
  | { readonly kind: 'merged'; readonly entry: TaskId; readonly ending: PartEnding }
  /** The turn of `from` is over. */
  | {
      readonly kind: 'steered';
      readonly entry: TaskId;
      readonly from: TaskId;
      /** Null: they wait on their own again. */
      readonly delivered: PartEnding | null;
      readonly undelivered: PartEnding | null;
      /** Why the turn was lost, where it was: what it had taken follows its own policy. */
      readonly loss: LossReason | null;
      /** The loss counts as an attempt. */
      readonly burns: boolean;
      /** Its last tool call may or may not have happened. */
      readonly interruptedMidTurn: boolean;
    };

export interface PartEnding {
  readonly status: TerminalStatus;
  readonly reason: string;
  readonly by: Actor | null;
  /** Those of the task that it is merged into; null: its own. */
  readonly attempts: number | null;
  readonly answer: TurnReport | null;
}

/** Which agent a session has, by its name in the fleet, and the model of tasks that name none; null: that agent's default. */
export interface Assigned {
  readonly agent: string;
  readonly model: string | null;
}

export interface Session {
  readonly key: SessionKey;
  readonly limits: Limits;
  /** Last epoch granted, last admission, turn and incarnation numbered, last `seq` of the session's own tape. */
  readonly epoch: Epoch;
  readonly admissions: number;
  readonly turns: TurnId;
  readonly incarnations: Incarnation;
  readonly seq: number;
  /** Why nothing is granted or sent; null: it is not parked. */
  readonly parked: Parked | null;
  /** Not durable. */
  readonly throttle: Throttle | null;
  readonly conversation: Conversation;
  /** Null: it has none yet. */
  readonly assigned: Assigned | null;
  /** It gets that one at the next boundary; null: it keeps the one it has. */
  readonly assigning: (Assigned & { readonly by: Actor | null }) | null;
  /** Its agent has answered a task, if only that it has no login. */
  readonly answered: boolean;
  readonly hold: Hold | null;
  readonly agent: Agent;
  /** Null: nobody was passed over since the last one had its turn. */
  readonly passedOver: PassedOver | null;
  /** Oldest first. */
  readonly settling: readonly Settlement[];
  /** The node has lost the session: nothing may be decided here any more. */
  readonly fenced: boolean;
  /** All open tasks. */
  readonly tasks: Tree<TaskId, Task>;
  readonly indexes: Indexes;
}
