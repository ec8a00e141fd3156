/**
 * How many agents may run, and start, at once, over all sessions. Owned by one runtime.
 *
 *  pool/1 At most `maxAgents` slots are taken, and at most `maxStarting` of them are starting.
 *  pool/2 Sessions whose owner is interactive are served first, else in the order they asked.
 *  pool/3 While a session waits for a slot, the session of the agent that has been idle longest is asked to end it, and then
 *         each session whose agent becomes idle.
 *  pool/4 A start counts until its agent is ready or gone, at most `startShareMs`: a start that hangs delays the others no
 *         longer.
 *  pool/5 A slot is given back once, when its agent is gone.
 *
 * An agent needs most processor time while it starts. If all start at once, none is ready in time, and the agents that are in
 * a turn wait for a processor too: 200 sessions on two cores made urgent turns 30 s late.
 */
import type { Clock } from '../clock.ts';

/** More than the longest start of the five clients of `e2e` on an idle machine, 1.7 s. */
export const startShareMs = 2_000;

export interface SlotOwner {
  /** Its agent is started for an interactive task. */
  urgent(): boolean;
  /** Ask the session to close its idle agent. */
  makeRoom(): void;
}

interface PoolLimits {
  readonly maxAgents: number;
  readonly maxStarting: number;
}

export class Slot {
  readonly owner: SlotOwner;
  readonly start: () => void;
  /** Monotonic ms since when its agent is idle; null during a turn. */
  idleSince: number | null = null;
  asked = false;

  constructor(owner: SlotOwner, start: () => void) {
    this.owner = owner;
    this.start = start;
  }
}

export class AgentPool {
  readonly #limits: PoolLimits;
  readonly #clock: Clock;
  readonly #taken = new Set<Slot>();
  readonly #waiting = new Set<Slot>();
  /** Those of `#taken` that are starting, with what ends their wait for their share. */
  readonly #starting = new Map<Slot, () => void>();

  constructor(limits: PoolLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get running(): number {
    return this.#taken.size;
  }

  /** Calls `start` at once if there is room, else as soon as there is. */
  take(owner: SlotOwner, start: () => void): Slot {
    const slot = new Slot(owner, start);
    this.#waiting.add(slot);
    this.#serve();
    return slot;
  }

  /** What the slot waits for, as text for a person; null: it is granted. */
  waitsFor(slot: Slot): string | null {
    if (!this.#waiting.has(slot)) {
      return null;
    }
    const { maxAgents, maxStarting } = this.#limits;
    return this.#taken.size >= maxAgents
      ? `room among the agents that run (limits.maxAgents: ${maxAgents})`
      : `its turn to start (limits.maxStarting: ${maxStarting})`;
  }

  /** Its agent has started. */
  ready(slot: Slot): void {
    const cancel = this.#starting.get(slot);
    if (cancel === undefined) {
      return;
    }
    cancel();
    this.#starting.delete(slot);
    this.#serve();
  }

  idle(slot: Slot, since: number): void {
    slot.idleSince = since;
    slot.asked = false;
    this.#serve();
  }

  busy(slot: Slot): void {
    slot.idleSince = null;
  }

  /** Also for a slot that still waits: it is then never started. */
  give(slot: Slot): void {
    this.#waiting.delete(slot);
    this.#taken.delete(slot);
    this.#starting.get(slot)?.();
    this.#starting.delete(slot);
    this.#serve();
  }

  #serve(): void {
    for (let next = this.#next(); next !== null; next = this.#next()) {
      if (this.#taken.size >= this.#limits.maxAgents) {
        this.#askForRoom();
        return;
      }
      if (this.#starting.size >= this.#limits.maxStarting) {
        return;
      }
      const slot = next;
      this.#waiting.delete(slot);
      this.#taken.add(slot);
      this.#starting.set(
        slot,
        this.#clock.timer(startShareMs, () => this.ready(slot)),
      );
      slot.start();
    }
  }

  #next(): Slot | null {
    let first: Slot | null = null;
    for (const slot of this.#waiting) {
      if (slot.owner.urgent()) {
        return slot;
      }
      first ??= slot;
    }
    return first;
  }

  #askForRoom(): void {
    let asked = 0;
    let longest: Slot | null = null;
    for (const slot of this.#taken) {
      asked += slot.asked && slot.idleSince !== null ? 1 : 0;
      if (!slot.asked && slot.idleSince !== null && (longest === null || slot.idleSince < (longest.idleSince ?? 0))) {
        longest = slot;
      }
    }
    if (longest !== null && asked < this.#waiting.size) {
      longest.asked = true;
      longest.owner.makeRoom();
    }
  }
}
