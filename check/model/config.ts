/** What a configuration of the checker is made of: which tasks there are, how the agent behaves, what may go wrong how often. */
import type { TimerName } from '../../src/core/model/timers.ts';
import type { AgentCaps } from '../../src/core/model/session.ts';
import type { Lane, TaskMode, WhenBusy } from '../../src/core/model/task.ts';

/** One task that a sender may submit, once, at any time. Its index in the configuration is its slot. */
export interface SlotSpec {
  readonly name: string;
  readonly lane: Lane;
  readonly mode: TaskMode;
  readonly whenBusy: WhenBusy;
  readonly mergeGroup: string | null;
  readonly priority: number;
  readonly onLost: 'retry' | 'fail';
  readonly maxAttempts: number;
  /** Submitted anew, under another id, whenever the one before has ended. */
  readonly recurs: boolean;
  /** Turns that its code runner takes at most. */
  readonly turns: number;
  /** The model that it asks for. */
  readonly model: Name;
  /** The models that its runner asks for, turn by turn; null and what is left: that of the task. */
  readonly models: readonly Name[];
  /** Its first turn begins a fresh conversation. */
  readonly fresh: boolean;
  /** The agent that its sender names; null: it names none. */
  readonly agent: AgentName | null;
}

/** An agent of a fleet; `a` is the one that a session has if its first sender names none. */
export type AgentName = 'a' | 'b';

/** A model of the agent; null: its default. */
export type Name = 'm' | 'n' | null;

/**
 * Things that happen a bounded number of times. `cancel`: a cancel of any open task. `die`: the agent exits by itself.
 * `hangup`: it closes its channel, lives on, and is ended for that.
 * `twice`: an ack or a result comes a second time. `unsolicited`: the agent takes a turn that nobody asked for. `fail`: the
 * agent answers "failed". `crash`: the node dies and recovers. `fence`: the lease is lost, another node takes over.
 * `fault`: a step threw and the shell says so. `lost`: the agent does not know its conversation. `ask`: the agent asks for
 * permission. `withdraw`: it asks no more. `refuse`: it does not change its model, and says so; `mum`: it says nothing.
 * `way`: another session needs the slot of its agent. `close`: the daemon parks the session because it closes. `pass`: its turn fails for a reason that passes. `login`: its turn fails
 * because nobody is logged in. `limit`: its turn reaches a limit of its own. `kill`: somebody outside ends the agent. `throttle`: the session has to hold back. `release`: a runner gives the session
 * back and works on. `claim`: a program claims an external task. `tool`: the agent begins to use a tool. `full`: its turn fails because the
 * conversation is too long. `fresh`: a person wants another conversation. `assign`: a person gives the session another agent or model. The others are commands of the same name.
 */
export const budgets = [
  'cancel',
  'die',
  'hangup',
  'twice',
  'unsolicited',
  'fail',
  'crash',
  'fence',
  'stop',
  'evict',
  'park',
  'close',
  'restart',
  'room',
  'way',
  'move',
  'edit',
  'lost',
  'fault',
  'ask',
  'withdraw',
  'refuse',
  'mum',
  'pass',
  'login',
  'limit',
  'kill',
  'throttle',
  'release',
  'claim',
  'tool',
  'full',
  'fresh',
  'assign',
] as const;
export type Budget = (typeof budgets)[number];

export interface Config {
  readonly name: string;
  /** One line: which features it lets interact. */
  readonly about: string;
  readonly slots: readonly SlotSpec[];
  readonly maxPassedOver: number;
  readonly maxOpen: number;
  /** Every task has a time of its own, which may be up at any moment. Without an honest agent, or with one that never gets through, nothing else ends a wait. */
  readonly expires: boolean;
  /** A conversation that is too long ends; else the task fails. */
  readonly freshWhenFull: boolean;
  /** Parts that one step settles. */
  readonly partsPerStep: number;
  /** What the policy may say of a request; null: a person has to decide. */
  readonly verdicts: readonly ('allow' | 'deny' | null)[];
  /** The agent may fail any turn for a reason that passes: its provider is overloaded, for ever. */
  readonly strained: boolean;
  readonly caps: AgentCaps;
  readonly budgets: { readonly [B in Budget]?: number };
  /** Deadlines that may pass, at any moment while they are armed. The others are armed and checked all the same. */
  readonly timers: readonly TimerName[];
  /** The agent does what it is asked sooner or later: its actions are fair. Without, it may hang at any point. */
  readonly honest: boolean;
  /** The agent may begin a turn without saying so. */
  readonly mute: boolean;
  /** The agent may end an interrupted turn with an empty "completed", or by a receipt instead of a result. */
  readonly sly: boolean;
  /** Runners may return while their turn is on the wire, fail, and go on after they were aborted. */
  readonly wild: boolean;
  /** Agents and runners say things that change nothing but a tape. */
  readonly chatty: boolean;
  /** There are several agents, and the session remembers which it has. */
  readonly fleet: boolean;
  /** The agent names its conversation. */
  readonly conversation: boolean;
  /** Look for fair cycles too. */
  readonly live: boolean;
  /** Try every transition to a new state a second time with all ids and tokens renamed. */
  readonly renamed: boolean;
  /** Too large for every run; part of `--deep`. */
  readonly deep: boolean;
}

type SlotChange = Partial<Omit<SlotSpec, 'name' | 'lane'>>;

const slot = (name: string, lane: Lane, whenBusy: WhenBusy, change: SlotChange): SlotSpec => ({
  name,
  lane,
  mode: 'prompt',
  whenBusy,
  mergeGroup: null,
  priority: 0,
  onLost: 'retry',
  maxAttempts: 2,
  recurs: false,
  turns: 0,
  model: null,
  models: [],
  fresh: false,
  agent: null,
  ...change,
});

export const background = (name: string, change: SlotChange = {}): SlotSpec =>
  slot(name, 'background', 'enqueue', change);
export const interactive = (name: string, change: SlotChange = {}): SlotSpec =>
  slot(name, 'interactive', 'preempt', change);

export const configOf = (
  change: Pick<Config, 'name' | 'about' | 'slots'> & Partial<Omit<Config, 'name' | 'about' | 'slots'>>,
): Config => {
  const expires = change.expires ?? (change.live !== false && (change.honest !== true || change.strained === true));
  const { timers = everyTimer } = change;
  return { ...usual, ...change, expires, timers: expires ? [...timers, 'expiry'] : timers };
};

const everyTimer: readonly TimerName[] = [
  'start',
  'switch',
  'permission',
  'drain',
  'silence',
  'hold',
  'protected',
  'unsolicited',
  'collect',
];

const usual: Omit<Config, 'name' | 'about' | 'slots' | 'expires' | 'timers'> = {
  maxPassedOver: 2,
  maxOpen: 10,
  partsPerStep: 8,
  freshWhenFull: true,
  verdicts: [null],
  strained: false,
  caps: { acks: true, steer: false, rewind: false, models: false, keepsPrompts: false },
  budgets: {},
  honest: false,
  mute: false,
  sly: false,
  wild: false,
  chatty: false,
  fleet: false,
  conversation: false,
  live: true,
  renamed: false,
  deep: false,
};
