/**
 * Fan-out of committed events to live listeners, by task, by session, or of all.
 *
 * Owned by one runtime; called by the committer after a commit. Invariants:
 *  listeners/1 A listener gets events in commit order, each once, only after their commit.
 *  listeners/3 With several nodes on one store, listeners of a session or of all are served from its feed alone. Those of a task get each
 *              event from wherever it comes first, and never an earlier one behind it.
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
  /** Events of other nodes come by `publishFeed`: last seq by tape, of those that have listeners. */
  #last: Map<string, number> | null = null;

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
          this.#last?.delete(key);
        }
      }
    };
  }

  /** From now on `publishFeed` brings what every node commits. */
  sharesStore(): void {
    this.#last = new Map();
  }

  get isIdle(): boolean {
    return this.#listeners.size === 0;
  }

  /** Events of many sessions, in the order of the store's feed. */
  publishFeed(events: readonly FeedEvent[]): void {
    const bySession = Map.groupBy(events, ({ session }) => session);
    for (const [session, own] of bySession) {
      this.#call(`session ${session}`, own);
      if (this.#tasks > 0) {
        this.#publishTasks(own);
      }
    }
    this.#call('all', events);
  }

  /** One call a pass: the events of each session's commit, in order. */
  publish(commits: readonly (readonly FeedEvent[])[]): void {
    if (this.#listeners.size === 0) {
      return;
    }
    for (const events of commits) {
      const first = events[0];
      if (first !== undefined) {
        if (this.#last === null) {
          this.#call(`session ${first.session}`, events);
        }
        if (this.#tasks > 0) {
          this.#publishTasks(events);
        }
      }
    }
    if (this.#last === null && this.#listeners.has('all')) {
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
      const key = `task ${task}`;
      this.#call(key, this.#last === null ? list : this.#newer(this.#last, key, list));
    }
  }

  #newer(seen: Map<string, number>, key: string, list: readonly FeedEvent[]): readonly FeedEvent[] {
    if (!this.#listeners.has(key)) {
      return [];
    }
    const last = seen.get(key) ?? 0;
    const newer = list.filter(({ seq }) => seq > last);
    seen.set(key, newer.at(-1)?.seq ?? last);
    return newer;
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
