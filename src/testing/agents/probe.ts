/**
 * Watches one agent for a test: keeps every event in order, resolves the waits for them, and notes each breach of the
 * port's rules (agent-port/1 to agent-port/3, that nothing is emitted from within a method, and the rules of output, `output-rules.ts`).
 */
import type { OutputPart } from '../../core/model/output.ts';
import assert from 'node:assert/strict';
import { type Incarnation, type TurnId, incarnation, sessionKey, turnId } from '../../core/model/ids.ts';
import type { Timers } from '../../supervise/index.ts';
import { processInfo, realTimers } from '../../supervise/index.ts';
import type { AgentDriver, AgentEvent, AgentHandle, AgentStart } from '../../agents/port.ts';
import { OutputRules } from './output-rules.ts';

export type EventOf<T extends AgentEvent['type']> = Extract<AgentEvent, { type: T }>;
type Identity = Parameters<AgentStart['onProcess']>[0];

export interface ProbeOptions {
  readonly session?: string;
  readonly incarnation?: number;
  readonly conversation?: string | null;
  readonly model?: string | null;
  readonly folder?: string | null;
  /** How long a wait may take before it fails with what has come instead. Default 20,000. */
  readonly deadlineMs?: number;
  readonly timers?: Timers;
}

export class AgentProbe {
  readonly events: AgentEvent[] = [];
  readonly breaches: string[] = [];
  readonly identities: Identity[] = [];
  readonly #options: ProbeOptions;
  readonly #handle: AgentHandle;
  readonly #waiters = new Set<() => void>();
  readonly #output = new OutputRules((breach) => this.breaches.push(breach));
  #inMethod = false;

  constructor(driver: AgentDriver, options: ProbeOptions = {}) {
    this.#options = options;
    const start: AgentStart = {
      session: sessionKey(options.session ?? 'contract'),
      incarnation: this.incarnation,
      conversation: options.conversation ?? null,
      model: options.model ?? null,
      folder: options.folder ?? null,
      emit: (event) => this.#take(event),
      onProcess: (identity) => this.identities.push(identity),
    };
    this.#handle = this.#guarded(() => driver.start(start));
  }

  get incarnation(): Incarnation {
    return incarnation(this.#options.incarnation ?? 1);
  }

  prompt(turn: number, text: string, rewind: number | null = null): void {
    this.#guarded(() => this.#handle.prompt(turnId(turn), text, { rewind: rewind === null ? null : turnId(rewind) }));
  }

  interrupt(turn: number): void {
    this.#guarded(() => this.#handle.interrupt(turnId(turn)));
  }

  steer(turn: number, id: string, text: string): void {
    this.#guarded(() => this.#handle.steer(turnId(turn), id, text));
  }

  respond(turn: number, request: string, allow: boolean, note: string | null = null): void {
    this.#guarded(() => this.#handle.respond(turnId(turn), request, { allow, note }));
  }

  switchModel(model: string | null): void {
    this.#guarded(() => this.#handle.switchModel(model));
  }

  close(): void {
    this.#guarded(() => this.#handle.close());
  }

  kill(): void {
    this.#guarded(() => this.#handle.kill());
  }

  of<T extends AgentEvent['type']>(type: T): readonly EventOf<T>[] {
    return this.events.filter((event): event is EventOf<T> => event.type === type);
  }

  /** Parts of one kind, of all turns. */
  parts<K extends OutputPart['kind']>(kind: K): readonly Extract<OutputPart, { kind: K }>[] {
    return this.of('output')
      .map(({ part }) => part)
      .filter((part): part is Extract<OutputPart, { kind: K }> => part.kind === kind);
  }

  /** Output text of one turn, joined. */
  text(turn: number): string {
    return this.of('output')
      .map((event) => (event.turn === turn && event.part.kind === 'text' ? event.part.text : ''))
      .join('');
  }

  ready(): Promise<EventOf<'ready'>> {
    return this.first('ready', () => true);
  }

  result(turn: number): Promise<EventOf<'result'>> {
    return this.first('result', (event) => event.turn === turn);
  }

  started(turn: number): Promise<EventOf<'started'>> {
    return this.first('started', (event) => event.turn === turn);
  }

  exited(): Promise<EventOf<'exited'>> {
    return this.first('exited', () => true);
  }

  output(turn: number | null): Promise<EventOf<'output'>> {
    return this.first('output', (event) => event.turn === turn);
  }

  /** The first event of that type that fits, now or later. Rejects when the agent ends before, or at the deadline. */
  async first<T extends AgentEvent['type']>(type: T, fits: (event: EventOf<T>) => boolean): Promise<EventOf<T>> {
    for (;;) {
      const found = this.of(type).find(fits);
      if (found !== undefined) {
        return found;
      }
      // Written out only where it is needed: thousands of events may come before the awaited one.
      if (this.of('exited').length > 0) {
        assert.fail(`the agent ended without the awaited ${type}\n${this.transcript()}`);
      }
      await this.#next(type);
    }
  }

  /** Resolves when `holds` does; asked after every event. */
  async until(what: string, holds: () => boolean): Promise<void> {
    while (!holds()) {
      await this.#next(what);
    }
  }

  transcript(): string {
    return this.events.map((event) => JSON.stringify(event).slice(0, 300)).join('\n');
  }

  /** Ends the agent if it still lives, and asserts that it kept the rules and that no process of its is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.exited();
    assert.deepEqual(this.breaches, [], this.transcript());
    for (const { pid, startTime } of this.identities) {
      const now = processInfo(pid);
      assert.ok(now === null || now.startTime !== startTime, `process ${pid} is not reaped`);
    }
  }

  #guarded<T>(method: () => T): T {
    this.#inMethod = true;
    try {
      return method();
    } finally {
      this.#inMethod = false;
    }
  }

  #take(event: AgentEvent): void {
    if (this.#inMethod) {
      this.breaches.push(`${event.type} was emitted from within a method`);
    }
    if (this.of('exited').length > 0) {
      this.breaches.push(`${event.type} came after exited`);
    }
    if (event.type === 'started' && this.#hasStarted(event.turn)) {
      this.breaches.push(`turn ${event.turn} started twice`);
    }
    this.#output.take(event);
    this.events.push(event);
    for (const wake of this.#waiters) {
      wake();
    }
  }

  #hasStarted(turn: TurnId): boolean {
    return this.of('started').some((event) => event.turn === turn);
  }

  #next(what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        cancel();
        this.#waiters.delete(wake);
        resolve();
      };
      const cancel = (this.#options.timers ?? realTimers).set(this.#options.deadlineMs ?? 20_000, () => {
        this.#waiters.delete(wake);
        reject(new assert.AssertionError({ message: `no ${what} came; the events were\n${this.transcript()}` }));
      });
      this.#waiters.add(wake);
    });
  }
}
