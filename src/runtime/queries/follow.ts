/**
 * Following a tape: what is stored first, then what is committed, each event once, in order, to `final`.
 *
 *  follow/1 It ends without `final` only when a page that was read after the end of the task brought nothing.
 */
import { AppError } from '../../core/errors.ts';
import { type SessionKey, type TaskId, taskId } from '../../core/model/ids.ts';
import type { FeedEvent, Store, StoredEvent, StoredTask } from '../../store/port.ts';
import type { Following } from '../api.ts';
import type { RuntimeParts } from '../parts.ts';
import type { Hub } from './hub.ts';

/** Events read from the store at a time. */
const pageSize = 500;

/** Live events, and tapes followed to their end. */
export function following({ context: { store }, hub }: RuntimeParts): Following {
  const known = async (task: string): Promise<StoredTask> => {
    const stored = await store.task(taskId(task));
    if (stored === null) {
      throw new AppError({ code: 'unknown_task', message: `there is no task ${task}` });
    }
    return stored;
  };
  return {
    listen: (tape, listener) => hub.listen(tape, listener),
    async *follow(task, after = 0, signal) {
      const { session, row } = await known(task);
      yield* follow(store, hub, session, row.id, after, signal);
    },
    async result(task, signal) {
      const { session, row, seq } = await known(task);
      for await (const event of follow(store, hub, session, row.id, Math.max(0, seq - 1), signal)) {
        if (event.type === 'final') {
          break;
        }
      }
      return known(task);
    },
  };
}

async function* follow(
  store: Store,
  hub: Hub,
  session: SessionKey,
  task: TaskId,
  after: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoredEvent> {
  let live: FeedEvent[] = [];
  let wake: (() => void) | null = null;
  const stop = hub.listen({ task }, (events) => {
    // A follower that is far behind reads from the store; here only a flag says that the store has more.
    live = live.length < pageSize ? [...live, ...events] : [...events];
    wake?.();
  });
  const aborted = (): void => wake?.();
  signal?.addEventListener('abort', aborted);
  try {
    let last = after;
    let ended: boolean | null = null;
    for (;;) {
      if (signal?.aborted === true) {
        throw new AppError({ code: 'aborted', message: 'following was aborted', cause: signal.reason });
      }
      const taken = live;
      live = [];
      const contiguous = taken.length > 0 && (taken[0]?.seq ?? 0) <= last + 1 && isDense(taken);
      const events = contiguous ? taken : await store.tape(session, task, last, pageSize);
      for (const event of events) {
        if (event.seq > last) {
          last = event.seq;
          yield event;
        }
        if (event.type === 'final') {
          return;
        }
      }
      if (events.length === 0 && live.length === 0) {
        if (ended === true) {
          // Nothing after `last`: the reader had `final` already, or says that it has read more than there is.
          return;
        }
        if (ended === null) {
          ended = await hasEnded(store, task);
          continue;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (signal?.aborted === true) {
            resolve();
          }
        });
        wake = null;
      }
    }
  } finally {
    stop();
    signal?.removeEventListener('abort', aborted);
  }
}

/** A session that came back from another node brings its newest events first. */
const isDense = (events: readonly StoredEvent[]): boolean =>
  events.every(({ seq }, at) => seq === (events[0]?.seq ?? 0) + at);

async function hasEnded(store: Store, task: TaskId): Promise<boolean> {
  const stored = await store.task(task);
  return stored !== null && stored.endedAt !== null;
}
