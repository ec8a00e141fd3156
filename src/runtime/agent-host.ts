/**
 * The one agent of a session: carries effects to its driver's handle, and the driver's events to the session as inputs.
 *
 * Owned by the session's actor. Invariants:
 *  G-1 At most one handle lives; every event carries the incarnation it was started with.
 *  G-2 A process is recorded in the store before anything is written to it, and forgotten when it is gone.
 *  G-3 `agent-exited` is posted for each incarnation, also for one that never got a slot or whose start threw, and again
 *      for one that is to be ended and is gone; the core takes the first.
 */
import { FAILURES } from '../agents/failures.ts';
import type { AgentEvent, AgentHandle, AgentResult } from '../agents/port.ts';
import type { Incarnation, SessionKey, TaskId, TurnId } from '../core/ids.ts';
import { taskId } from '../core/ids.ts';
import type { Input } from '../core/inputs.ts';
import type { TurnResult } from '../core/model.ts';
import type { Context } from './options.ts';
import type { AgentPool, Slot } from './pool.ts';
import { jsonValue } from './json.ts';

interface Live {
  readonly inc: Incarnation;
  readonly slot: Slot;
  handle: AgentHandle | null;
  gone: boolean;
  process: { readonly pid: number; readonly startTime: string } | null;
  /** Its process could not be recorded: nothing may be written to it, it is being ended. */
  doomed: boolean;
}

export class AgentHost {
  readonly #context: Context;
  readonly #pool: AgentPool;
  readonly #session: SessionKey;
  readonly #post: (input: Input) => void;
  #live: Live | null = null;
  readonly #onGone: (() => void)[] = [];

  constructor(context: Context, pool: AgentPool, session: SessionKey, post: (input: Input) => void) {
    this.#context = context;
    this.#pool = pool;
    this.#session = session;
    this.#post = post;
  }

  get running(): boolean {
    return this.#live !== null;
  }

  /** `started` is called when the process is really being started: from then on the start deadline counts. */
  start(inc: Incarnation, wanted: Wanted, started: () => void): void {
    const holder: { live: Live | null; early: boolean } = { live: null, early: false };
    const begin = (): void => {
      if (holder.live === null) {
        holder.early = true;
        return;
      }
      this.#begin(holder.live, wanted, started);
    };
    const slot = this.#pool.take(
      { makeRoom: () => this.#post({ type: 'make-room', at: this.#context.clock.wall() }) },
      begin,
    );
    holder.live = { inc, slot, handle: null, gone: false, process: null, doomed: false };
    this.#live = holder.live;
    if (holder.early) {
      this.#begin(holder.live, wanted, started);
    }
  }

  #begin(live: Live, wanted: Wanted, started: () => void): void {
    started();
    try {
      live.handle = this.#context.agent.start({
        session: this.#session,
        incarnation: live.inc,
        conversation: wanted.conversation,
        model: wanted.model,
        folder: null,
        emit: (event) => this.#emit(live, event),
        onProcess: (process) => {
          live.process = { pid: process.pid, startTime: process.startTime };
          const row = { ...process, session: this.#session, incarnation: live.inc };
          this.#guard(
            'record process',
            () => this.#context.store.recordProcess(row),
            () => this.#doom(live),
          );
        },
      });
      if (live.doomed) {
        live.handle.kill();
      }
    } catch (error) {
      this.#context.onError(error, 'agent start');
      this.#exited(live, 'spawn_failed', { message: error instanceof Error ? error.message : String(error) });
    }
  }

  prompt(inc: Incarnation, turn: TurnId, text: string, rewind: TurnId | null): void {
    const live = this.#of(inc);
    if (live !== null) {
      this.#pool.works(live.slot);
      live.handle?.prompt(turn, text, { rewind });
    }
  }

  interrupt(inc: Incarnation, turn: TurnId): void {
    this.#of(inc)?.handle?.interrupt(turn);
  }

  steer(inc: Incarnation, turn: TurnId, task: TaskId, text: string): void {
    this.#of(inc)?.handle?.steer(turn, task, text);
  }

  answer(inc: Incarnation, turn: TurnId, request: string, decision: Parameters<AgentHandle['answer']>[2]): void {
    this.#of(inc)?.handle?.answer(turn, request, decision);
  }

  switchModel(inc: Incarnation, model: string | null): void {
    this.#of(inc)?.handle?.switchModel(model);
  }

  /** The agent is at rest: it may be asked to make room. */
  rests(inc: number): void {
    const live = this.#live;
    if (live !== null && live.inc === inc) {
      this.#pool.rests(live.slot, this.#context.clock.now());
    }
  }

  end(inc: Incarnation, how: 'kill' | 'close'): void {
    const live = this.#of(inc);
    if (live === null) {
      // Gone already: said again, since a session that asks has not taken the first word in. A second one is stale.
      this.#post({ type: 'agent-exited', at: this.#context.clock.wall(), inc, reason: 'gone', data: null });
    } else if (live.handle === null) {
      this.#exited(live, 'never_started', null);
    } else {
      live.handle[how]();
    }
  }

  /** Resolves when no agent is left. */
  async gone(): Promise<void> {
    if (this.#live !== null) {
      await new Promise<void>((resolve) => {
        this.#onGone.push(resolve);
      });
    }
  }

  #of(inc: Incarnation): Live | null {
    return this.#live !== null && this.#live.inc === inc && !this.#live.gone ? this.#live : null;
  }

  #emit(live: Live, event: AgentEvent): void {
    if (live.gone) {
      return;
    }
    if (event.type === 'exited') {
      this.#exited(live, event.reason, event.data);
      return;
    }
    if (live.doomed) {
      return;
    }
    this.#post(inputOf(event, live.inc, this.#context.clock.wall()));
  }

  #exited(live: Live, reason: string, data: unknown): void {
    live.gone = true;
    if (live.process !== null) {
      const { pid, startTime } = live.process;
      this.#guard('forget process', () => this.#context.store.forgetProcess(pid, startTime));
    }
    this.#pool.give(live.slot);
    if (this.#live === live) {
      this.#live = null;
    }
    this.#post({ type: 'agent-exited', at: this.#context.clock.wall(), inc: live.inc, reason, data: jsonValue(data) });
    for (const tell of this.#onGone.splice(0)) {
      tell();
    }
  }

  /** A process that no successor could find is not kept; it is ready for nothing until it is gone. */
  #doom(live: Live): void {
    live.doomed = true;
    live.handle?.kill();
  }

  /** A store that answers at once throws at once. */
  #guard(where: string, write: () => void | Promise<void>, failed: () => void = () => {}): void {
    const report = (error: unknown): void => {
      this.#context.onError(error, where);
      failed();
    };
    try {
      const done = write();
      if (done instanceof Promise) {
        done.catch(report);
      }
    } catch (error) {
      report(error);
    }
  }
}

/** What a start takes from the core. */
interface Wanted {
  readonly conversation: string | null;
  readonly model: string | null;
}

/** The core needs to know whether it passes; the tape keeps the whole of it. */
function resultOf({ outcome, empty, failure, data }: AgentResult): TurnResult {
  const kept = jsonValue(data);
  if (failure === null) {
    return { outcome, empty, failure: null, data: kept };
  }
  const { passes, hint } = FAILURES[failure.class];
  const said = typeof kept === 'object' && kept !== null ? kept : { result: kept };
  return {
    outcome,
    empty,
    failure: { class: failure.class, passes },
    data: { ...said, failure: { ...failure, hint } },
  };
}

function inputOf(event: Exclude<AgentEvent, { type: 'exited' }>, inc: Incarnation, at: number): Input {
  switch (event.type) {
    case 'ready':
      return { type: 'agent-ready', at, inc, caps: event.caps, conversation: event.conversation, lost: event.lost };
    case 'started':
      return { type: 'turn-started', at, inc, turn: event.turn };
    case 'output':
      return { type: 'output', at, inc, turn: event.turn, kind: event.kind, data: jsonValue(event.data) };
    case 'ack':
      return { type: 'ack', at, inc, turn: event.turn, none: event.none };
    case 'result':
      return {
        type: 'result',
        at,
        inc,
        turn: event.turn,
        result: resultOf(event.result),
      };
    case 'retrying':
      return { type: 'output', at, inc, turn: event.turn, kind: 'notice', data: { retrying: event.failure } };
    case 'asked': {
      const { turn, request, ask, detail } = event;
      return { type: 'asked', at, inc, turn, request, verdict: null, data: { ...ask, detail: jsonValue(detail) } };
    }
    case 'withdrawn':
      return { type: 'withdrawn', at, inc, turn: event.turn, request: event.request };
    case 'switched':
      return { type: 'switched', at, inc, model: event.model, ok: event.ok };
    case 'steered':
      return { type: 'steered', at, inc, turn: event.turn, task: taskId(event.id), taken: event.taken };
    case 'unsolicited':
      return { type: 'unsolicited', at, inc, phase: event.phase, data: jsonValue(event.data) };
  }
}
