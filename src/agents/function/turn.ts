/**
 * One turn of a function: the generator that runs, and the end it comes to.
 *
 * Owned by the agent, one at a time. It emits the turn's outputs; the agent emits its result.
 */
import type { OutputPart } from '../../core/model/output.ts';
import type { TurnId } from '../../core/model/ids.ts';
import type { ProviderFailure } from '../failures.ts';
import type { AgentEvent, AgentResult, AgentStart } from '../port.ts';
import { errorRecord } from '../shared/error-record.ts';
import { readCost, readPart, readUsage } from '../shared/parts.ts';
import { type TurnEnd, TurnOutput } from '../shared/turn-output.ts';
import type {
  AgentFunction,
  FunctionContext,
  FunctionDriverOptions,
  FunctionFailure,
  FunctionResult,
} from './options.ts';
import { Permissions } from './permissions.ts';

const turnLoop = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

interface FunctionTurnOptions extends Pick<FunctionDriverOptions, 'breathEvery' | 'breathe'> {
  readonly start: Pick<AgentStart, 'session' | 'incarnation'>;
  readonly conversation: string;
  readonly turn: TurnId;
  readonly rewind: TurnId | null;
  readonly model: string | null;
  readonly emit: (event: AgentEvent) => void;
}

export class FunctionTurn {
  readonly id: TurnId;
  readonly context: FunctionContext;
  readonly permissions: Permissions;
  readonly #options: FunctionTurnOptions;
  readonly #abort = new AbortController();
  readonly #output = new TurnOutput();

  constructor(options: FunctionTurnOptions) {
    const { turn, start, conversation, rewind, model, emit } = options;
    const { signal } = this.#abort;
    this.id = turn;
    this.#options = options;
    this.permissions = new Permissions(turn, emit, signal);
    this.context = {
      signal,
      session: start.session,
      incarnation: start.incarnation,
      conversation,
      turn,
      rewind,
      model,
      requestPermission: (action, options) => this.permissions.request(action, options),
      retrying: (failure) => emit({ type: 'retrying', turn, failure: failureOf(failure) }),
    };
  }

  interrupt(): void {
    this.#abort.abort();
  }

  /** Runs the function to its end. Never rejects. */
  async run(agent: AgentFunction, prompt: string): Promise<AgentResult> {
    try {
      return this.#resultOf(await this.#drive(agent(prompt, this.context)));
    } catch (error) {
      return this.#thrown(error);
    } finally {
      this.permissions.end();
    }
  }

  /** Pulls the generator to its end, or to its first yield after the interrupt. */
  async #drive(generator: ReturnType<AgentFunction>): Promise<FunctionResult | string | void> {
    const { breathEvery = 256, breathe = turnLoop } = this.#options;
    for (let yields = 1; ; yields += 1) {
      const next = await generator.next();
      if (next.done === true) {
        return next.value;
      }
      const part = readPart(typeof next.value === 'string' ? { kind: 'text', text: next.value } : next.value);
      if (part.kind === 'usage') {
        this.#options.emit({ type: 'spent', turn: this.id, tokens: part.inputTokens + part.outputTokens });
      }
      this.#emit(this.#output.take(part));
      if (this.#abort.signal.aborted) {
        await generator.return(undefined);
        return undefined;
      }
      if (yields % breathEvery === 0) {
        await breathe();
      }
    }
  }

  #emit(...parts: readonly (OutputPart | null)[]): void {
    for (const part of parts) {
      if (part !== null) {
        this.#options.emit({ type: 'output', turn: this.id, part });
      }
    }
  }

  #resultOf(value: FunctionResult | string | void): AgentResult {
    const returned = typeof value === 'string' ? { text: value } : (value ?? {});
    const { outcome = this.#outcomeOf(returned), failure } = returned;
    return this.#end(outcome, failure, {
      text: returned.text ?? '',
      usage: readUsage(returned.usage),
      cost: readCost(returned.cost),
      error: returned.error,
    });
  }

  #outcomeOf({ failure }: FunctionResult): AgentResult['outcome'] {
    if (this.#abort.signal.aborted) {
      return 'interrupted';
    }
    return failure === undefined ? 'completed' : 'failed';
  }

  /** Most functions stop by a throw after the abort: that is an interruption, and the error is kept with it. */
  #thrown(thrown: unknown): AgentResult {
    const outcome = this.#abort.signal.aborted ? 'interrupted' : 'failed';
    return this.#end(outcome, undefined, { error: errorRecord(thrown) });
  }

  #end(outcome: AgentResult['outcome'], failure: FunctionFailure | undefined, end: TurnEnd): AgentResult {
    const { parts, report } = this.#output.end(end);
    this.#emit(...parts);
    const why = outcome === 'failed' && failure !== undefined ? failureOf(failure) : null;
    return { outcome, empty: report.text === '', failure: why, report };
  }
}

const failureOf = (failure: FunctionFailure): ProviderFailure => ({
  retryAfterMs: null,
  status: null,
  message: failure.class,
  ...failure,
});
