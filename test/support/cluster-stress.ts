/**
 * Nodes on one store, each with its own clock, under random commands through random nodes, deaths, false deaths, pauses and
 * drains.
 */
import { expect } from 'vitest';
import { functionDriver } from '../../src/agents/index.ts';
import { AppError } from '../../src/core/errors.ts';
import { leaseTimes } from '../../src/protocol/lease-times.ts';
import { createSignalbox, type Signalbox } from '../../src/runtime/index.ts';
import type { StoredEvent } from '../../src/store/port.ts';
import { type DiskStandby, MemoryDisk } from '../../src/store/memory/disk.ts';
import { type MemoryStore, openMemoryStore } from '../../src/store/memory/store.ts';
import { lateStore, shuffled } from '../../src/testing/store/late.ts';
import { expectSound, loopPasses } from './box.ts';
import { ManualClock } from './manual-clock.ts';

const ttlMs = 10_000;
const sessions = 6;

/** A linear congruential generator with the constants of Numerical Recipes. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface StressNode {
  readonly name: string;
  readonly box: Signalbox;
  readonly store: MemoryStore;
  readonly clock: ManualClock;
  /** Its clock stands still. */
  paused: boolean;
  /** Its signs of life do not get through. */
  cut: boolean;
  /** From then on its agents stand still, by the time of the test. */
  frozenAt: number;
  /** It was killed: nothing that it does counts. */
  killed: boolean;
  draining: boolean;
}

export class Stress {
  readonly disk = new MemoryDisk();
  readonly draw: (below: number) => number;
  readonly nodes: StressNode[] = [];
  readonly accepted = new Set<string>();
  readonly wrong: string[] = [];
  /** Tasks of a tail that is gone; to be told that one was accepted may come later. */
  readonly #forgotten = new Set<string>();
  #standby: DiskStandby | null = null;
  #eras = 0;
  /** Who has an agent in a turn of the session. */
  readonly #turns = new Map<string, Set<StressNode>>();
  readonly #late: boolean;
  #started = 0;
  #time = 0;

  constructor(seed: number, late: boolean) {
    this.draw = randomOf(seed);
    this.#late = late;
  }

  async start(): Promise<void> {
    this.#started += 1;
    const clock = new ManualClock();
    const name = `n${this.#started}`;
    const store = openMemoryStore({ disk: this.disk, shared: true });
    const node: { -readonly [K in keyof StressNode]?: StressNode[K] } = {};
    const box = createSignalbox({
      store: this.#late ? lateStore(store, shuffled(this.draw(1_000_000))) : store,
      agent: functionDriver((prompt, context) => this.#turn(node as StressNode, prompt, context.signal)),
      clock,
      random: () => this.draw(1_000_000_000) / 1_000_000_000,
      limits: { graceMs: 1_000 },
      node: {
        facts: { name, host: 'here', pid: 1, version: '1', labels: [] },
        times: leaseTimes(ttlMs),
        pollMs: 1_000,
        address: () => null,
        guard: {
          lease: ({ freezeAt }) => {
            node.frozenAt = this.#time + freezeAt - clock.now();
          },
          over: () => {},
          listen: () => () => {},
        },
      },
    });
    cutRenewals(store, () => node.cut === true);
    Object.assign(node, { name, box, store, clock, paused: false, cut: false, killed: false, draining: false });
    await box.ready;
    this.nodes.push(node as StressNode);
  }

  /** Its prompt is its session. It speaks a few times, and ends earlier when it is interrupted. */
  async *#turn(node: StressNode, prompt: string, signal: AbortSignal) {
    const session = /s\d+/.exec(prompt)?.[0] ?? '';
    const others = this.#turns.get(session) ?? new Set();
    this.#turns.set(session, others);
    for (const other of others) {
      if (other !== node && this.#runs(other) && this.#runs(node)) {
        this.wrong.push(`${session}: ${node.name} starts a turn while ${other.name} is in one`);
      }
    }
    others.add(node);
    try {
      for (let left = this.draw(6); left > 0 && !signal.aborted && !node.killed; left -= 1) {
        yield 'word ';
        await loopPasses(1 + this.draw(4));
      }
      return { text: 'done' };
    } finally {
      others.delete(node);
    }
  }

  /** Its agents do: the guard of a node freezes them when it cannot renew, and ends them before they are another's. */
  #runs({ killed, frozenAt }: StressNode): boolean {
    return !killed && this.#time < frozenAt;
  }

  get failovers(): number {
    return this.#eras;
  }

  get alive(): readonly StressNode[] {
    return this.nodes.filter(({ killed }) => !killed);
  }

  any<T>(list: readonly T[]): T | undefined {
    return list[this.draw(list.length)];
  }

  /** Not awaited: an answer may need time to go on. */
  submit(): void {
    const node = this.any(this.alive.filter(({ paused }) => !paused));
    const session = `s${this.draw(sessions)}`;
    const lane = this.any(['interactive', 'background', 'background'] as const) ?? 'background';
    node?.box.submit({ session, prompt: session, lane }).then(
      (answer) => {
        if (answer.kind === 'accepted' && !this.#forgotten.has(answer.task)) {
          this.accepted.add(answer.task);
        }
      },
      (error: unknown) => this.#expected(node, error),
    );
  }

  cancel(): void {
    const node = this.any(this.alive.filter(({ paused }) => !paused));
    const task = this.any([...this.accepted]);
    if (task !== undefined) {
      node?.box.cancel(task).catch((error: unknown) => this.#expected(node, error));
    }
  }

  /** Errors that say that nothing was done, and those of a node that was killed. */
  #expected(node: StressNode | undefined, error: unknown): void {
    const codes = ['owner_unreachable', 'session_moved', 'store_lost', 'closing'];
    // A letter that a failover has lost, or its reply.
    codes.push(...(this.#eras > 0 ? ['answer_lost'] : []));
    if (node?.killed !== true && !(error instanceof AppError && codes.includes(error.code))) {
      this.wrong.push(`${node?.name}: ${String(error)}`);
    }
  }

  async act(): Promise<void> {
    const what = this.draw(100);
    const node = this.any(this.alive);
    if (what < 45) {
      this.submit();
    } else if (what < 55) {
      this.cancel();
    } else if (what < 58 && node !== undefined && this.alive.length > 1) {
      node.store.crash();
      node.killed = true;
      await this.start();
    } else if (what < 61 && node !== undefined) {
      node.cut = true;
    } else if (what < 64 && node !== undefined && this.alive.filter(({ paused }) => !paused).length > 1) {
      node.paused = true;
    } else if (what < 70) {
      const paused = this.alive.find((one) => one.paused);
      if (paused !== undefined) {
        paused.paused = false;
      }
      const cut = this.alive.find((one) => one.cut);
      if (cut !== undefined) {
        cut.cut = false;
      }
    } else if (what < 73 && node !== undefined) {
      node.draining = !node.draining;
      void this.any(this.alive)
        ?.box.drain(node.name, node.draining)
        .catch(() => {});
    }
    await this.pass(this.draw(2_000));
  }

  /** The standby gets all there is, or takes over without what came since. */
  async failOver(): Promise<void> {
    if (this.#standby === null || this.draw(3) > 0) {
      this.#standby = this.disk.standby();
    } else {
      this.#eras += 1;
      const before = [...this.disk.tasks.keys()];
      this.disk.failOver(this.#standby, `era ${this.#eras}`);
      for (const task of before.filter((id) => !this.disk.tasks.has(id))) {
        this.accepted.delete(task);
        this.#forgotten.add(task);
      }
      this.#standby = null;
    }
    await this.pass(this.draw(500));
  }

  async pass(ms: number): Promise<void> {
    this.#time += ms;
    for (const { clock, paused, killed } of this.nodes) {
      if (!paused && !killed) {
        clock.advance(ms);
      }
    }
    await loopPasses(1 + this.draw(6));
  }

  /** Everything awake, nothing drains, and time goes on until all that was accepted has ended. */
  async settle(): Promise<void> {
    for (const node of this.alive) {
      node.paused = false;
      node.cut = false;
      if (node.draining) {
        node.draining = false;
        void node.box.drain(node.name, false).catch(() => {});
      }
    }
    for (let round = 0; round < 600; round += 1) {
      await this.pass(500);
      const open = await Promise.all([...this.accepted].map(async (task) => (await this.reader.task(task))?.endedAt));
      if (round > 60 && open.every((ended) => ended !== null && ended !== undefined)) {
        return;
      }
    }
  }

  get reader(): Signalbox {
    const [node] = this.alive;
    if (node === undefined) {
      throw new Error('a node is alive');
    }
    return node.box;
  }

  async close(): Promise<void> {
    const clocks = this.alive.map(({ clock }) => clock);
    const closed = Promise.all(this.alive.map(({ box }) => box.close({ graceMs: 0 })));
    let open = true;
    void closed.finally(() => {
      open = false;
    });
    while (open) {
      clocks.forEach((clock) => clock.advance(1_000));
      await loopPasses(2);
    }
    await closed;
  }
}

function cutRenewals({ nodes }: MemoryStore, isCut: () => boolean): void {
  if (nodes !== null) {
    const renew = nodes.renew.bind(nodes);
    nodes.renew = (...given) => {
      if (isCut()) {
        throw new AppError({ code: 'store_unreachable', message: 'the test has cut the node off' });
      }
      return renew(...given);
    };
  }
}

function expectGrowingEpochs(tape: readonly StoredEvent[]): void {
  const epochs = tape.flatMap((event) =>
    event.type === 'granted' || event.type === 'resumed' ? [Number(event.data.epoch)] : [],
  );
  expect(epochs).toEqual(epochs.toSorted((one, other) => one - other));
  expect(new Set(epochs).size).toBe(epochs.length);
}

/** All that was accepted has ended once, and nothing waits. */
export async function expectNothingLost(stress: Stress): Promise<void> {
  expect(stress.wrong).toEqual([]);
  for (const task of stress.accepted) {
    const stored = await stress.reader.task(task);
    expect(stored).not.toBeNull();
    if (stored !== null) {
      expect(`${task} ${stored.endedAt === null ? 'is open' : 'has ended'}`).toBe(`${task} has ended`);
      const tape = await stress.reader.tape(stored.session, task, 0, 100_000);
      expectSound(stored, tape);
      expectGrowingEpochs(tape);
    }
  }
  expect(stress.disk.letters.size).toBe(0);
}
