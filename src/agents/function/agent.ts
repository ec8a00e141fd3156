/**
 * One agent that is a function, as a handle of the port.
 *
 * Owns: at most one running turn. No timers but the grace of a kill.
 * Invariants:
 *  function-agent/1 Nothing is emitted from within a method: a microtask carries it.
 *  function-agent/2 After `exited` nothing is emitted. What a generator still yields then is dropped and counted, and the
 *                   generator is returned at that point.
 *  function-agent/3 A function cannot be killed. One that ignores its signal is abandoned, and `exited` says so; the daemon
 *                   goes on.
 *  function-agent/4 A generator that never waits cannot starve the loop: after every `breathEvery` yields the loop turns
 *                   once.
 */
import { randomUUID } from 'node:crypto';
import type { TurnId } from '../../core/model/ids.ts';
// Not by the layer's front door: a worker thread loads this file too, and should load little with it.
import { realTimers } from '../../supervise/timers.ts';
import type { AgentEvent, AgentHandle, AgentStart } from '../port.ts';
import type { AgentFunction, FunctionDriverOptions } from './options.ts';
import type { Decision } from './permissions.ts';
import { FunctionTurn } from './turn.ts';

export class FunctionAgent implements AgentHandle {
  readonly #run: AgentFunction;
  readonly #options: FunctionDriverOptions;
  readonly #start: AgentStart;
  /** Of all agents of the driver. */
  readonly #late: { dropped: number };
  readonly #conversation: string;
  #model: string | null;
  #turn: FunctionTurn | null = null;
  /** Why it ends; null until its end has begun. */
  #ending: 'closed' | 'killed' | null = null;
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
    const caps = {
      acks: true,
      steer: options.steer !== undefined,
      rewind: options.rewind === true,
      models: options.models !== undefined,
      keepsPrompts: options.keepsPrompts === true,
    };
    const lost = wanted !== null && !known;
    queueMicrotask(() =>
      this.#emit({ type: 'ready', caps, conversation: this.#conversation, conversationReset: lost }),
    );
  }

  prompt(id: TurnId, text: string, { rewind }: { readonly rewind: TurnId | null }): void {
    if (this.#ending !== null) {
      return;
    }
    const { breathEvery, breathe } = this.#options;
    const turn = new FunctionTurn({
      start: this.#start,
      conversation: this.#conversation,
      turn: id,
      rewind,
      model: this.#model,
      emit: (event) => this.#emit(event),
      ...(breathEvery === undefined ? {} : { breathEvery }),
      ...(breathe === undefined ? {} : { breathe }),
    });
    this.#turn = turn;
    queueMicrotask(() => void this.#take(turn, text));
  }

  interrupt(id: TurnId): void {
    queueMicrotask(() => {
      const turn = this.#turnOf(id);
      // The ack goes before the abort, which the generator may answer at once.
      this.#emit({ type: 'ack', turn: id, noResult: turn === null });
      turn?.interrupt();
    });
  }

  steer(id: TurnId, message: string, text: string): void {
    queueMicrotask(() => {
      const turn = this.#turnOf(id);
      const taken = turn !== null && this.#steerInto(turn, text);
      this.#emit({ type: 'steered', turn: id, id: message, delivered: taken });
    });
  }

  respond(id: TurnId, request: string, decision: Decision): void {
    this.#turnOf(id)?.permissions.respond(request, decision);
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

  #turnOf(id: TurnId): FunctionTurn | null {
    return this.#turn?.id === id ? this.#turn : null;
  }

  #steerInto(turn: FunctionTurn, text: string): boolean {
    try {
      return this.#options.steer?.(text, turn.context) ?? false;
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

  async #take(turn: FunctionTurn, text: string): Promise<void> {
    this.#emit({ type: 'started', turn: turn.id });
    const result = await turn.run(this.#run, text);
    if (this.#turn === turn) {
      this.#turn = null;
    }
    this.#emit({ type: 'result', turn: turn.id, result });
    if (this.#ending !== null) {
      this.#finish(false);
    }
  }

  #end(reason: 'closed' | 'killed'): void {
    if (this.#ending !== null) {
      return;
    }
    this.#ending = reason;
    queueMicrotask(() => {
      if (this.#turn === null) {
        this.#finish(false);
        return;
      }
      const { timers = realTimers, killGraceMs = 100 } = this.#options;
      this.#cancelGrace = timers.set(killGraceMs, () => this.#finish(true));
      this.#turn.interrupt();
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
