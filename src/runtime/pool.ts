/**
 * How many agents may run at once, over all sessions. Owned by one runtime.
 *
 *  P-1 At most `max` slots are taken; a session that waits for one is served in the order it asked.
 *  P-2 While somebody waits, the agent that has been at rest longest is asked to make room, and each next one that comes to rest.
 *  P-3 A slot is given back once, when its agent is gone.
 */
export interface SlotOwner {
  /** Ask the session to close its agent, which is at rest. */
  makeRoom(): void;
}

interface Slot {
  readonly owner: SlotOwner;
  readonly start: () => void;
  /** Monotonic ms since when its agent is at rest; null while it works. */
  restSince: number | null;
  asked: boolean;
  state: 'waiting' | 'taken' | 'free';
}

export class AgentPool {
  readonly #max: number;
  readonly #taken = new Set<Slot>();
  readonly #waiting = new Set<Slot>();

  constructor(max: number) {
    this.#max = max;
  }

  get running(): number {
    return this.#taken.size;
  }

  /** Calls `start` at once if there is room, else as soon as there is. */
  take(owner: SlotOwner, start: () => void): Slot {
    const slot: Slot = { owner, start, restSince: null, asked: false, state: 'waiting' };
    this.#waiting.add(slot);
    this.#serve();
    return slot;
  }

  rests(slot: Slot, since: number): void {
    slot.restSince = since;
    slot.asked = false;
    this.#serve();
  }

  works(slot: Slot): void {
    slot.restSince = null;
  }

  /** Also for a slot that still waits: it is then never started. */
  give(slot: Slot): void {
    slot.state = 'free';
    this.#waiting.delete(slot);
    this.#taken.delete(slot);
    this.#serve();
  }

  #serve(): void {
    for (const slot of this.#waiting) {
      if (this.#taken.size >= this.#max) {
        this.#askForRoom();
        return;
      }
      this.#waiting.delete(slot);
      this.#taken.add(slot);
      slot.state = 'taken';
      slot.start();
    }
  }

  #askForRoom(): void {
    let asked = 0;
    let longest: Slot | null = null;
    for (const slot of this.#taken) {
      asked += slot.asked && slot.restSince !== null ? 1 : 0;
      if (!slot.asked && slot.restSince !== null && (longest === null || slot.restSince < (longest.restSince ?? 0))) {
        longest = slot;
      }
    }
    if (longest !== null && asked < this.#waiting.size) {
      longest.asked = true;
      longest.owner.makeRoom();
    }
  }
}

export type { Slot };
