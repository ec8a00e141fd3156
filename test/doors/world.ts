/** A real runtime on a real SQLite file, whose answers a door carries out, in time that the test moves. */
import { expect } from 'vitest';
import type { AgentDriver } from '../../src/agents/port.ts';
import type { Clock } from '../../src/runtime/index.ts';
import { Outgoing } from '../../src/runtime/outbox/outgoing.ts';
import type { Door } from '../../src/runtime/outbox/door.ts';
import { noFaults } from '../../src/store/faults.ts';
import type { OutboxRow } from '../../src/store/outbox.ts';
import { type Box, loopPasses, openBox } from '../support/box.ts';
import { echo } from './echo.ts';

/** Stands still until the test moves it. It begins after the events of the test. */
class OutgoingClock implements Clock {
  #now = Date.now() + 60_000;
  readonly #timers = new Set<{ readonly at: number; readonly fire: () => void }>();

  wall = (): number => this.#now;
  now = (): number => this.#now;
  soon = (run: () => void): void => void loopPasses(1).then(run);

  timer(ms: number, fire: () => void): () => void {
    const timer = { at: this.#now + ms, fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** To the next timer, and no further than `end`. False: none is before that. */
  step(end: number): boolean {
    const [next] = [...this.#timers].toSorted((a, b) => a.at - b.at);
    if (next === undefined || next.at > end) {
      this.#now = end;
      return false;
    }
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.at);
    next.fire();
    return true;
  }
}

/** Of the sender that was given nothing else. */
const worldLimits = { maxAgeMs: 86_400_000, settleMs: 30_000, keepMs: 864_000_000 };
/** After so many passes without a request under way nothing is left to do before time goes on. */
const quietPasses = 12;

export interface World extends AsyncDisposable {
  readonly box: Box;
  readonly clock: OutgoingClock;
  /** Of the sender. */
  readonly errors: readonly unknown[];
  /** Ended tasks, one after the other in one session or each in its own. */
  tasks(count: number, text?: (n: number) => string): Promise<readonly string[]>;
  rows(): Promise<readonly OutboxRow[]>;
  /** The states of all rows, oldest first. */
  states(): Promise<readonly string[]>;
  /** Until nothing is left to do without time. */
  quiet(): Promise<void>;
  /** As far as `ms`, with all that happens on the way. */
  pass(ms: number): Promise<void>;
  wake(): void;
}

export async function openWorld(
  doors: readonly Door[],
  {
    senders = 1,
    limits = {},
    agent = echo,
  }: { readonly senders?: number; readonly limits?: Partial<typeof worldLimits>; readonly agent?: AgentDriver } = {},
): Promise<World> {
  const box = await openBox({ agent });
  const clock = new OutgoingClock();
  const errors: unknown[] = [];
  let underWay = 0;
  const counted = doors.map((door): Door => ({
    ...door,
    async send(message, at, signal) {
      underWay += 1;
      try {
        return await door.send(message, at, signal);
      } finally {
        underWay -= 1;
      }
    },
  }));
  const all = Array.from({ length: senders }, () => makeOutgoing(box, counted, { clock, errors, limits }));
  await Promise.all(all.map((one) => one.start()));
  const rows = async () => (await box.box.store.outbox.list({}, null, 1_000)).items.toReversed();
  const quiet = async (): Promise<void> => {
    for (let still = 0; still < quietPasses; still = underWay === 0 ? still + 1 : 0) {
      await loopPasses(1);
    }
  };
  return {
    box,
    clock,
    errors,
    rows,
    quiet,
    states: async () => (await rows()).map(({ state }) => state),
    async tasks(count, text = (n) => `answer ${n}`) {
      const ids: string[] = [];
      for (let n = 1; n <= count; n += 1) {
        ids.push(await box.send({ session: `door:${n}`, prompt: text(n) }));
        expect((await box.ended(ids.at(-1) ?? '')).status).toBe('completed');
      }
      return ids;
    },
    async pass(ms) {
      const end = clock.now() + ms;
      await quiet();
      while (clock.step(end)) {
        await quiet();
      }
    },
    wake: () => all.forEach((one) => one.wake()),
    async [Symbol.asyncDispose]() {
      const closed = Promise.all(all.map((one) => one.close()));
      clock.step(clock.now() + 2_000);
      await closed;
      await box[Symbol.asyncDispose]();
    },
  };
}

const makeOutgoing = (
  { box }: Box,
  doors: readonly Door[],
  {
    clock,
    errors,
    limits,
  }: { readonly clock: Clock; readonly errors: unknown[]; readonly limits: Partial<typeof worldLimits> },
): Outgoing =>
  new Outgoing({
    store: box.store,
    listen: (tape, listener) => box.listen(tape, listener),
    doors,
    limits: { ...worldLimits, ...limits },
    clock,
    random: () => 0.5,
    faults: noFaults,
    onError: (error) => errors.push(error),
  });
