/**
 * A state of the checker: the real session and, around it, everything that can send it an input.
 *
 * Made anew by every move; never changed. The environment keeps its own idea of what is true (which process runs, what it
 * has read, which turn it is in), so that the session's belief can be judged against it.
 */
import {
  type Epoch,
  type Incarnation,
  type TaskId,
  type TurnId,
  sessionKey,
  taskId,
} from '../../src/core/model/ids.ts';
import type { Input } from '../../src/core/model/inputs.ts';
import type { TimerName } from '../../src/core/model/timers.ts';
import type { ConversationReset, Session } from '../../src/core/model/session.ts';
import type { StepResult } from '../../src/core/model/replies.ts';
import type { Budget, Config, Name } from './config.ts';
import { budgets } from './config.ts';
import { emptyMemory, type Memory } from './memory.ts';
import type { Core } from './core.ts';
import type { Lines } from './line.ts';

export interface Slot {
  /** The task's id; a recurring slot has a new one each time. */
  readonly id: TaskId;
  readonly state: 'unborn' | 'open' | 'ended';
  /** Somebody who may has asked for its end. */
  readonly asked: boolean;
  /** Its text is in the last turn that was written to an agent. */
  readonly inTurn: boolean;
  /** A turn of it was written before. */
  readonly prompted: boolean;
  /** So was one of what it asks for now: of a code task, of its present call. */
  readonly resumes: boolean;
  /** A turn or a runner of that was cut off in the middle, and no agent that is known to have read it was told so since. */
  readonly cutOff: boolean;
  readonly text: Text;
  readonly generation: number;
  /** Runners that were started for it, those that a fault of the core took away excepted. */
  readonly runs: number;
}

/**
 * What the agent's conversation has of the text that a task asks for now. `sent`: it was written. `known`: the agent that was given it had
 * confirmed its turn, and came to its boundary. `over`: with it went the text of a task that has ended since.
 */
type Text = 'none' | 'sent' | 'known' | 'over';

export type Message =
  | { readonly type: 'prompt'; readonly turn: TurnId; readonly rewind: TurnId | null }
  | { readonly type: 'interrupt'; readonly turn: TurnId }
  | { readonly type: 'steer'; readonly turn: TurnId; readonly task: TaskId }
  | { readonly type: 'answer'; readonly turn: TurnId; readonly request: number }
  | { readonly type: 'switch'; readonly turn: null; readonly model: Name };

/** One agent process, as it really is. */
export interface Process {
  readonly inc: Incarnation;
  readonly up: boolean;
  /** It was told to leave, or is being killed; until it is gone it may still read and say anything. */
  readonly leaving: boolean;
  /** Which program it is, by its name in the fleet. */
  readonly agent: string | null;
  /** Written and not read yet, in order. */
  readonly inbox: readonly Message[];
  /** The turn it is in. */
  readonly turn: TurnId | null;
  readonly started: boolean;
  /** It has read an interrupt for that turn. */
  readonly interrupted: boolean;
  /** Interrupts of the last turn that it has read and not acknowledged. Acks of turns before are probes in every state. */
  readonly owes: number;
  readonly unsolicited: boolean;
  /** The model that it really uses. */
  readonly model: Name;
  /**
   * Permission requests of its present turn, numbered from 1: how many it made, those it still waits for, and those that nobody
   * has answered or withdrawn yet (an answer may be on its way).
   */
  readonly asked: number;
  readonly asks: readonly number[];
  readonly unanswered: readonly number[];
  /** The last turn that was written to it; how often that was interrupted; whether an ack for it has been said. */
  readonly last: TurnId | null;
  readonly lastStarted: boolean;
  readonly interrupts: number;
  readonly acked: boolean;
}

/** One runner, of code or a holder outside the daemon, alive or, once aborted, about to call one last time. */
export interface Runner {
  readonly slot: number;
  readonly task: TaskId;
  readonly run: Epoch;
  readonly aborted: boolean;
  /** The call it waits for. */
  readonly call: number | null;
  readonly made: number;
  /** It has given the session back, and waits for no call. */
  readonly released: boolean;
}

export interface Timer {
  readonly name: TimerName;
  readonly of: number | TaskId;
}

/** What is true of the agent's conversation: see talk.ts. */
export interface Talk {
  /** As the agent named it; null: it named none yet. */
  readonly name: string | null;
  /** The first turn that was written in it. */
  readonly first: TurnId | null;
  /** It is to end: a person wants that, or it was too long. */
  readonly owed: Exclude<ConversationReset, 'lost'> | null;
  /** What the next prompt has to say, until an agent has read one that did. */
  readonly untold: ConversationReset | null;
}

/** What senders and operators have said of the agent: see talk.ts. */
export interface Fleet {
  /** The agent that has the conversation; null: there is none. */
  readonly has: string | null;
  /** The agent and the model that were assigned last. */
  readonly wanted: string | null;
  readonly model: string | null;
}

export const noTalk: Talk = { name: null, first: null, owed: null, untold: null };
export const noFleet: Fleet = { has: null, wanted: null, model: null };

export interface World {
  readonly session: Session;
  readonly slots: readonly Slot[];
  readonly processes: readonly Process[];
  readonly runners: readonly Runner[];
  readonly timers: readonly Timer[];
  /** The order of the open tasks, as the senders and the operators made it. */
  readonly lines: Lines;
  readonly talk: Talk;
  readonly fleet: Fleet;
  readonly memory: Memory;
  /** That of the last turn that was written. `doubtful`: it ended, and an interrupt had been written before. */
  readonly tool: 'none' | 'open' | 'doubtful';
  /** The model has said something in that turn: it has read the prompt. */
  readonly spoke: boolean;
  /** What is left of each budget, in the order of `budgets`. */
  readonly left: readonly number[];
}

/** What an oracle looks at that is asked once for all states which differ in their environment alone (see judged.ts). */
export type View = Pick<World, 'session' | 'slots'>;
/** The same, for an oracle that looks at the runners too, and at how many requests the live turn has made. */
export type StateView = Pick<World, 'session' | 'slots' | 'runners'> & {
  readonly processes: readonly Pick<Process, 'inc' | 'turn' | 'asked'>[];
};

/** Who does it: words for the story. */
export type Who =
  | 'sender'
  | 'operator'
  | 'person'
  | 'node'
  | 'agent'
  | 'process'
  | 'timer'
  | 'runner'
  | 'holder'
  | 'aborted runner'
  | 'reading';

export interface Action {
  readonly who: Who;
  /** Null: a step of the environment alone. */
  readonly input: Input | null;
  /** What the step gave; null where there was none or where it threw. */
  readonly result: StepResult | null;
}

/**
 * Classes of actions, for fairness: 32 at most. What nobody has to do is one class. Collect windows and runners have one for each
 * slot: five slots at most.
 */
export const kinds = {
  sender: 0,
  operator: 0,
  fault: 0,
  lift: 1,
  switched: 2,
  // One with the class above: neither of them can come for ever.
  settle: 2,
  ready: 3,
  read: 4,
  start: 5,
  ack: 6,
  result: 7,
  unsolicited: 8,
  steered: 9,
  exit: 10,
  takeover: 11,
  unpark: 12,
  timer: 13,
  collect: 23,
  runner: 28,
} as const;

const budgetIndex = (budget: Budget): number => budgets.indexOf(budget);

export const left = (world: World, budget: Budget): number => world.left[budgetIndex(budget)] ?? 0;

export function has(world: World, budget: Budget): boolean {
  return left(world, budget) > 0;
}

export function spend(world: World, budget: Budget): World {
  const index = budgetIndex(budget);
  return { ...world, left: world.left.with(index, (world.left[index] ?? 0) - 1) };
}

export const limitsOf = (config: Config): Session['limits'] => ({
  maxPassedOver: config.maxPassedOver,
  maxOpen: config.maxOpen,
  partsPerStep: config.partsPerStep,
  freshWhenFull: config.freshWhenFull,
});

export const slotId = (name: string, generation: number): TaskId =>
  taskId(generation === 0 ? name : `${name}~${generation}`);

export const initialWorld = (config: Config, core: Core): World => ({
  session: core.newSession(sessionKey('s'), limitsOf(config)),
  slots: config.slots.map((spec) => ({
    id: slotId(spec.name, 0),
    state: 'unborn',
    asked: false,
    inTurn: false,
    prompted: false,
    resumes: false,
    cutOff: false,
    text: 'none',
    generation: 0,
    runs: 0,
  })),
  processes: [],
  runners: [],
  timers: [],
  lines: { byPlace: [], byAge: [] },
  talk: noTalk,
  fleet: noFleet,
  memory: emptyMemory,
  tool: 'none',
  spoke: false,
  left: budgets.map((budget) => config.budgets[budget] ?? 0),
});

export function slotOf(world: View, id: TaskId | null): number {
  for (let index = 0; index < world.slots.length; index += 1) {
    const slot = world.slots[index];
    if (slot !== undefined && slot.id === id && slot.state !== 'unborn') {
      return index;
    }
  }
  return -1;
}

/** Requests are named by their number. */
export const requestName = (request: number): string => `r${request}`;
export const requestNumber = (request: string): number => Number(request.slice(1));

export const onWire = (session: Session): boolean =>
  session.hold !== null && session.hold.turn !== null && session.hold.turn.phase !== 'pending';

/** How many permission requests the turn that the session believes to be live has made. */
export function requestsMade({ session, processes }: StateView): number {
  const turn = session.hold?.turn?.id ?? null;
  const process = turn === null ? undefined : processes.find((other) => other.turn === turn);
  return process?.asked ?? 0;
}
