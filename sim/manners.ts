/** How simulated agents behave: what each agent is like, and how it takes each turn. Drawn from the seed. */
import type { FailureClass, ProviderFailure } from '../src/agents/failures.ts';
import type { AgentCaps } from '../src/core/model/session.ts';
import type { ActionKind, RequestedAction } from '../src/core/model/permission.ts';
import type { Random } from './random.ts';

/** Of one agent process. Durations in virtual ms. */
export interface Traits {
  readonly caps: AgentCaps;
  readonly startsIn: number;
  /** `throws`: it cannot even be spawned. */
  readonly start: 'ready' | 'never-ready' | 'dies' | 'throws';
  /** Does not know the conversation it is to resume. */
  readonly forgets: boolean;
  /** A process with a pid, or a function in the daemon's own. */
  readonly isProcess: boolean;
  readonly closesIn: number;
  readonly killedIn: number;
  /** Longest latency of its pipes. */
  readonly latency: number;
  /** Dies by itself after so long; null: never. */
  readonly livesFor: number | null;
  /** Takes a turn that nobody asked for after so long; it may not end by itself. */
  readonly unsolicitedAfter: number | null;
  readonly unsolicitedFor: number | null;
  readonly garbage: boolean;
  readonly speaksAfterExit: boolean;
}

type OnInterrupt =
  | 'ack-result'
  | 'result-ack'
  | 'no-result'
  | 'ack-twice'
  | 'ack-late'
  | 'ack-only'
  | 'ack-runs-on'
  | 'result-only'
  | 'fails'
  | 'ignores'
  | 'dies';

/** Of one turn. */
export interface Manner {
  readonly started: 'yes' | 'never' | 'late' | 'twice';
  readonly outputs: number;
  readonly gap: number;
  readonly endless: boolean;
  readonly end: 'completed' | 'failed' | 'empty' | 'interrupted' | 'silent' | 'dies';
  readonly endsTwice: boolean;
  /** Also says things about turns that are over, or never were. */
  readonly strays: boolean;
  readonly onInterrupt: OnInterrupt;
  readonly steer: 'taken' | 'not-taken' | 'unanswered' | 'twice';
  readonly asks: readonly AskManner[];
  /** Asks once more when it has been interrupted. */
  readonly asksLate: boolean;
  /** Why a turn that ends `failed` does; null: it gives no reason. */
  readonly failure: ProviderFailure | null;
  /** Says in between that it tries a failed request again by itself. */
  readonly retries: ProviderFailure | null;
}

/** A permission request, made before an output. */
export interface AskManner {
  readonly ask: RequestedAction;
  /** `goes-on`: it does not wait for the answer. `twice`: the same request is made again at once. */
  readonly how: 'waits' | 'goes-on' | 'withdraws' | 'twice';
  /** Virtual ms until it withdraws. */
  readonly patience: number;
}

/** `other`: says that it has changed to another model. */
type OnSwitch = 'ok' | 'late' | 'twice' | 'refuses' | 'silent' | 'other' | 'dies';

export const drawSwitch = (random: Random, calm: boolean): OnSwitch =>
  calm
    ? 'ok'
    : random.weighted([
        [8, 'ok'],
        [1, 'late'],
        [1, 'twice'],
        [1, 'refuses'],
        [1, 'silent'],
        [1, 'other'],
        [1, 'dies'],
      ] as const);

const kindManner: Manner = {
  started: 'yes',
  outputs: 1,
  gap: 5,
  endless: false,
  end: 'completed',
  endsTwice: false,
  strays: false,
  onInterrupt: 'ack-result',
  steer: 'taken',
  asks: [],
  asksLate: false,
  failure: null,
  retries: null,
};

export function drawTraits(random: Random, calm: boolean): Traits {
  const wild = !calm && random.chance(0.5);
  const odd = (probability: number): boolean => wild && random.chance(probability);
  return {
    caps: {
      acks: random.chance(0.7),
      steer: random.chance(0.6),
      rewind: random.chance(0.5),
      models: random.chance(0.5),
      keepsPrompts: random.chance(0.5),
    },
    startsIn: odd(0.2) ? random.int(100, 6000) : random.delay(400),
    start: odd(0.2) ? random.pick(['never-ready', 'dies', 'throws'] as const) : 'ready',
    forgets: odd(0.2),
    isProcess: random.chance(0.8),
    closesIn: odd(0.3) ? random.int(0, 3000) : random.delay(50),
    killedIn: random.delay(odd(0.3) ? 3000 : 40),
    latency: random.pick([0, 2, 20, odd(0.5) ? 1500 : 5]),
    livesFor: odd(0.25) ? random.int(0, 8000) : null,
    unsolicitedAfter: odd(0.5) ? random.delay(4000) : null,
    unsolicitedFor: random.chance(0.7) ? random.delay(3000) : null,
    garbage: odd(0.2),
    speaksAfterExit: odd(0.3),
  };
}

export function drawManner(random: Random, calm: boolean): Manner {
  if (calm) {
    return kindManner;
  }
  const kindly = random.chance(0.45);
  const onInterrupt: OnInterrupt = random.weighted([
    [6, 'ack-result'],
    [2, 'result-ack'],
    [2, 'no-result'],
    [1, 'ack-twice'],
    [1, 'ack-late'],
    [1, 'ack-only'],
    [1, 'ack-runs-on'],
    [1, 'result-only'],
    [1, 'fails'],
    [1, 'ignores'],
    [1, 'dies'],
  ] as const);
  const steer = random.pick(['taken', 'taken', 'not-taken', 'unanswered', 'twice'] as const);
  const outputs = random.delay(12);
  const gap = random.delay(400);
  const asks = drawAsks(random);
  const failure = random.chance(0.8) ? drawFailure(random) : null;
  if (kindly) {
    return { ...kindManner, outputs, gap, onInterrupt, steer, asks, failure };
  }
  return {
    started: random.weighted([
      [6, 'yes'],
      [1, 'never'],
      [2, 'late'],
      [1, 'twice'],
    ] as const),
    outputs,
    gap,
    endless: random.chance(0.15),
    end: random.weighted([
      [6, 'completed'],
      [2, 'failed'],
      [1, 'empty'],
      [1, 'interrupted'],
      [2, 'silent'],
      [2, 'dies'],
    ] as const),
    endsTwice: random.chance(0.2),
    strays: random.chance(0.25),
    onInterrupt,
    steer,
    asks,
    asksLate: random.chance(0.2),
    failure,
    retries: random.chance(0.1) ? drawFailure(random) : null,
  };
}

const actions: readonly (readonly [ActionKind, string, string])[] = [
  ['read', 'Read', 'notes.md'],
  ['edit', 'Write', 'src/a.ts'],
  ['execute', 'Bash', 'git status'],
  ['execute', 'Bash', 'git status; rm -rf /'],
  ['fetch', 'Fetch', 'https://example.org'],
];

function drawAsks(random: Random): readonly AskManner[] {
  return Array.from({ length: random.chance(0.3) ? random.int(1, 3) : 0 }, (): AskManner => {
    const [kind, tool, title] = random.pick(actions);
    return {
      ask: { kind, tool, title },
      how: random.weighted([
        [6, 'waits'],
        [1, 'goes-on'],
        [1, 'withdraws'],
        [1, 'twice'],
      ] as const),
      patience: random.delay(3000),
    };
  });
}

const classes: readonly FailureClass[] = [
  ...(['rate_limit', 'overloaded', 'overloaded', 'server_error', 'network', 'quota', 'auth'] as const),
  ...(['context', 'output_limit', 'model', 'invalid_request', 'refused', 'unknown'] as const),
];

const drawFailure = (random: Random): ProviderFailure => ({
  class: random.pick(classes),
  retryAfterMs: random.chance(0.5) ? random.int(0, 4000) : null,
  status: null,
  message: 'the provider says no',
});
