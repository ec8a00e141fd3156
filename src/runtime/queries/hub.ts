/**
 * Fan-out of committed events to live listeners, by task, by session, or of all.
 *
 * Owned by one runtime; called by the committer after a commit. Invariants:
 *  listeners/1 A listener gets events in commit order, each once, only after their commit.
 *  listeners/2 A listener that throws is reported and dropped; the others still get theirs.
 */
import type { FeedEvent } from '../../store/port.ts';
import type { FeedListener, Tape } from '../api.ts';

const keyOf = (tape: Tape): string =>
  'task' in tape ? `task ${tape.task}` : 'session' in tape ? `session ${tape.session}` : 'all';

export class Hub {
  readonly #listeners = new Map<string, Set<FeedListener>>();
  readonly #onError: (error: unknown) => void;
  #tasks = 0;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  listen(tape: Tape, listener: FeedListener): () => void {
    const key = keyOf(tape);
    const set = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, set.add(listener));
    this.#tasks += 'task' in tape ? 1 : 0;
    let live = true;
    return () => {
      if (live) {
        live = false;
        this.#tasks -= 'task' in tape ? 1 : 0;
        set.delete(listener);
        if (set.size === 0 && this.#listeners.get(key) === set) {
          this.#listeners.delete(key);
        }
      }
    };
  }

  /** One call a pass: the events of each session's commit, in order. */
  publish(commits: readonly (readonly FeedEvent[])[]): void {
    if (this.#listeners.size === 0) {
      return;
    }
    for (const events of commits) {
      const first = events[0];
      if (first !== undefined) {
        this.#call(`session ${first.session}`, events);
        if (this.#tasks > 0) {
          this.#publishTasks(events);
        }
      }
    }
    if (this.#listeners.has('all')) {
      this.#call('all', commits.flat());
    }
  }

  #publishTasks(events: readonly FeedEvent[]): void {
    const byTask = new Map<string, FeedEvent[]>();
    for (const event of events) {
      if (event.task !== null) {
        const list = byTask.get(event.task);
        if (list === undefined) {
          byTask.set(event.task, [event]);
        } else {
          list.push(event);
        }
      }
    }
    for (const [task, list] of byTask) {
      this.#call(`task ${task}`, list);
    }
  }

  #call(key: string, events: readonly FeedEvent[]): void {
    const set = this.#listeners.get(key);
    if (set === undefined || events.length === 0) {
      return;
    }
    for (const listener of Array.from(set)) {
      try {
        listener(events);
      } catch (error) {
        set.delete(listener);
        this.#onError(error);
      }
    }
  }
}
