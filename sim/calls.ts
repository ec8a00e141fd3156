/** Calls under way: each is answered, fails for a reason, or dies with its daemon. */
import { AppError } from '../src/core/errors.ts';
import type { Signalbox } from '../src/runtime/api.ts';
import type { Daemon } from './daemon.ts';
import { isSimulated } from './faults.ts';
import type { Stage } from './stage.ts';

interface Call<T> {
  readonly what: string;
  readonly ask: (box: Signalbox) => Promise<T>;
  /** Gives what the story says of the answer. */
  readonly answered: (answer: T) => string;
  readonly failed: () => void;
}

/** Errors that a caller of this daemon has to live with. */
export function mayFail(daemon: Daemon | null, error: unknown): boolean {
  const code = error instanceof AppError ? error.code : '';
  const closing = daemon?.closing === true && code === 'closing';
  return isSimulated(error) || code === 'session_moved' || closing;
}

export class Calls {
  readonly #stage: Stage;
  readonly #open = new Set<{ readonly what: string }>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  open(): readonly string[] {
    return [...this.#open].map(({ what }) => what);
  }

  /** Their daemon is gone. */
  forget(): void {
    this.#open.clear();
  }

  call<T>(daemon: Daemon | null, call: Call<T>): void {
    const { story } = this.#stage;
    const { what, ask, answered, failed } = call;
    if (daemon === null) {
      story.say(`${what}: nobody is there`);
      failed();
      return;
    }
    const open = { what };
    this.#open.add(open);
    story.say(what);
    ask(daemon.box).then(
      (answer) => {
        if (daemon.alive) {
          this.#open.delete(open);
          story.say(`answer to ${what}: ${answered(answer)}`);
        }
      },
      (error: unknown) => {
        if (daemon.alive) {
          this.#open.delete(open);
          this.#failed(daemon, what, error);
          failed();
        }
      },
    );
  }

  #failed(daemon: Daemon, what: string, error: unknown): void {
    this.#stage.story.say(`error to ${what}: ${String(error)}`);
    if (!mayFail(daemon, error)) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#stage.violate('nothing fails but what is made to', `${what}: ${text}`);
    }
  }
}
