/**
 * Live code runners. Owned by one runtime; one entry per task whose runner is in this process's memory.
 *
 *  runners/1 A runner is fenced by the epoch at which it was started; preemption and resumption are invisible to it.
 *  runners/2 After `abort` every pending and later call of it rejects with `Evicted`, and what it returns is dropped.
 *  runners/3 One turn at a time per runner.
 *  runners/4 A hold that is disposed is given back at once: no later turn of that runner begins, and its result still ends the task.
 */
import { AppError } from '../../core/errors.ts';
import type { Epoch, SessionKey, TaskId } from '../../core/model/ids.ts';
import type { Input } from '../../core/model/inputs.ts';
import type { Effect } from '../../core/model/effects.ts';
import type { Reply } from '../../core/model/replies.ts';
import type { TaskPayload } from '../../store/port.ts';
import type { Runner, RunnerContext, RunnerHold, TurnAnswer } from '../api.ts';
import { errorRecord, jsonValue } from '../json.ts';
import type { Context } from '../options.ts';

/** The hold is no longer this runner's: it was cancelled, evicted, ended, or its node lost the session. */
export class Evicted extends AppError {
  override readonly name = 'Evicted';
  constructor(reason: string) {
    super({
      code: 'evicted',
      message: `the hold has ended: ${reason}`,
    });
  }
}

const released = (): AppError =>
  new AppError({ code: 'hold_released', message: 'the hold was disposed, and takes no more turns' });

export interface RunnerHost {
  readonly session: SessionKey;
  /** Not lost when a commit fails. */
  post(input: Input): void;
  /** Rejects when its commit fails. */
  ask(input: Input): Promise<Reply>;
}

interface Pending {
  readonly call: number;
  readonly text: string;
  readonly resolve: (answer: TurnAnswer) => void;
  readonly reject: (error: AppError) => void;
}

interface Live {
  readonly task: TaskId;
  readonly run: Epoch;
  readonly host: RunnerHost;
  readonly controller: AbortController;
  ended: Evicted | null;
  /** Its hold was disposed. */
  released: boolean;
  calls: number;
  pending: Pending | null;
}

export class Runners {
  readonly #context: Context;
  readonly #live = new Map<TaskId, Live>();

  constructor(context: Context) {
    this.#context = context;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#context.runners, name);
  }

  start(effect: Extract<Effect, { type: 'run' }>, host: RunnerHost, payload: TaskPayload): void {
    const live: Live = {
      task: effect.task,
      run: effect.run,
      host,
      controller: new AbortController(),
      ended: null,
      released: false,
      calls: 0,
      pending: null,
    };
    this.#live.set(effect.task, live);
    const name = payload.runner ?? '';
    const runner = this.has(name) ? this.#context.runners[name] : undefined;
    const context: RunnerContext = {
      task: effect.task,
      session: host.session,
      prompt: payload.prompt,
      input: payload.input,
      attempt: effect.attempt,
      interruptedMidTurn: effect.interruptedMidTurn,
      signal: live.controller.signal,
      hold: this.#hold(live),
    };
    void this.#drive(live, runner, name, context);
  }

  async #drive(live: Live, runner: Runner | undefined, name: string, context: RunnerContext): Promise<void> {
    let finish: { status: 'completed' | 'failed'; reason: string; result: unknown };
    try {
      if (runner === undefined) {
        throw new AppError({ code: 'unknown_runner', message: `no runner is registered as "${name}"` });
      }
      finish = { status: 'completed', reason: 'completed', result: jsonValue(await runner(context)) };
    } catch (error) {
      const record = errorRecord(error);
      finish = { status: 'failed', reason: record.code ?? 'runner_failed', result: { error: record } };
    }
    if (live.ended !== null) {
      return;
    }
    this.#forget(live, new Evicted('the runner has returned'));
    live.host.post({ type: 'finish', at: this.#context.clock.wall(), task: live.task, run: live.run, ...finish });
  }

  #hold(live: Live): RunnerHold {
    const turn = async (text: string, options: { readonly model?: string } = {}): Promise<TurnAnswer> => {
      this.#mustLive(live);
      if (live.released) {
        throw released();
      }
      if (live.pending !== null) {
        throw new AppError({
          code: 'turn_in_progress',
          message: 'the runner has a turn that is not over',
        });
      }
      live.calls += 1;
      const call = live.calls;
      const answer = new Promise<TurnAnswer>((resolve, reject) => {
        live.pending = { call, text, resolve, reject };
      });
      // Handled here as well, so that a refused call cannot leave an unhandled rejection behind.
      answer.catch(() => {});
      try {
        const at = this.#context.clock.wall();
        const reply = await live.host.ask({
          type: 'call',
          at,
          task: live.task,
          run: live.run,
          call,
          model: options.model ?? null,
        });
        if (reply.kind !== 'ok') {
          this.#forget(live, new Evicted('its task has ended or has another runner'));
        }
      } catch (error) {
        live.pending = null;
        throw error;
      }
      return answer;
    };
    const progress = async (data: unknown): Promise<void> => {
      this.#mustLive(live);
      const at = this.#context.clock.wall();
      const reply = await live.host.ask({
        type: 'progress',
        at,
        task: live.task,
        run: live.run,
        data: jsonValue(data),
      });
      if (reply.kind !== 'ok') {
        throw live.ended ?? new Evicted('its task has ended or has another runner');
      }
    };
    const dispose = async (): Promise<void> => {
      if (live.ended !== null || live.released) {
        return;
      }
      live.released = true;
      live.pending?.reject(released());
      live.pending = null;
      // Not lost when its commit fails: a waiter must not wait for a runner that has left.
      live.host.post({ type: 'release', at: this.#context.clock.wall(), task: live.task, run: live.run });
    };
    return { epoch: live.run, turn, progress, [Symbol.asyncDispose]: dispose };
  }

  #mustLive(live: Live): void {
    if (live.ended !== null) {
      throw live.ended;
    }
  }

  /** The text of a turn that a live runner asked for, or null if the runner is gone. */
  textOf(task: TaskId, call: number): string | null {
    const pending = this.#live.get(task)?.pending ?? null;
    return pending !== null && pending.call === call ? pending.text : null;
  }

  settle(effect: Extract<Effect, { type: 'settle' }>): void {
    const live = this.#live.get(effect.task);
    const pending = live?.pending ?? null;
    if (live !== undefined && live.run === effect.run && pending !== null && pending.call === effect.call) {
      live.pending = null;
      pending.resolve({ ...(effect.report ?? { text: '' }), outcome: effect.outcome });
    }
  }

  abort(effect: Extract<Effect, { type: 'abort' }>): void {
    const live = this.#live.get(effect.task);
    if (live !== undefined && live.run === effect.run) {
      const evicted = new Evicted(effect.reason);
      this.#forget(live, evicted);
      live.controller.abort(evicted);
    }
  }

  #forget(live: Live, why: Evicted): void {
    live.ended ??= why;
    live.pending?.reject(why);
    live.pending = null;
    if (this.#live.get(live.task) === live) {
      this.#live.delete(live.task);
    }
  }
}
