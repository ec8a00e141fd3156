/**
 * The set of states seen so far, and by which move each was reached first.
 *
 * Owned by one exploration. Invariants:
 *  states/1 State n is the n-th distinct encoding that was added.
 *  states/2 The parent of a state has a smaller number, except the initial states, which are their own parents.
 */
import { invariant } from '../../src/core/errors.ts';
import { Column16, Column32 } from './columns.ts';
import { Encodings } from './encodings.ts';
import type { Writer } from './writer.ts';

export class States {
  readonly #encodings = new Encodings();
  readonly #parent = new Column32();
  readonly #move = new Column16();

  get size(): number {
    return this.#encodings.size;
  }

  /** Whether the last `add` met a new state. */
  get fresh(): boolean {
    return this.#encodings.fresh;
  }

  /** Bytes held, all of them, without the live objects of the frontier. */
  get bytes(): number {
    return this.#encodings.bytes + this.#parent.bytes + this.#move.bytes;
  }

  parent(state: number): number {
    return this.#parent.get(state);
  }

  /** Which of its parent's moves, counted from 0 in the order of `expand`, led to the state first. */
  move(state: number): number {
    return this.#move.get(state);
  }

  /** The number of the state that the writer holds; `fresh` tells whether it is new. A parent of -1 makes it initial. */
  add(writer: Writer, parent: number, move: number): number {
    const state = this.#encodings.add(writer);
    if (this.fresh) {
      invariant(move < 65_536, 'a state of the checker has more than 65,535 moves');
      this.#parent.push(parent < 0 ? state : parent);
      this.#move.push(move);
    }
    return state;
  }

  /** The number of the state that the writer holds, or -1 if it was never seen. */
  find(writer: Writer): number {
    return this.#encodings.find(writer);
  }
}
