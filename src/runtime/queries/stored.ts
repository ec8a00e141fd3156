/** Reads that the store answers alone: tasks, sessions, tapes and feeds, as they are committed. */
import { taskId } from '../../core/model/ids.ts';
import { entryOf } from '../../core/queue.ts';
import type { StoredReads } from '../api.ts';
import type { RuntimeParts } from '../parts.ts';

export function storedReads({ context: { store }, key }: RuntimeParts): StoredReads {
  const keyOrAll = (session: string | null) => (session === null ? null : key(session));
  return {
    store,
    sessionKey: key,
    async task(id) {
      return store.task(taskId(id));
    },
    async mergedTasks({ row }) {
      return row.mergedInto === null ? store.mergedTasks(entryOf(row)) : [];
    },
    async tasks(filter, cursor, limit) {
      return store.tasks(filter, cursor, limit);
    },
    async sessions(cursor, limit) {
      return store.sessions(cursor, limit);
    },
    async tape(session, task, after, limit) {
      return store.tape(key(session), task === null ? null : taskId(task), after, limit);
    },
    async feed(session, after, limit) {
      return store.feed(keyOrAll(session), after, limit);
    },
    async feedEnd(session) {
      return store.feedEnd(keyOrAll(session));
    },
  };
}
