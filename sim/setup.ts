/** What a run is made of, and what comes of it. */
import { defaultLimits, type RuntimeLimits } from '../src/runtime/index.ts';
import type { Daemon } from './daemon.ts';
import type { StoreKind } from './disk.ts';
import type { Profile } from './faults.ts';
import type { Random } from './random.ts';
import type { Story } from './story.ts';
import type { WorldApi } from './world-api.ts';

/** What is done to the daemon; the default is `Callers`. */
export interface Workload {
  readonly sessions: readonly string[];
  readonly profile: Profile;
  readonly limits: Partial<RuntimeLimits>;
  /** Schedules its first acts. */
  begin(world: WorldApi): void;
  /** A daemon was opened: the first, or one after a crash or close. */
  opened(daemon: Daemon): void;
}

export interface WorldOptions {
  readonly seed: number;
  readonly store: StoreKind;
  /** Scheduler steps of chaos at most. */
  readonly steps: number;
  /** Replay the trace and judge the tapes; a second run of a seed for its log alone does without. */
  readonly judge: boolean;
  readonly workload?: Workload;
}

export interface Violation {
  readonly rule: string;
  readonly what: string;
}

export interface Outcome {
  readonly violation: Violation | null;
  readonly story: Story;
  readonly figures: { readonly [name: string]: number };
  readonly struck: ReadonlyMap<string, number>;
}

/** Steps within which everything comes to rest once it is calm. */
export const calmSteps = 60_000;

/** Virtual ms in which a close must be done: its own grace, and 15 s for the agents to go. */
export const closeMs = 60_000;

export function drawLimits(random: Random): RuntimeLimits {
  return {
    ...defaultLimits,
    maxPassedOver: random.int(0, 3),
    maxOpen: random.chance(0.2) ? random.int(2, 8) : 1000,
    holdLimitMs: random.pick([2000, 20_000, 100_000]),
    silenceMs: random.pick([1000, 5000]),
    drainMs: random.pick([50, 500, 2000]),
    switchMs: random.pick([50, 1000]),
    permissionMs: random.pick([500, 5000, 60_000]),
    startMs: random.pick([500, 3000]),
    protectedTurnMs: random.pick([100, 3000]),
    collectMs: random.pick([10, 200]),
    unsolicitedMs: random.pick([200, 2000]),
    agentIdleMs: random.pick([100, 3000]),
    maxAgents: random.int(1, 4),
    maxStarting: random.int(1, 2),
    graceMs: 500,
    outputBatchMs: random.pick([0, 5, 50]),
  };
}
