/**
 * Carries messages out: reads the feed from its durable position, makes rows of what the doors want to tell, and sends the rows that are due.
 *
 * Owned by the daemon; only where a door is configured. Owns: its timers, its subscription, and the requests under way. What is to be sent
 * and what became of it is in the store alone; the rules are in `decide.ts`.
 *  outgoing/1 The position moves with the rows that the events up to it make, in one transaction; events are read again until it does.
 *  outgoing/2 A row is `sending`, durably, before the first byte of its request leaves; of several nodes one does that.
 *  outgoing/3 At most `maxRequests` requests are under way, and the store gives out one of an address at a time.
 *  outgoing/4 Nothing is looked for by the clock alone but what waits for a time, what other nodes have left, and what has become old.
 *  outgoing/5 A fault of the store or of a door ends nothing: it is reported, and tried again after a while.
 */
import type { Faults } from '../../store/faults.ts';
import type { OutboxIntent, OutboxOutcome, OutboxRow } from '../../store/outbox.ts';
import type { FeedPosition, Store } from '../../store/port.ts';
import type { Following } from '../api.ts';
import type { Clock } from '../clock.ts';
import { afterLookUp, afterSend, isSettled, nextStep, type Moment, type OutgoingLimits } from './decide.ts';
import type { Door, OutgoingMessage, SendResult } from './door.ts';

/** Where the kill tests strike, in the order a message passes them. */
export const outgoingFaultPoints = [
  'outgoing.before-advance',
  'outgoing.after-advance',
  'outgoing.after-begin',
  'outgoing.after-send',
  'outgoing.after-settle',
] as const;

type FaultPoint = (typeof outgoingFaultPoints)[number];

export interface OutgoingParts {
  readonly store: Pick<Store, 'outbox' | 'feed' | 'feedEnd' | 'tape' | 'task' | 'nodes'>;
  readonly listen: Following['listen'];
  readonly doors: readonly Door[];
  readonly limits: OutgoingLimits & {
    /** How long what has ended is kept. */
    readonly keepMs: number;
  };
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly faults: Faults;
  readonly onError: (error: unknown, where: string) => void;
}

/** One feed, one position. */
const consumer = 'outbox';
const pageSize = 500;
const maxRequests = 8;
/** A request for permission that is decided later than so many events is told all the same. */
const laterEvents = 200;
const retryMs = 1_000;
/** How often rows of other nodes are looked for, where the store is shared. */
const sharedPollMs = 10_000;
const tidyMs = 3_600_000;
const tidyRows = 1_000;
/** Requests under way at the end may take so long. */
const closeGraceMs = 2_000;

export class Outgoing {
  readonly #parts: OutgoingParts;
  readonly #doors: ReadonlyMap<string, Door>;
  readonly #types: ReadonlySet<string>;
  readonly #end = new AbortController();
  readonly #busy = new Map<string, Promise<void>>();
  /** Null: it has to be asked of the store. `read` is ahead of `durable` by events that make no row. */
  #position: { durable: FeedPosition | null; read: FeedPosition | null } | null = null;
  #feedMoved = true;
  #running: Promise<void> | null = null;
  #again = false;
  #closed = false;
  #stopListening = (): void => {};
  readonly #timers = new Map<'due' | 'retry' | 'poll' | 'tidy', () => void>();

  constructor(parts: OutgoingParts) {
    this.#parts = parts;
    this.#doors = new Map(parts.doors.map((door) => [door.name, door]));
    this.#types = new Set(parts.doors.flatMap((door) => [...door.types]));
  }

  /** From the end of the feed, where it was never started before. */
  async start(): Promise<void> {
    const { store, listen } = this.#parts;
    await this.#load();
    this.#stopListening = listen({ all: true }, (events) => {
      if (events.some(({ type }) => this.#types.has(type))) {
        this.#feedMoved = true;
        this.wake();
      }
    });
    await this.#tidy();
    if (store.nodes !== null) {
      this.#poll();
    }
    this.wake();
  }

  /** There may be something to send. */
  wake(): void {
    this.#again = true;
    if (this.#running === null && !this.#closed) {
      this.#running = this.#run().finally(() => {
        this.#running = null;
        if (this.#again) {
          this.wake();
        }
      });
    }
  }

  /** Requests under way have a moment to end; what becomes of others is known at the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopListening();
    for (const cancel of this.#timers.values()) {
      cancel();
    }
    const cancel = this.#parts.clock.timer(closeGraceMs, () => this.#end.abort());
    await this.#running;
    await Promise.all(this.#busy.values());
    cancel();
  }

  get #moment(): Moment {
    return { now: this.#parts.clock.wall(), random: this.#parts.random() };
  }

  async #load(): Promise<void> {
    const { store } = this.#parts;
    const durable = await store.outbox.start(consumer, await store.feedEnd(null));
    this.#position = { durable, read: durable };
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        await this.#consume();
        await this.#launch();
      }
    } catch (error) {
      this.#position = null;
      this.#feedMoved = true;
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#again = false;
    this.#parts.onError(error, 'outbox');
    this.#arm('retry', retryMs, () => this.wake());
  }

  #arm(name: 'due' | 'retry' | 'poll' | 'tidy', ms: number, fire: () => void): void {
    this.#timers.get(name)?.();
    if (!this.#closed) {
      this.#timers.set(name, this.#parts.clock.timer(ms, fire));
    }
  }

  async #consume(): Promise<void> {
    while (this.#feedMoved && !this.#closed) {
      this.#feedMoved = false;
      if (this.#position === null) {
        await this.#load();
      }
      while (await this.#page()) {
        // The next page.
      }
    }
  }

  /** False: there are no more events. */
  async #page(): Promise<boolean> {
    const { store, doors } = this.#parts;
    const position = this.#position;
    if (position === null || this.#closed) {
      return false;
    }
    const events = await store.feed(null, position.read, pageSize);
    const to = events.at(-1)?.position;
    if (to === undefined) {
      return false;
    }
    const rows = doors.flatMap((door) => door.plan(events));
    if (rows.length === 0 && events.length < pageSize) {
      position.read = to;
      return true;
    }
    await this.#advance(position.durable, to, rows);
    return true;
  }

  async #advance(from: FeedPosition | null, to: FeedPosition, rows: readonly OutboxIntent[]): Promise<void> {
    this.#at('outgoing.before-advance');
    if (await this.#parts.store.outbox.advance(consumer, from, to, rows)) {
      this.#at('outgoing.after-advance');
      this.#position = { durable: to, read: to };
    } else {
      // Another node was faster.
      await this.#load();
    }
  }

  async #launch(): Promise<void> {
    const { store, clock } = this.#parts;
    const free = maxRequests - this.#busy.size;
    if (free <= 0 || this.#closed) {
      return;
    }
    const { rows, next } = await store.outbox.due([...this.#doors.keys()], clock.wall(), maxRequests + free);
    for (const row of rows.filter(({ id }) => !this.#busy.has(id)).slice(0, free)) {
      this.#busy.set(row.id, this.#take(row));
    }
    if (next !== null) {
      this.#arm('due', Math.max(1, next - clock.wall()), () => this.wake());
    }
  }

  async #take(row: OutboxRow): Promise<void> {
    try {
      await this.#handle(row);
      this.#busy.delete(row.id);
      this.wake();
    } catch (error) {
      this.#busy.delete(row.id);
      this.#failed(error);
    }
  }

  async #handle(row: OutboxRow): Promise<void> {
    const door = this.#doors.get(row.door);
    if (door === undefined) {
      return;
    }
    const step = nextStep(row, door.repeats, this.#moment, this.#parts.limits);
    if (typeof step !== 'string') {
      await this.#settle(row, step);
      return;
    }
    const message = await this.#message(row);
    if (message === null) {
      await this.#settle(row, { state: 'expired', at: this.#moment.now, problem: 'it has been settled meanwhile' });
    } else if (step === 'look-up') {
      await this.#lookUp(door, message);
    } else {
      await this.#send(door, message);
    }
  }

  /** Null: there is nothing left to tell. */
  async #message(row: OutboxRow): Promise<OutgoingMessage | null> {
    const { store } = this.#parts;
    const task = row.task === null ? null : await store.task(row.task);
    if (row.data !== null) {
      return { row, event: null, task };
    }
    const [event, ...after] = await store.tape(row.session, row.task, row.seq - 1, laterEvents);
    return event === undefined || isSettled(event, after) ? null : { row, event, task };
  }

  async #send(door: Door, message: OutgoingMessage): Promise<void> {
    const { store, limits } = this.#parts;
    const { id, version } = message.row;
    const { now } = this.#moment;
    // A second copy that is known as one needs no settle time, should this daemon end meanwhile.
    const settled = door.repeats.by === 'key' ? now : now + door.timeoutMs + limits.settleMs;
    const row = await store.outbox.begin(id, version, now, settled);
    if (row === null) {
      return;
    }
    this.#at('outgoing.after-begin');
    const result = await this.#inTime(door, (signal) => door.send({ ...message, row }, now, signal)).catch(
      (error: unknown): SendResult => {
        this.#parts.onError(error, `door ${door.name}`);
        return { kind: 'unknown', problem: 'its door failed', retryAfterMs: null, wholeScope: false };
      },
    );
    this.#at('outgoing.after-send');
    await this.#settle(row, afterSend(row, result, door.repeats, this.#moment, limits));
    this.#at('outgoing.after-settle');
  }

  async #lookUp(door: Door, message: OutgoingMessage): Promise<void> {
    const { repeats } = door;
    if (repeats.by === 'look-up') {
      const result = await this.#inTime(door, (signal) => repeats.lookUp(message, signal));
      await this.#settle(message.row, afterLookUp(message.row, result, this.#moment, this.#parts.limits));
    }
  }

  async #inTime<T>({ timeoutMs }: Door, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController();
    const cancel = this.#parts.clock.timer(timeoutMs, () => late.abort());
    try {
      return await work(AbortSignal.any([late.signal, this.#end.signal]));
    } finally {
      cancel();
    }
  }

  async #settle(row: OutboxRow, outcome: OutboxOutcome): Promise<void> {
    const waits = outcome.state === 'unclear' && outcome.heldUntil === null;
    const more = waits ? this.#parts.doors.flatMap((door) => door.planUnclear(row, outcome.problem, outcome.at)) : [];
    while (!(await this.#settled(row, outcome, more))) {
      await this.#retryTime();
    }
  }

  /** A row that was sent must not stay `sending` because the store failed for a moment. Throws only when the daemon closes. */
  async #settled(row: OutboxRow, outcome: OutboxOutcome, more: readonly OutboxIntent[]): Promise<boolean> {
    try {
      await this.#parts.store.outbox.settle(row.id, row.version, outcome, more);
      return true;
    } catch (error) {
      if (this.#end.signal.aborted) {
        throw error;
      }
      this.#parts.onError(error, 'outbox');
      return false;
    }
  }

  async #retryTime(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.clock.timer(retryMs, resolve);
      this.#end.signal.addEventListener('abort', () => (cancel(), resolve()), { once: true });
    });
  }

  #at(point: FaultPoint): void {
    this.#parts.faults.at(point);
  }

  /** What a dead node has left, and what came or was resent through another one. */
  #poll(): void {
    this.#arm('poll', sharedPollMs, () => {
      this.#feedMoved = true;
      void this.#whole(async () => {
        await this.#parts.store.outbox.recover(this.#moment.now);
        this.wake();
      });
      this.#poll();
    });
  }

  async #tidy(): Promise<void> {
    const { store, limits } = this.#parts;
    const { now } = this.#moment;
    await store.outbox.recover(now);
    await store.outbox.expire(now - limits.maxAgeMs, now);
    while ((await store.outbox.prune(now - limits.keepMs, tidyRows)) === tidyRows) {
      // There may be more.
    }
    this.#arm('tidy', tidyMs, () => void this.#whole(() => this.#tidy()));
  }

  async #whole(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#parts.onError(error, 'outbox');
      this.#arm('tidy', tidyMs, () => void this.#whole(() => this.#tidy()));
    }
  }
}
