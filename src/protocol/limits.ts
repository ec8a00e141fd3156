/**
 * Every limit that can be configured, with its default, unit, bounds and meaning: the one list. The configuration's schema,
 * its documentation and the defaults of the runtime and the server are made from it.
 */
import type { Schema } from './schema.ts';

const ms = (byDefault: number, description: string) =>
  ({
    type: 'integer',
    minimum: 1,
    maximum: 2_147_483_647,
    default: byDefault,
    description: `Milliseconds. ${description}`,
  }) as const;
const count = (byDefault: number, maximum: number, description: string) =>
  ({ type: 'integer', minimum: 1, maximum, default: byDefault, description }) as const;

const off = (maximum: number, byDefault: number, description: string) =>
  ({ type: 'integer', minimum: 0, maximum, default: byDefault, description: `${description} 0: no limit.` }) as const;

/** Limits of sessions, their tasks and their agents. */
export const runtimeLimits = {
  maxPassedOver: count(
    3,
    1000,
    'How often another task may become the owner before the oldest background task that waits. Then that task comes next, and its turn is protected. Counted likewise between sessions that wait for an agent.',
  ),
  maxWaitMs: ms(
    900_000,
    'How long the oldest background task may wait after another task became the owner before it. Then it comes next, and its turn is protected. Also how long the first session of each lane waits for an agent before another session hands its agent over.',
  ),
  maxOpen: count(10_000, 1_000_000, 'Open tasks that a session accepts.'),
  maxOpenPerSource: count(
    10_000,
    1_000_000,
    'Open tasks of one source that the daemon accepts. What follows `#` or `@` in `source` names a part of it, and counts with it. The last tenth of them is for interactive tasks alone.',
  ),
  maxOpenTasks: count(
    40_000,
    10_000_000,
    'Open tasks that the daemon accepts. The last tenth of them is for interactive tasks alone.',
  ),
  holdLimitMs: ms(
    3_600_000,
    'How long an owner may keep others waiting. After that, a background task gives way and continues later, and an interactive task fails; in its turn only if one waits that asked to preempt.',
  ),
  leaseMs: ms(
    30_000,
    'How long the holder of an external task may be silent if it asks for no other time. After that it has lost the task.',
  ),
  silenceMs: ms(600_000, 'How long an agent may say nothing during a turn, while none of its tools runs.'),
  toolSilenceMs: ms(
    86_400_000,
    'How long an agent may say nothing while a tool runs whose start it has announced, such as a build.',
  ),
  drainMs: ms(
    5_000,
    'How long it may take from the interrupt of a turn until it has ended, or its agent has. An agent that does not obey gets the interrupt once more half way, and is killed in the last fifth of this time (at most one second before its end).',
  ),
  switchMs: ms(10_000, 'How long an agent may take to change its model.'),
  permissionMs: ms(86_400_000, 'How long a permission request waits for a person before it is denied.'),
  startMs: ms(60_000, 'How long an agent may take to become ready.'),
  turnLimitMs: off(
    2_147_483_647,
    0,
    'Milliseconds. How long a turn may take, without the time for which it waits for a person. After that it is interrupted, and its task fails.',
  ),
  turnOutputBytes: off(
    1_000_000_000_000,
    268_435_456,
    'Bytes of text, of tool calls and of their results that an agent may say in one turn. Beyond that the turn is interrupted, and its task fails.',
  ),
  turnToolCalls: off(
    1_000_000_000,
    10_000,
    'Tool calls of one turn. Beyond that the turn is interrupted, and its task fails.',
  ),
  turnTokens: off(
    1_000_000_000_000,
    0,
    'Tokens of one turn, those of the cache included, where the agent counts them while the turn runs (Claude Code, Codex, your own). Beyond that the turn is interrupted, and its task fails.',
  ),
  protectedTurnMs: ms(300_000, 'How long a protected turn cannot be preempted.'),
  collectMs: ms(500, 'How long a task with `whenBusy: "collect"` waits for further tasks to merge.'),
  unsolicitedMs: ms(120_000, 'How long a turn may take that the agent started by itself.'),
  agentIdleMs: ms(300_000, 'How long an idle agent keeps running.'),
  backgroundMs: ms(
    3_600_000,
    'How long an agent that works in the background (a command that continues after its turn) keeps running without a turn. After that it is closed like any idle agent.',
  ),
  maxAgents: count(
    16,
    10_000,
    'Agents that run at once. The agent that has been idle longest makes room for another; without one, a background turn gives way to an interactive task of another session.',
  ),
  maxStarting: count(
    4,
    10_000,
    'Agents that start at once, interactive tasks first. A start that takes longer than two seconds lets the next one begin.',
  ),
  maxCrashes: count(5, 1000, 'Unexpected ends of an agent in a row after which its session is throttled.'),
  crashThrottleMs: ms(
    60_000,
    'How long that throttle lasts. It doubles with each further failed start, up to ten times this value.',
  ),
  graceMs: ms(
    10_000,
    'How long the daemon waits for interrupted turns when it closes. They continue after its next start.',
  ),
} as const satisfies { readonly [name: string]: Schema };

/** Limits of what goes out. */
export const outgoingLimits = {
  replyMaxAgeMs: ms(86_400_000, 'How long a message to be sent may wait for its receiver. After that it is `expired`.'),
  replyKeepMs: ms(1_209_600_000, 'How long a message is listed after it was sent or given up.'),
} as const satisfies { readonly [name: string]: Schema };

/** Limits of the HTTP server. */
export const serverLimits = {
  maxConnections: count(
    4096,
    1_000_000,
    'Open HTTP connections. When there are more, the callers without a token lose theirs first.',
  ),
  maxStreams: count(2048, 1_000_000, 'Open event streams and waiting long polls.'),
  maxBodyBytes: count(1_048_576, 1_073_741_824, 'Bytes. Size of a request body.'),
  maxBodiesBytes: count(
    33_554_432,
    17_179_869_184,
    'Bytes. Request bodies in memory at once; callers with a token and callers without one have this much each. A quarter is for bodies of at most 64 KiB; the rest is at least the largest body that is accepted.',
  ),
} as const satisfies { readonly [name: string]: Schema };

/** Limits of hang detection. */
export const watchLimits = {
  agentQuietMs: ms(120_000, 'How long an agent may say nothing during a turn before a hang report is taken.'),
  hangMs: ms(2_000, 'How long the main loop of the daemon may be blocked before a hang report is taken.'),
} as const satisfies { readonly [name: string]: Schema };

type Numbers<L> = { readonly [K in keyof L]: number };

export const defaultsOf = <L extends { readonly [name: string]: { readonly default: number } }>(
  limits: L,
): Numbers<L> => Object.fromEntries(Object.entries(limits).map(([name, limit]) => [name, limit.default])) as Numbers<L>;
