/**
 * Driver for an agent that is a function: an async generator in the daemon's own process. It yields output and returns
 * the result of its turn.
 *
 * Owns: at most one running generator per handle. No timers but the grace of a kill.
 * Invariants:
 *  F-1 Nothing is emitted from within a method: a microtask carries it.
 *  F-2 After `exited` nothing is emitted. What a generator still yields then is dropped and counted, and the generator is
 *      returned at that point.
 *  F-3 A function cannot be killed. One that ignores its signal is abandoned, and `exited` says so; the daemon goes on.
 *  F-4 A generator that never waits cannot starve the loop: after every `breathEvery` yields the loop turns once.
 */
import { readCost, readPart, readUsage } from '../shared/parts.ts';
import { randomUUID } from 'node:crypto';
import type { Incarnation, SessionKey, TurnId } from '../../core/ids.ts';
import type { Cost, OutputPart, Usage } from '../../core/events.ts';
import type { TurnResult } from '../../core/model.ts';
import type { PermissionAsk } from '../../core/policy.ts';
import type { Timers } from '../../supervise/index.ts';
// Not by the layer's front door: a worker thread loads this file too, and shall load little with it.
import { realTimers } from '../../supervise/timers.ts';
import type { ProviderFailure } from '../failures.ts';
import type { AgentDriver, AgentEvent, AgentHandle, AgentResult, AgentStart } from '../port.ts';
import { type AskOptions, Asks, type Decision } from './asks.ts';
import { errorRecord } from './error-record.ts';

/** What a function knows of a failed request to its model; what it leaves out is not known. */
export type FunctionFailure = Pick<ProviderFailure, 'class'> & Partial<ProviderFailure>;

export interface FunctionContext {
  /** Aborts when the turn is interrupted, or the agent ended. */
  readonly signal: AbortSignal;
  readonly session: SessionKey;
  readonly incarnation: Incarnation;
  readonly conversation: string;
  readonly turn: TurnId;
  /** Turn to be taken out of the conversation first; only where the driver declares `rewind`. */
  readonly rewind: TurnId | null;
  /** The model of this turn; null: the function's default. Changes between turns only where the driver declares `models`. */
  readonly model: string | null;
  /** Asks for permission. Resolves with a denial, never rejects, when the turn is interrupted or over. */
  readonly ask: (ask: PermissionAsk, options?: AskOptions) => Promise<Decision>;
  /** Says that a failed request is tried again. */
  readonly retrying: (failure: FunctionFailure) => void;
}

/** What a turn may yield: text, or another part. */
export type FunctionOutput = string | OutputPart;

/**
 * What a turn may return. Without an outcome: `interrupted` if its signal has aborted, else `failed` with a failure, else
 * `completed`.
 */
export interface FunctionResult {
  readonly text?: string;
  readonly usage?: Usage;
  readonly cost?: Cost;
  readonly error?: unknown;
  /** Why the provider did not answer; told only with the outcome `failed`. */
  readonly failure?: FunctionFailure;
  readonly outcome?: TurnResult['outcome'];
}

export type AgentFunction = (
  prompt: string,
  context: FunctionContext,
) => AsyncGenerator<FunctionOutput, FunctionResult | string | void, void>;

export interface FunctionDriverOptions {
  /** Default: `function`. */
  readonly name?: string;
  /** Whom its model requests go to. Default: its name. */
  readonly provider?: string;
  /** Takes text into the running turn; false: it could not. Declares the capability. */
  readonly steer?: (text: string, context: FunctionContext) => boolean;
  /** The function heeds `context.rewind`. */
  readonly rewind?: boolean;
  /** Changes the model of the turns that follow; false: it could not. `true` stands for always. Declares the capability. */
  readonly models?: true | ((model: string | null) => boolean);
  /** Whether a conversation can be resumed. Default: always, since nothing of it is kept here. */
  readonly knows?: (conversation: string) => boolean;
  /** How long an ended turn may take to come to its end before it is abandoned. Default 100. */
  readonly killGraceMs?: number;
  readonly breathEvery?: number;
  /** Lets the loop turn once. */
  readonly breathe?: () => Promise<void>;
  readonly timers?: Timers;
  /** Makes conversation ids. Default: UUIDv4. */
  readonly ids?: () => string;
}

export interface FunctionDriver extends AgentDriver {
  /** Outputs and results that came after the end of their agent, since the driver was made. */
  readonly lateDropped: number;
}

interface Running {
  readonly turn: TurnId;
  readonly abort: AbortController;
  readonly context: FunctionContext;
  readonly asks: Asks;
}

export function functionDriver(run: AgentFunction, options: FunctionDriverOptions = {}): FunctionDriver {
  const late = { dropped: 0 };
  return {
    name: options.name ?? 'function',
    provider: options.provider ?? options.name ?? 'function',
    needsFolder: false,
    start: (start) => new FunctionAgent(run, options, start, late),
    get lateDropped() {
      return late.dropped;
    },
  };
}

const turnLoop = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

class FunctionAgent implements AgentHandle {
  readonly #run: AgentFunction;
  readonly #options: FunctionDriverOptions;
  readonly #start: AgentStart;
  readonly #late: { dropped: number };
  readonly #conversation: string;
  #model: string | null;
  #running: Running | null = null;
  /** Set once: the end has begun. */
  #ending: string | null = null;
  #over = false;
  #cancelGrace = (): void => {};

  constructor(run: AgentFunction, options: FunctionDriverOptions, start: AgentStart, late: { dropped: number }) {
    this.#run = run;
    this.#options = options;
    this.#start = start;
    this.#late = late;
    this.#model = start.model;
    const wanted = start.conversation;
    const known = wanted !== null && (options.knows?.(wanted) ?? true);
    this.#conversation = known ? wanted : (options.ids ?? randomUUID)();
    queueMicrotask(() =>
      this.#emit({
        type: 'ready',
        caps: {
          acks: true,
          steer: options.steer !== undefined,
          rewind: options.rewind === true,
          models: options.models !== undefined,
        },
        conversation: this.#conversation,
        lost: wanted !== null && !known,
      }),
    );
  }

  prompt(turn: TurnId, text: string, { rewind }: { readonly rewind: TurnId | null }): void {
    if (this.#ending !== null) {
      return;
    }
    const abort = new AbortController();
    const { session, incarnation } = this.#start;
    const conversation = this.#conversation;
    const asks = new Asks(turn, (event) => this.#emit(event), abort.signal);
    const context: FunctionContext = {
      signal: abort.signal,
      session,
      incarnation,
      conversation,
      turn,
      rewind,
      model: this.#model,
      ask: (ask, how) => asks.ask(ask, how),
      retrying: (failure) => this.#emit({ type: 'retrying', turn, failure: failureOf(failure) }),
    };
    const running = { turn, abort, context, asks };
    this.#running = running;
    queueMicrotask(() => void this.#take(running, text));
  }

  interrupt(turn: TurnId): void {
    queueMicrotask(() => {
      const running = this.#running?.turn === turn ? this.#running : null;
      // First the ack, then the abort: the generator may answer it in the same breath.
      this.#emit({ type: 'ack', turn, none: running === null });
      running?.abort.abort();
    });
  }

  steer(turn: TurnId, id: string, text: string): void {
    queueMicrotask(() => {
      const running = this.#running?.turn === turn ? this.#running : null;
      const taken = running !== null && this.#steerInto(running, text);
      this.#emit({ type: 'steered', turn, id, taken });
    });
  }

  answer(turn: TurnId, request: string, decision: Decision): void {
    if (this.#running?.turn === turn) {
      this.#running.asks.answer(request, decision);
    }
  }

  switchModel(model: string | null): void {
    queueMicrotask(() => {
      const ok = this.#switchTo(model);
      if (ok) {
        this.#model = model;
      }
      this.#emit({ type: 'switched', model, ok });
    });
  }

  close(): void {
    this.#end('closed');
  }

  kill(): void {
    this.#end('killed');
  }

  #steerInto(running: Running, text: string): boolean {
    try {
      return this.#options.steer?.(text, running.context) ?? false;
    } catch {
      return false;
    }
  }

  #switchTo(model: string | null): boolean {
    const { models } = this.#options;
    try {
      return typeof models === 'function' ? models(model) : models === true;
    } catch {
      return false;
    }
  }

  async #take(running: Running, text: string): Promise<void> {
    this.#emit({ type: 'started', turn: running.turn });
    let result: AgentResult;
    try {
      result = resultOf(await this.#drive(running, text), running.abort.signal.aborted);
    } catch (error) {
      result = thrownOf(error, running.abort.signal.aborted);
    }
    running.asks.end();
    if (this.#running === running) {
      this.#running = null;
    }
    this.#emit({ type: 'result', turn: running.turn, result });
    if (this.#ending !== null) {
      this.#finish(false);
    }
  }

  /** Pulls the generator to its end, or to its first yield after the abort. */
  async #drive(running: Running, text: string): Promise<FunctionResult | string | void> {
    const generator = this.#run(text, running.context);
    const breathEvery = this.#options.breathEvery ?? 256;
    for (let yields = 1; ; yields += 1) {
      const next = await generator.next();
      if (next.done === true) {
        return next.value;
      }
      const part = readPart(typeof next.value === 'string' ? { kind: 'text', text: next.value } : next.value);
      this.#emit({ type: 'output', turn: running.turn, part });
      if (running.abort.signal.aborted) {
        await generator.return(undefined);
        return undefined;
      }
      if (yields % breathEvery === 0) {
        await (this.#options.breathe ?? turnLoop)();
      }
    }
  }

  #end(reason: string): void {
    if (this.#ending !== null) {
      return;
    }
    this.#ending = reason;
    queueMicrotask(() => {
      if (this.#running === null) {
        this.#finish(false);
        return;
      }
      this.#cancelGrace = (this.#options.timers ?? realTimers).set(this.#options.killGraceMs ?? 100, () =>
        this.#finish(true),
      );
      this.#running.abort.abort();
    });
  }

  #finish(abandoned: boolean): void {
    if (this.#over) {
      return;
    }
    this.#cancelGrace();
    this.#emit({ type: 'exited', reason: this.#ending ?? 'killed', data: { abandoned } });
    this.#over = true;
  }

  #emit(event: AgentEvent): void {
    if (this.#over) {
      this.#late.dropped += 1;
    } else {
      this.#start.emit(event);
    }
  }
}

function resultOf(value: FunctionResult | string | void, aborted: boolean): AgentResult {
  const returned = typeof value === 'string' ? { text: value } : (value ?? {});
  const { text = '', error } = returned;
  const [usage, cost] = [readUsage(returned.usage), readCost(returned.cost)];
  const outcome =
    returned.outcome ?? (aborted ? 'interrupted' : returned.failure === undefined ? 'completed' : 'failed');
  const report = {
    text,
    ...(usage === null ? {} : { usage }),
    ...(cost === null ? {} : { cost }),
    ...(error === undefined ? {} : { error }),
  };
  const failure = outcome === 'failed' && returned.failure !== undefined ? failureOf(returned.failure) : null;
  return { outcome, empty: text === '', failure, report };
}

const failureOf = (failure: FunctionFailure): ProviderFailure => ({
  retryAfterMs: null,
  status: null,
  message: failure.class,
  ...failure,
});

/** A throw after the abort is how most functions stop: that is an interruption, and the error is kept beside it. */
function thrownOf(thrown: unknown, aborted: boolean): AgentResult {
  const report = { text: '', error: errorRecord(thrown) };
  return { outcome: aborted ? 'interrupted' : 'failed', empty: true, failure: null, report };
}
