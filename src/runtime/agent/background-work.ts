/**
 * What an agent does beside its turns: commands that it said go on after them. An idle agent with such work is not closed, since the
 * work would end with it; but not for ever, since a command may never end, and others wait for the place of its agent.
 *
 * Owned by the agent's host, one per incarnation.
 *  background-work/1 `keeps` is true while there is work, until `limitMs` after the agent has become idle.
 */
import type { Clock } from '../clock.ts';

interface BackgroundOptions {
  readonly clock: Clock;
  readonly limitMs: number;
  /** The limit has passed. */
  readonly onLimit: () => void;
}

export class BackgroundWork {
  readonly #options: BackgroundOptions;
  #expired = false;
  #cancelLimit: (() => void) | null = null;
  /** Each by a title for a person. */
  list: readonly string[] = [];

  constructor(options: BackgroundOptions) {
    this.#options = options;
  }

  /** The agent is not to be closed though it has no turn. */
  get keeps(): boolean {
    return this.list.length > 0 && !this.#expired;
  }

  /** The agent has no turn. */
  idle(): void {
    const { clock, limitMs, onLimit } = this.#options;
    this.#cancelLimit ??= clock.timer(limitMs, () => {
      this.#expired = true;
      onLimit();
    });
  }

  /** It has a turn, or it is gone. */
  busy(): void {
    this.#cancelLimit?.();
    this.#cancelLimit = null;
    this.#expired = false;
  }
}
