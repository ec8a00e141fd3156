/**
 * A scope: what is begun in it ends with it, at the latest.
 *
 * Owns: steps that end something, tasks that run, and scopes within it. Whoever makes it ends it, by `await using` or `close`.
 * Order of the end: the tasks are told by the signal; then the scopes within end, all at once; then the tasks are awaited; then
 * the steps, all at once.
 * Invariants:
 *  scope/1 Nothing of it runs on unnoticed: what has not ended by its deadline is named in the report.
 *  scope/2 Each part is isolated: one that throws or hangs never skips or delays another one.
 *  scope/3 The first cause is kept. What fails after it, because of the end that it brought about, is told beside it.
 *  scope/4 The end of a scope takes as long as its slowest part at each stage, not as the sum of the parts.
 *  scope/5 What is given to a scope that has ended is ended at once.
 *  scope/6 Disposal never throws: it would hide the error that ended the block. Failures go to `onFailure`, or to the
 *          report.
 */
import type { PendingWaits } from './pending-waits.ts';
import { pendingWaits } from './pending-waits.ts';
import type { Timers } from './timers.ts';
import { realTimers } from './timers.ts';

export interface ScopeFailure {
  readonly part: string;
  readonly error: unknown;
}

interface ScopeReport {
  /** What ended the scope before its owner did; undefined: nothing. */
  readonly cause: unknown;
  /** What failed at the end or because of it. */
  readonly failures: readonly ScopeFailure[];
  /** Parts that had not ended by their deadline. */
  readonly left: readonly string[];
}

interface ScopeOptions {
  /** Told of every failure, also of what comes after the report. */
  readonly onFailure?: (failure: ScopeFailure) => void;
  readonly waits?: PendingWaits;
  readonly timers?: Timers;
}

type End = () => unknown;

/** Milliseconds; as a function where they are known only when the end begins. */
type Deadline = number | (() => number);

interface Step {
  readonly name: string;
  readonly end: End;
  readonly deadlineMs: Deadline;
}

export class Scope implements AsyncDisposable {
  readonly name: string;
  readonly #options: ScopeOptions;
  readonly #abort = new AbortController();
  readonly #steps = new Set<Step>();
  readonly #tasks = new Set<Step>();
  readonly #within = new Set<Scope>();
  readonly #failures: ScopeFailure[] = [];
  readonly #left: string[] = [];
  #failed: { readonly cause: unknown } | null = null;
  #closing: Promise<ScopeReport> | null = null;

  constructor(name: string, options: ScopeOptions = {}) {
    this.name = name;
    this.#options = options;
  }

  /** Aborted when the scope begins to end; its reason is the cause. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** `end` is called once, at the end of the scope, or now if that has begun. Answers how to end it before. */
  own(name: string, end: End, deadlineMs: Deadline): () => Promise<void> {
    const step: Step = { name, end, deadlineMs };
    this.#steps.add(step);
    const now = (): Promise<void> => this.#end(step);
    if (this.#closing !== null) {
      void now();
    }
    return now;
  }

  /** A scope that ends before anything of this one does. */
  nest(name: string): Scope {
    const scope = new Scope(name, {
      ...this.#options,
      onFailure: ({ part, error }) => this.#note(`${name}: ${part}`, error),
    });
    this.#within.add(scope);
    if (this.#closing !== null) {
      void this.#endWithin(scope);
    }
    return scope;
  }

  /**
   * Runs `work` within the scope. When it throws, the scope's cause is its error, and the signal tells the others; the owner
   * closes. At the end of the scope it has `deadlineMs` to come to its own. In a scope that ends already nothing is begun.
   */
  run(name: string, work: (signal: AbortSignal) => Promise<void>, deadlineMs: number): void {
    if (this.#closing !== null) {
      this.#note(name, new Error(`${this.name} has ended, so ${name} was not begun`));
      return;
    }
    const task: Step = { name, end: () => running, deadlineMs };
    this.#tasks.add(task);
    const running = this.#run(task, work);
  }

  async #run(task: Step, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await work(this.#abort.signal);
    } catch (error) {
      this.fail(error, task.name);
    } finally {
      this.#tasks.delete(task);
    }
  }

  /** The scope has failed: everything in it is told. The first cause stays; a later one counts as provoked by it. */
  fail(cause: unknown, part = 'scope'): void {
    if (this.#failed === null && this.#closing === null) {
      this.#failed = { cause };
    } else if (cause !== this.#abort.signal.reason) {
      this.#note(part, cause);
    }
    this.#abort.abort(cause);
  }

  /** Ends everything; a second call answers with the first one's report. */
  close(): Promise<ScopeReport> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<ScopeReport> {
    // After this call has been noted as closing, so that what the signal brings about counts as provoked.
    await Promise.resolve();
    this.#abort.abort(this.#failed?.cause);
    await Promise.all([...this.#within].map((scope) => this.#endWithin(scope)));
    await Promise.all([...this.#tasks].map((task) => this.#await(task)));
    await Promise.all([...this.#steps].map((step) => this.#end(step)));
    return { cause: this.#failed?.cause, failures: [...this.#failures], left: [...this.#left] };
  }

  async #endWithin(scope: Scope): Promise<void> {
    const { left } = await scope.close();
    this.#within.delete(scope);
    this.#left.push(...left.map((part) => `${scope.name}: ${part}`));
  }

  async #end(step: Step): Promise<void> {
    if (this.#steps.delete(step)) {
      await this.#await(step);
    }
  }

  /** Never rejects. */
  async #await({ name, end, deadlineMs: deadline }: Step): Promise<void> {
    const deadlineMs = typeof deadline === 'number' ? deadline : deadline();
    const { timers = realTimers, waits = pendingWaits } = this.#options;
    const endWait = waits.add({ owner: this.name, name: `the end of ${name}`, deadlineMs });
    const late = Promise.withResolvers<'late'>();
    const cancel = timers.set(deadlineMs, () => late.resolve('late'));
    const ending = (async () => {
      try {
        await end();
      } catch (error) {
        this.#note(name, error);
      }
      return 'ended' as const;
    })();
    if ((await Promise.race([ending, late.promise])) === 'late') {
      this.#left.push(name);
    }
    cancel();
    endWait();
  }

  #note(part: string, error: unknown): void {
    this.#failures.push({ part, error });
    try {
      this.#options.onFailure?.({ part, error });
    } catch {
      // Whoever listens must not be able to skip the next step.
    }
  }
}
