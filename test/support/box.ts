/** A real runtime on a real SQLite file in a folder of its own, with an agent whose turns the test plays by hand. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextPass } from 'node:timers/promises';
import type { TaskEventType } from '../../src/core/model/events.ts';
import { functionDriver, type FunctionContext, type FunctionFailure } from '../../src/agents/index.ts';
import type { StoredEvent, StoredTask } from '../../src/store/port.ts';
import { openSqliteStore } from '../../src/store/index.ts';
import { lateStore, type Postpone, shuffled } from '../../src/testing/store/late.ts';
import { createSignalbox, type Signalbox, type SignalboxOptions, type SubmitRequest } from '../../src/runtime/index.ts';
import { expect } from 'vitest';

/** One turn as the agent sees it. */
export interface PlayedTurn {
  readonly prompt: string;
  readonly context: FunctionContext;
  say(text: string): void;
  /** Ends the turn by itself. */
  finish(text?: string): void;
  fail(error: string): void;
  /** Its provider has failed. */
  refuse(failure: FunctionFailure): void;
  /** Resolves when the turn is interrupted. It ends `interrupted` by itself then. */
  readonly interrupted: Promise<void>;
}

type Act = { readonly say: string } | { readonly end: { text?: string; error?: string; failure?: FunctionFailure } };

/** An agent function that waits for the test at every point. */
class Stage {
  readonly prompts: string[] = [];
  readonly #arrived: PlayedTurn[] = [];
  #waiting: ((turn: PlayedTurn) => void) | null = null;

  readonly driver = functionDriver((prompt, context) => this.#play(prompt, context), {
    steer: (text) => {
      this.steered.push(text);
      return this.takesSteering;
    },
  });
  readonly steered: string[] = [];
  takesSteering = true;

  async *#play(prompt: string, context: FunctionContext) {
    this.prompts.push(prompt);
    const acts: Act[] = [];
    let wake = (): void => {};
    const push = (act: Act): void => {
      acts.push(act);
      wake();
    };
    const interrupted = new Promise<void>((resolve) => {
      context.signal.addEventListener('abort', () => resolve());
    });
    const turn: PlayedTurn = {
      prompt,
      context,
      say: (text) => push({ say: text }),
      finish: (text = 'done') => push({ end: { text } }),
      fail: (error) => push({ end: { error } }),
      refuse: (failure) => push({ end: { failure } }),
      interrupted,
    };
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) {
      this.#arrived.push(turn);
    } else {
      waiting(turn);
    }
    context.signal.addEventListener('abort', () => wake());
    for (;;) {
      const act = acts.shift();
      if (act !== undefined && 'say' in act) {
        yield act.say;
      } else if (act !== undefined) {
        const { error } = act.end;
        return error === undefined ? act.end : { outcome: 'failed' as const, error };
      } else if (context.signal.aborted) {
        return { text: '' };
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }

  /** The next turn that the agent is given. */
  turn(): Promise<PlayedTurn> {
    const next = this.#arrived.shift();
    return next === undefined ? new Promise((resolve) => (this.#waiting = resolve)) : Promise.resolve(next);
  }

  /** The next turn if it arrives within so many passes of the event loop, so that no timer can have brought it. */
  async turnWithin(passes: number): Promise<PlayedTurn> {
    for (let pass = 0; pass < passes && this.#arrived.length === 0; pass += 1) {
      await loopPasses(1);
    }
    const next = this.#arrived.shift();
    if (next === undefined) {
      throw new Error(`the agent was given no turn within ${passes} passes of the event loop`);
    }
    return next;
  }

  /** Turns that have arrived and nobody asked for yet. */
  get unplayed(): number {
    return this.#arrived.length;
  }
}

/** Resolves after so many passes of the event loop. */
export async function loopPasses(count: number): Promise<void> {
  for (let pass = 0; pass < count; pass += 1) {
    await nextPass();
  }
}

export interface Box extends AsyncDisposable {
  readonly box: Signalbox;
  readonly stage: Stage;
  readonly folder: string;
  readonly errors: unknown[];
  /** Submits and gives the id; anything but `accepted` fails the test. */
  send(request: Partial<SubmitRequest>): Promise<string>;
  background(request?: Partial<SubmitRequest>): Promise<string>;
  tape(task: string): Promise<readonly StoredEvent[]>;
  types(task: string): Promise<string[]>;
  /** The task once it has ended. */
  ended(task: string): Promise<StoredTask>;
  /** The first event of the type on the task's tape that fits. Resolves when it is there. */
  event<T extends TaskEventType>(
    task: string,
    type: T,
    fits?: (event: Extract<StoredEvent, { type: T }>) => boolean,
  ): Promise<Extract<StoredEvent, { type: T }>>;
  /** Resolves when nothing is left to be done before time goes on or somebody acts. */
  quiet(): Promise<void>;
  /** Closes and opens again on the same file. */
  reopen(options?: Partial<SignalboxOptions> & { readonly graceMs?: number }): Promise<Box>;
}

let lateSeed: number | null = null;

/** The stores of boxes that are opened from now on answer late, in an order drawn from the seed; each box has its own. */
export function answerLate(seed: number): void {
  lateSeed = seed;
}

export async function openBox(options: Partial<SignalboxOptions> = {}, at?: string, on?: Stage): Promise<Box> {
  const folder = at ?? mkdtempSync(join(tmpdir(), 'signalbox-test-'));
  const stage = on ?? new Stage();
  const errors: unknown[] = [];
  const given =
    options.store ??
    openSqliteStore({ path: join(folder, 'signalbox.db'), durability: 'process', ...faultsOf(options) });
  let underWay = 0;
  const counted =
    (postpone: Postpone): Postpone =>
    (run) => {
      underWay += 1;
      postpone(() => {
        underWay -= 1;
        run();
      });
    };
  const box = createSignalbox({
    agent: stage.driver,
    onError: (error) => errors.push(error),
    ...options,
    store: lateSeed === null ? given : lateStore(given, counted(shuffled((lateSeed += 1)))),
  });
  await box.ready;
  const send = async (request: Partial<SubmitRequest>): Promise<string> => {
    const answer = await box.submit({ session: 'test:one', prompt: 'hello', ...request });
    expect(answer).toMatchObject({ kind: 'accepted' });
    return answer.kind === 'accepted' ? answer.task : '';
  };
  const tape = async (task: string): Promise<readonly StoredEvent[]> => {
    const stored = await box.task(task);
    return stored === null ? [] : box.tape(stored.session, task, 0, 100_000);
  };
  return {
    box,
    stage,
    folder,
    errors,
    send,
    background: (request = {}) => send({ lane: 'background', prompt: 'background work', ...request }),
    tape,
    types: async (task) => (await tape(task)).map((event) => event.type),
    ended: (task) => box.result(task),
    event: async <T extends TaskEventType>(
      task: string,
      type: T,
      fits = (_event: Extract<StoredEvent, { type: T }>): boolean => true,
    ) => {
      const is = (event: StoredEvent): event is Extract<StoredEvent, { type: T }> => event.type === type;
      for await (const event of box.follow(task)) {
        if (is(event) && fits(event)) {
          return event;
        }
      }
      throw new Error(`the tape of ${task} ended without ${type}`);
    },
    quiet: async () => {
      // A commit, its effects, what an agent says to them, and the commit of that.
      for (let still = 0; still < 4; still = underWay === 0 ? still + 1 : 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    reopen: async ({ graceMs, ...again } = {}) => {
      await box.close({ graceMs: graceMs ?? 0 });
      return openBox({ ...options, ...again }, folder, stage);
    },
    [Symbol.asyncDispose]: async () => {
      await box.close({ graceMs: 0 });
      if (at === undefined) {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

const faultsOf = (options: Partial<SignalboxOptions>): Pick<SignalboxOptions, 'faults'> =>
  options.faults === undefined ? {} : { faults: options.faults };

/** Every tape: dense `seq` from 1, `queued` first, exactly one `final`, last, and the status agrees with it. */
export function expectSound(stored: StoredTask, tape: readonly StoredEvent[]): void {
  expect(tape.map((event) => event.seq)).toEqual(tape.map((_, at) => at + 1));
  expect(tape[0]?.type).toBe('queued');
  expect(tape.filter((event) => event.type === 'final')).toHaveLength(1);
  expect(tape.at(-1)).toMatchObject({ type: 'final', data: { status: stored.status } });
}
