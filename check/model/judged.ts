/**
 * What was looked at before. Most of a state is the environment: what is in the inbox of a process, what is left of a budget.
 * The same session stands in many such surroundings, and most oracles look at the session alone. They are asked once for each
 * session and once for each input to it: a fraction of the work, and nothing is left undone.
 *
 * "The same" is so up to names, as for whole states (see encode.ts), and the renaming oracle, which is asked every time, proves
 * that names do not matter. Apart from names all of the session is compared. What an oracle may look at is in its type.
 *
 * Owned by one exploration. Invariant:
 *  judged/1 `#ahead` holds the states that were met and not entered yet: those of the frontier.
 */
import type { Input } from '../../src/core/model/inputs.ts';
import { Encodings } from '../engine/encodings.ts';
import type { Invariant } from '../engine/index.ts';
import { Writer } from '../engine/index.ts';
import { Canon } from './canon.ts';
import type { Config } from './config.ts';
import { requestsMade, type StateView, type World } from './world.ts';

/** Makes an oracle of whole states of one that looks at their view alone: it is asked for the first state with each view. */
export type Once = (rule: Invariant<StateView>) => Invariant<World>;

interface Entered {
  /** The number of its view. */
  readonly view: number;
  readonly names: ReturnType<Canon['view']>;
}

export class Judged {
  readonly #views = new Encodings();
  /** The number of a view, and the runners and requests beside it, or an input to it. */
  readonly #states = new Encodings();
  readonly #moves = new Encodings();
  readonly #writer = new Writer();
  readonly #canon: Canon;
  readonly #ahead = new Map<World, Entered>();
  #met: World | null = null;
  #entered: Entered | null = null;

  constructor(config: Config) {
    this.#canon = new Canon(config, this.#writer);
  }

  readonly once: Once = ({ name, check }) => ({
    name,
    check: (world) => (this.#isNewState(world) ? check(world) : null),
  });

  /** Whether no state before had this view. The oracles of one state ask in a row, and all get the same answer. */
  #isNewState(world: World): boolean {
    if (world !== this.#met) {
      this.#met = world;
      const met = this.#meet(world);
      this.#ahead.set(world, met);
      this.#writer.reset();
      this.#writer.uint(met.view);
      this.#writer.uint(requestsMade(world));
      this.#canon.runners(world.runners);
      this.#states.add(this.#writer);
    }
    return this.#states.fresh;
  }

  #meet(world: World): Entered {
    this.#writer.reset();
    const names = this.#canon.view(world);
    return { view: this.#views.add(this.#writer), names };
  }

  /** The inputs that are asked about from here on come in this state. */
  enter(world: World): void {
    this.#entered = this.#ahead.get(world) ?? this.#meet(world);
    this.#ahead.delete(world);
  }

  /** Whether this input did not come in a state with this view before. */
  isNewMove(input: Input): boolean {
    if (this.#entered === null) {
      return true;
    }
    this.#writer.reset();
    this.#writer.uint(this.#entered.view);
    this.#canon.input(input, this.#entered.names);
    this.#moves.add(this.#writer);
    return this.#moves.fresh;
  }
}
