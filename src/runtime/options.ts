/** What a runtime is made of. Everything that is not decided by the core comes in here; nothing is a singleton. */
import type { AgentDriver } from '../agents/port.ts';
import type { Input } from '../core/model/inputs.ts';
import type { Lane } from '../core/model/task.ts';
import type { Session } from '../core/model/session.ts';
import type { StepResult } from '../core/model/replies.ts';
import { defaultPolicies, type PermissionPolicy, untrustedPolicy, untrustedRights } from '../core/model/permission.ts';
import { defaultOnFull, type OnFull } from '../protocol/conversations.ts';
import { defaultsOf, runtimeLimits } from '../protocol/limits.ts';
import { defaultExpiresIn } from '../protocol/task-spec.ts';
import { type Faults, noFaults } from '../store/faults.ts';
import type { ClusterOptions } from './cluster/options.ts';
import type { Store, TaskPayload } from '../store/port.ts';
import { makeRedactor, type Redactor } from '../supervise/index.ts';
import { Fleet, type FleetOptions } from './fleet.ts';
import type { Runner } from './api.ts';
import { type Clock, systemClock } from './clock.ts';
import { uuidV7 } from './ids.ts';
import { type AgentApi, AgentTokens } from './agent/agent-tokens.ts';
import type { Workspaces } from './workspace/workspaces.ts';

/** The configured limits, and one that only tests change. Durations in milliseconds. */
export interface RuntimeLimits extends Readonly<{ [K in keyof typeof runtimeLimits]: number }> {
  /** How long steps whose records are only output chunks may wait for company. */
  readonly outputBatchMs: number;
}

/** A step that settles so many parts stays far below 2 ms, so that no urgent input waits behind a long one. */
export const partsPerStep = 128;

/** So many waiting tasks are ended by one step of a stop: some milliseconds with their commit. */
export const stopsPerStep = 128;

export const defaultLimits: RuntimeLimits = { ...defaultsOf(runtimeLimits), outputBatchMs: 5 };

type ByLane = { readonly [L in Lane]: PermissionPolicy };

/** By lane; those of tasks that have the rights class `untrusted` apart. */
export interface Policies extends ByLane {
  readonly untrusted: ByLane;
}

/** That of the task, or of its rights and its lane. */
export function policyFor(
  policies: Policies,
  { permissions, rights }: Pick<TaskPayload, 'permissions' | 'rights'>,
  lane: Lane,
): PermissionPolicy {
  return permissions ?? (rights === untrustedRights ? policies.untrusted : policies)[lane];
}

export interface SignalboxOptions {
  readonly store: Store;
  /** How this daemon is one of several, where the store is shared. */
  readonly node?: ClusterOptions;
  /** Drives the agent of every session; or several of them by name, and which one a session gets. */
  readonly agent: AgentDriver | FleetOptions;
  /** Code runners by name. */
  readonly runners?: { readonly [name: string]: Runner };
  readonly limits?: Partial<RuntimeLimits>;
  /** What agents may do without asking, for tasks without their own policy. Default: `defaultPolicies`. */
  readonly permissions?: Partial<Policies>;
  /** How long a task may wait that does not say, by its lane: milliseconds; null: as long as it takes. Default: a day, a week. */
  readonly expiresIn?: { readonly [L in Lane]?: number | null };
  /** What happens when a conversation is too long for its model. Default: `fresh`. */
  readonly conversation?: { readonly onFull?: OnFull };
  /** Working folders of the agents that are programs. Left out: none; each starts where its driver says. */
  readonly workspaces?: Workspaces;
  /** How agents reach the API of this daemon, with a token of their own. Left out: they cannot. */
  readonly agentApi?: AgentApi;
  /** Recovery begins when this resolves; never, if it rejects. Default: at once. */
  readonly begin?: Promise<unknown>;
  /** Takes secrets out of what agents say. Default: one that knows well-known shapes only. */
  readonly redact?: Redactor;
  /** Several routing keys may mean one session: the key to serialise by. */
  readonly resolveSession?: (key: string) => string;
  readonly clock?: Clock;
  readonly ids?: () => string;
  /** From 0 to below 1; spreads what is tried again. */
  readonly random?: () => number;
  readonly faults?: Faults;
  /** Told of what could not be handled where it happened; for the log. */
  readonly onError?: (error: unknown, where: string) => void;
  /** Sees every step that was taken, for trace validation. */
  readonly observe?: (session: Session, input: Input, result: StepResult) => void;
  /** Ends what a dead daemon left; the default signals real processes. False: there are none to look for. */
  readonly endLeftovers?: boolean;
}

/** What the parts of one runtime share. */
export interface Context {
  readonly store: Store;
  readonly fleet: Fleet;
  readonly runners: { readonly [name: string]: Runner };
  readonly limits: RuntimeLimits;
  readonly permissions: Policies;
  readonly expiresIn: { readonly [L in Lane]: number | null };
  /** A conversation that is too long for its model ends, and its task begins another. */
  readonly freshWhenFull: boolean;
  readonly workspaces: Workspaces | null;
  readonly agentTokens: AgentTokens;
  readonly redact: Redactor;
  readonly clock: Clock;
  readonly ids: () => string;
  readonly random: () => number;
  readonly faults: Faults;
  readonly onError: (error: unknown, where: string) => void;
  readonly observe: ((session: Session, input: Input, result: StepResult) => void) | null;
}

export function contextOf(options: SignalboxOptions): Context {
  const clock = options.clock ?? systemClock;
  return {
    store: options.store,
    fleet: new Fleet(options.agent),
    runners: options.runners ?? {},
    limits: { ...defaultLimits, ...options.limits },
    permissions: {
      ...defaultPolicies,
      untrusted: { interactive: untrustedPolicy, background: untrustedPolicy },
      ...options.permissions,
    },
    expiresIn: { ...defaultExpiresIn, ...options.expiresIn },
    freshWhenFull: (options.conversation?.onFull ?? defaultOnFull) === 'fresh',
    workspaces: options.workspaces ?? null,
    agentTokens: new AgentTokens(options.agentApi ?? null),
    redact: options.redact ?? makeRedactor([]),
    clock,
    ids: options.ids ?? uuidV7(clock),
    random: options.random ?? Math.random,
    faults: options.faults ?? noFaults,
    onError: options.onError ?? (() => {}),
    observe: options.observe ?? null,
  };
}
