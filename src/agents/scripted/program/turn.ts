/**
 * One turn of the scripted agent: plays its directives in order until they end or an interrupt comes.
 *
 * Owns: the waits of the turn. Called by the program for every message that names the turn.
 * Invariants:
 *  scripted-turn/1 Whatever the directives do, `play` resolves once the turn is over for the agent itself.
 *  scripted-turn/2 An interrupt ends the current wait at once.
 */
import type { OutputPart } from '../../../core/model/output.ts';
import type { RequestedAction } from '../../../core/model/permission.ts';
import type { ToAgent, WireFailure } from '../../process/wire.ts';
import type { Conversation, RememberedTurn } from './conversation.ts';
import type { Directive, Behaviour } from './directives.ts';
import type { AgentLog } from './log.ts';
import type { Stdout } from './stdout.ts';

interface TurnTools {
  readonly stdout: Stdout;
  readonly log: AgentLog;
  readonly conversation: Conversation;
  readonly acks: boolean;
  readonly chunkMs: number;
  /** The model it answers with; null: the default. */
  readonly model: string | null;
}

type Decision = Pick<Extract<ToAgent, { type: 'permission-resolved' }>, 'decision' | 'note'>;

const withdrawn: Decision = { decision: 'withdrawn', note: null };

/** What a directive does at its place. */
export type Step = (turn: Turn, argument: string) => Promise<void> | void;

export interface Steps {
  /** By the name of the directive. */
  readonly directives: { readonly [name: string]: Step };
  /** For a prompt without any: continues what is unfinished. False: nothing is. */
  resume(turn: Turn, prompt: string): Promise<boolean>;
}

export class Turn {
  readonly id: number;
  readonly behaviour: Behaviour;
  readonly tools: TurnTools;
  readonly #remembered: RememberedTurn;
  #interrupts = 0;
  #stopped = false;
  #wake = (): void => {};
  #error: { readonly code: string; readonly message: string } | null = null;
  #failure: WireFailure | null = null;
  #requests = 0;
  /** Permission requests that wait for a decision. */
  readonly #requested = new Map<string, (decision: Decision) => void>();

  constructor(id: number, behaviour: Behaviour, remembered: RememberedTurn, tools: TurnTools) {
    this.id = id;
    this.behaviour = behaviour;
    this.tools = tools;
    this.#remembered = remembered;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Plays the turn to its end, result included. */
  async play(steps: Steps, directives: readonly Directive[], prompt: string): Promise<void> {
    const { stdout } = this.tools;
    if (this.behaviour.merged === 'turn') {
      stdout.hold();
    }
    if (this.behaviour.lateStartedMs > 0) {
      await this.wait(this.behaviour.lateStartedMs);
    }
    stdout.say({ type: 'started', turn: this.id });
    const acting = directives.filter((directive) => steps.directives[directive.name] !== undefined);
    for (const directive of acting) {
      if (this.#stopped) {
        break;
      }
      await steps.directives[directive.name]?.(this, directive.argument);
    }
    if (acting.length === 0 && !(await steps.resume(this, prompt))) {
      await this.#answer(prompt);
    }
    await this.#finish();
  }

  /** Says a piece of the answer. */
  say(text: string): void {
    this.#remembered.said += text;
    this.output({ kind: 'text', text });
  }

  output(part: OutputPart): void {
    this.tools.stdout.say({ type: 'output', turn: this.id, part });
  }

  fail(code: string, failure: WireFailure | null = null): void {
    this.#error = { code, message: failure?.message ?? `the script lets this turn fail: ${code}` };
    this.#failure = failure;
    this.#stopped = true;
  }

  retrying(failure: WireFailure): void {
    this.tools.stdout.say({ type: 'retrying', turn: this.id, failure });
  }

  /** Requests permission. Resolves with the decision; as `withdrawn` when the turn is interrupted. */
  requestPermission(action: RequestedAction): Promise<Decision> {
    const request = this.#request(action);
    return new Promise((resolve) => {
      const settle = (decision: Decision): void => {
        this.#requested.delete(request);
        this.#wake = () => {};
        resolve(decision);
      };
      this.#requested.set(request, settle);
      this.#wake = () => settle(withdrawn);
    });
  }

  /** Requests permission, and withdraws the request at once. */
  withdraw(action: RequestedAction): void {
    const request = this.#request(action);
    this.tools.stdout.say({ type: 'permission-withdrawn', turn: this.id, request });
  }

  resolved(request: string, decision: Decision): void {
    this.tools.log.write('permission-resolved', { turn: this.id, request, decision: decision.decision });
    this.#requested.get(request)?.(decision);
  }

  #request(action: RequestedAction): string {
    this.#requests += 1;
    const request = `r${this.#requests}`;
    this.tools.log.write('permission-requested', { turn: this.id, request, ...action });
    this.tools.stdout.say({ type: 'permission-requested', turn: this.id, request, ...action });
    return request;
  }

  /** Resolves after `ms`, or when the turn is interrupted. */
  wait(ms: number): Promise<void> {
    if (this.#stopped) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  steer(text: string): void {
    this.#remembered.steered.push(text);
    this.say(`(steered: ${text}) `);
  }

  interrupt(): void {
    this.#interrupts += 1;
    const { ack, ackMs, deaf, merged } = this.behaviour;
    if (deaf) {
      return;
    }
    if (merged === 'end') {
      this.tools.stdout.hold();
    }
    if (this.#interrupts > 1) {
      if (ack === 'now' || ack === 'twice') {
        this.ack();
      }
      return;
    }
    if (ack === 'late') {
      setTimeout(() => {
        this.ack();
        this.#stop();
      }, ackMs);
      return;
    }
    if (ack === 'now' || ack === 'twice' || ack === 'before-result' || ack === 'none') {
      this.ack(ack === 'none');
    }
    if (ack === 'twice') {
      this.ack();
    }
    if (ack === 'before-result') {
      setTimeout(() => this.#stop(), ackMs);
    } else {
      this.#stop();
    }
  }

  ack(noResult = false): void {
    if (!this.tools.acks) {
      return;
    }
    this.tools.stdout.say({ type: 'ack', turn: this.id, ...(noResult ? { noResult } : {}) });
    this.tools.log.write('ack', { turn: this.id, noResult });
  }

  #stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** An earlier turn of the conversation had these words in its prompt. */
  isRepeated(words: string): boolean {
    const { turns } = this.tools.conversation;
    return turns.some((turn) => turn !== this.#remembered && turn.prompt.includes(words));
  }

  async #answer(prompt: string): Promise<void> {
    const heard = prompt.length > 200 ? `${prompt.slice(0, 200)}…` : prompt;
    for (const piece of ['scripted agent: ', 'no real agent is configured; ', 'you said: ', heard]) {
      if (this.#stopped) {
        return;
      }
      this.say(piece);
      await this.wait(this.tools.chunkMs);
    }
  }

  async #finish(): Promise<void> {
    const { stdout, log, conversation } = this.tools;
    const { behaviour } = this;
    const outcome =
      this.#error !== null ? 'failed' : this.#interrupts > 0 && this.#stopped ? 'interrupted' : 'completed';
    this.#remembered.outcome = outcome;
    conversation.save();
    if (behaviour.noResult || (behaviour.ack === 'none' && this.#interrupts > 0)) {
      stdout.release();
      return;
    }
    const text = behaviour.empty ? '' : this.#remembered.said;
    const tokens = {
      inputTokens: Math.ceil(this.#remembered.prompt.length / 4),
      outputTokens: Math.ceil(text.length / 4),
    };
    const error = this.#error === null ? {} : { error: this.#error };
    const failure = this.#failure === null ? {} : { failure: this.#failure };
    const result = { type: 'result', turn: this.id, outcome, text, usage: tokens, ...error, ...failure } as const;
    log.write('result', { turn: this.id, outcome });
    if (behaviour.splitResult) {
      await stdout.sayInPieces(result);
    } else {
      stdout.say(result);
    }
    if (behaviour.twice) {
      stdout.say(result);
    }
    if (behaviour.ack === 'after-result' && this.#interrupts > 0) {
      // The turn is over with its result: the ack follows by itself, whatever runs by then.
      if (behaviour.merged === null) {
        setTimeout(() => this.ack(), behaviour.ackMs);
      } else {
        this.ack();
      }
    }
    stdout.release();
  }
}
