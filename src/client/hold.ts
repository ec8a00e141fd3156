/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A hold over HTTP: this program owns a session like a code runner does, for one external task. It asks again what it has no answer to,
 * renews its lease beside that, and learns of its eviction by `signal`.
 *
 *  client-hold/1 One call at a time; its number is the same however often it is sent, so that it is one turn.
 *  client-hold/2 Nothing runs on behind a hold that has ended: its timer ends with it.
 */
import { AppError } from '../core/errors.ts';
import type { HoldReceipt, HoldTurnReceipt, Wire } from '../protocol/index.ts';
import type { TurnAnswerSchema } from '../protocol/holds.ts';
import { ApiError } from './errors.ts';
import type { Http } from './http.ts';
import { persist } from './persist.ts';

/** Signs of life in one lease: two may be lost. */
const beatsPerLease = 3;

export type TurnAnswer = Wire<typeof TurnAnswerSchema>;

export interface HoldOptions {
  /** A name of this process. Default: a random one. */
  readonly holder?: string;
  /** Milliseconds that this process may be silent before it has lost the task. Default: `limits.leaseMs` of the daemon. */
  readonly leaseMs?: number;
  /** Ends the wait for the session, and every later call. */
  readonly signal?: AbortSignal;
}

/** The session is this program's, until the hold is finished, released, disposed or lost. */
export interface Hold extends AsyncDisposable {
  readonly task: string;
  readonly session: string;
  /** Fencing token of all calls. */
  readonly epoch: number;
  readonly prompt: string;
  readonly input: unknown;
  readonly attempt: number;
  /** An earlier attempt was interrupted midway; what it did last is unknown. */
  readonly interruptedMidTurn: boolean;
  /** Aborts when the task is cancelled or evicted, or the lease has lapsed: stop working on it. */
  readonly signal: AbortSignal;
  /** One turn of the agent; preempted and resumed without the caller's help. Rejects with the code `evicted` once the hold is lost. */
  turn(prompt: string, options?: { readonly model?: string }): Promise<TurnAnswer>;
  progress(data: unknown): Promise<void>;
  /** Gives the session back, and works on without it. */
  release(): Promise<void>;
  /** Ends the task with a result, any JSON. */
  finish(result?: unknown): Promise<void>;
  /** Ends the task as failed. `reason`: a code such as `no_tests`. */
  fail(reason?: string, result?: unknown): Promise<void>;
  /** Stops the signs of life. A hold that was not finished ends its task as failed, with the reason `abandoned`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Claims the task, and waits until the session is granted. Throws `ApiError` where it cannot be held. */
export async function holdTask(http: Http, task: string, options: HoldOptions = {}): Promise<Hold> {
  const { holder = `holder-${crypto.randomUUID()}`, leaseMs, signal } = options;
  const body = { holder, ...(leaseMs === undefined ? {} : { leaseMs }) };
  for (;;) {
    const receipt = await persist<HoldReceipt>(http, signal, () =>
      http.json('holdTask', { params: { id: task }, body, signal }),
    );
    if (receipt.state === 'granted' && receipt.epoch !== null) {
      return new TaskHold(http, receipt, receipt.epoch, signal);
    }
  }
}

class TaskHold implements Hold {
  readonly task: string;
  readonly session: string;
  readonly epoch: number;
  readonly prompt: string;
  readonly input: unknown;
  readonly attempt: number;
  readonly interruptedMidTurn: boolean;
  readonly signal: AbortSignal;
  readonly #http: Http;
  readonly #lost = new AbortController();
  readonly #beatMs: number;
  #calls: number;
  #inTurn = false;
  #isOver = false;
  #stopBeat: () => void = () => {};

  constructor(http: Http, receipt: HoldReceipt, epoch: number, signal: AbortSignal | undefined) {
    this.#http = http;
    this.task = receipt.task;
    this.session = receipt.session;
    this.epoch = epoch;
    this.prompt = receipt.prompt ?? '';
    this.input = receipt.input;
    this.attempt = receipt.attempt ?? 1;
    this.interruptedMidTurn = receipt.interruptedMidTurn;
    this.signal = signal === undefined ? this.#lost.signal : AbortSignal.any([this.#lost.signal, signal]);
    this.#calls = receipt.call ?? 0;
    this.#beatMs = receipt.leaseMs / beatsPerLease;
    this.#beatLater();
  }

  #beatLater(): void {
    this.#stopBeat = this.#http.timer(this.#beatMs, () => this.#beat());
  }

  /** One that hangs is given up in time for the next one, which is sent at once. */
  #beat(): void {
    const late = new AbortController();
    const stopTimer = this.#http.timer(this.#beatMs, () => late.abort());
    this.#stopBeat = () => {
      stopTimer();
      late.abort();
    };
    const signal = AbortSignal.any([this.signal, late.signal]);
    this.#http.json('heartbeat', { params: { id: this.task }, body: { epoch: this.epoch }, signal }).then(
      () => this.#beatAgain(false, stopTimer),
      (error: unknown) => {
        this.#noteLoss(error);
        this.#beatAgain(late.signal.aborted, stopTimer);
      },
    );
  }

  #beatAgain(atOnce: boolean, stopTimer: () => void): void {
    stopTimer();
    if (this.#isOver || this.signal.aborted) {
      return;
    }
    if (atOnce) {
      this.#beat();
    } else {
      this.#beatLater();
    }
  }

  #noteLoss(error: unknown): void {
    if (error instanceof ApiError && error.code === 'evicted') {
      this.#end();
      this.#lost.abort(error);
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#stopBeat();
  }

  /** A request under the epoch, sent again until it is answered. */
  async #ask<T>(operation: Parameters<Http['json']>[0], body: object, signal = this.signal): Promise<T> {
    try {
      return await persist<T>(this.#http, signal, () => {
        if (this.#lost.signal.aborted) {
          throw this.#lost.signal.reason;
        }
        const parts = { params: { id: this.task }, body: { epoch: this.epoch, ...body }, signal };
        return this.#http.json(operation, parts);
      });
    } catch (error) {
      this.#noteLoss(error);
      // An eviction that a heartbeat has met first.
      throw this.#lost.signal.aborted ? this.#lost.signal.reason : error;
    }
  }

  async turn(prompt: string, { model }: { readonly model?: string } = {}): Promise<TurnAnswer> {
    if (this.#inTurn) {
      throw new AppError({ code: 'turn_in_progress', message: 'the hold has a turn that is not over' });
    }
    this.#inTurn = true;
    const call = this.#calls + 1;
    try {
      for (;;) {
        const body = { call, prompt, ...(model === undefined ? {} : { model }) };
        const { answer } = await this.#ask<HoldTurnReceipt>('takeTurn', body);
        if (answer !== null) {
          this.#calls = call;
          return answer;
        }
      }
    } finally {
      this.#inTurn = false;
    }
  }

  async progress(data: unknown): Promise<void> {
    await this.#ask('reportProgress', { data });
  }

  async release(): Promise<void> {
    await this.#ask('releaseHold', {});
  }

  finish(result: unknown = null): Promise<void> {
    return this.#finish({ status: 'completed', result });
  }

  fail(reason?: string, result: unknown = null): Promise<void> {
    return this.#finish({ status: 'failed', result, ...(reason === undefined ? {} : { reason }) });
  }

  async #finish(end: object, signal?: AbortSignal): Promise<void> {
    await this.#ask('finishTask', end, signal);
    this.#end();
  }

  /** Also after the caller's own signal: the session is given back. It is tried for one lease, which lapses then. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver || this.#lost.signal.aborted) {
      this.#end();
      return;
    }
    const late = new AbortController();
    const stopTimer = this.#http.timer(this.#beatMs * beatsPerLease, () => late.abort());
    try {
      const end = { status: 'failed', result: null, reason: 'abandoned' };
      await this.#finish(end, AbortSignal.any([this.#lost.signal, late.signal]));
    } catch (error) {
      if (!(error instanceof ApiError) && !late.signal.aborted) {
        throw error;
      }
    } finally {
      stopTimer();
      this.#end();
    }
  }
}
