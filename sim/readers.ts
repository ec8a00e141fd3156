/**
 * Followers of tapes. Each reads on over crashes and closes of the daemon, from the event after its last one.
 *
 *  sim-readers/1 A follower reads every event of its tape after its start, each once, in order, and ends with `final`.
 */
import type { StoredEvent } from '../src/store/index.ts';
import type { Daemon } from './daemon.ts';
import type { Stage } from './stage.ts';

export interface ReadersStage extends Stage {
  /** Null: none is open. */
  readonly daemon: Daemon | null;
  /** Runs it after so many virtual ms, whatever becomes of the daemon. */
  later(delay: number, label: string, run: () => void): void;
  /** Errors that a caller has to live with. */
  mayFail(error: unknown): boolean;
}

interface Follower {
  readonly n: number;
  readonly task: string;
  /** Exclusive. */
  readonly after: number;
  readonly events: StoredEvent[];
  ended: boolean;
  /** Whether it reads from this daemon. */
  daemon: Daemon | null;
  abort: AbortController;
}

export class Readers {
  readonly followers: Follower[] = [];
  readonly #world: ReadersStage;

  constructor(world: ReadersStage) {
    this.#world = world;
  }

  follow(task: string, after: number): void {
    const follower: Follower = {
      n: this.followers.length,
      task,
      after,
      events: [],
      ended: false,
      daemon: null,
      abort: new AbortController(),
    };
    this.followers.push(follower);
    this.#attach(follower);
  }

  /** A new daemon is open: whoever was cut off reads on. */
  reopened(): void {
    for (const follower of this.followers) {
      if (!follower.ended) {
        this.#attach(follower);
      }
    }
  }

  /** The daemon is going: its readers leave. */
  leave(): void {
    for (const follower of this.followers) {
      follower.abort.abort();
    }
  }

  #attach(follower: Follower): void {
    const daemon = this.#world.daemon;
    if (daemon !== null && daemon.alive && !daemon.closing && follower.daemon !== daemon) {
      follower.daemon = daemon;
      follower.abort = new AbortController();
      void this.#read(daemon, follower, follower.abort.signal);
    }
  }

  async #read(daemon: Daemon, follower: Follower, signal: AbortSignal): Promise<void> {
    const world = this.#world;
    const name = `follower ${follower.n}`;
    const from = follower.events.at(-1)?.seq ?? follower.after;
    world.story.say(`${name} reads ${follower.task} from ${from}`);
    try {
      for await (const event of daemon.box.follow(follower.task, from, signal)) {
        if (!daemon.alive) {
          return;
        }
        const expected = (follower.events.at(-1)?.seq ?? follower.after) + 1;
        if (event.seq !== expected) {
          world.violate(
            'readers see each event once, in order',
            `${name} got ${event.seq} of ${follower.task}, not ${expected}`,
          );
        }
        follower.events.push(event);
        world.story.say(`${name} ${event.seq} ${event.type}`);
      }
      follower.ended = true;
    } catch (error) {
      this.#failed(daemon, follower, signal, error);
    }
  }

  #failed(daemon: Daemon, follower: Follower, signal: AbortSignal, error: unknown): void {
    const world = this.#world;
    if (!daemon.alive || signal.aborted) {
      return;
    }
    if (!world.mayFail(error)) {
      world.violate('nothing fails but what is made to', `follower ${follower.n}: ${String(error)}`);
      return;
    }
    world.story.say(`follower ${follower.n} is cut off`);
    world.later(20, 'read on', () => {
      if (follower.daemon === daemon) {
        follower.daemon = null;
        this.#attach(follower);
      }
    });
  }
}
