import type { Store } from '../../src/store/port.ts';
import { CommitRejected, openMemoryStore } from '../../src/store/index.ts';

/** A store in memory that, once `reject` was called, finds the next records of the session broken. */
export function rejectingStore(session: string): { readonly store: Store; readonly reject: () => void } {
  const inner = openMemoryStore();
  let rejecting = false;
  const store: Store = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name === 'commit') {
        return (commits: Parameters<Store['commit']>[0]) => {
          const broken = commits.find((commit) => commit.session === session);
          if (rejecting && broken !== undefined) {
            rejecting = false;
            throw new CommitRejected(broken.session, { code: 'tape_conflict', message: 'a second writer' });
          }
          return inner.commit(commits);
        };
      }
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { store, reject: () => (rejecting = true) };
}
