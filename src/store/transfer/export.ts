/** Writes down all that a store holds. Owns nothing: reads pages of a snapshot, gives lines. */
import { createHash } from 'node:crypto';
import type { FeedPosition } from '../port.ts';
import { format, version, type Counts, type Head, type Line } from './lines.ts';
import type { Numbered, Snapshot } from './snapshot.ts';

const pageSize = 500;

export interface Exported extends Counts {
  readonly sha256: string;
}

/**
 * Calls `write` with a few lines at a time, each with its line feed, and waits for it. `progress` gets the lines so far. The snapshot is the
 * caller's to close.
 */
export async function exportStore(
  snapshot: Snapshot,
  write: (text: string) => Promise<void> | void,
  progress: (lines: number) => void = () => {},
): Promise<Exported> {
  const hash = createHash('sha256');
  let lines = 1;
  const put = async (page: readonly Line[]): Promise<number> => {
    const text = page.map((line) => `${JSON.stringify(line)}\n`).join('');
    hash.update(text);
    await write(text);
    lines += page.length;
    progress(lines);
    return page.length;
  };
  const head: Head = { format, version, store: snapshot.kind };
  await write(`${JSON.stringify(head)}\n`);
  const tokens = await put((await snapshot.tokens()).map((token) => ({ token })));
  const tasks = await paged(
    (after) => snapshot.tasksFrom(after, pageSize),
    (items) =>
      put(items.map(({ session, admittedAt, row, payload }) => ({ task: { session, admittedAt, row, payload } }))),
  );
  const events = await putEvents(snapshot, put);
  const sessions = await paged(
    (after) => snapshot.sessionsFrom(after, pageSize),
    (items) => put(items.map((session) => ({ session }))),
  );
  const end: Exported = { tokens, tasks, events, sessions, sha256: hash.digest('hex') };
  await write(`${JSON.stringify({ end })}\n`);
  return end;
}

async function paged<T>(
  read: (after: number) => Promise<readonly Numbered<T>[]> | readonly Numbered<T>[],
  put: (items: readonly T[]) => Promise<number>,
): Promise<number> {
  let [after, count] = [0, 0];
  for (;;) {
    const page = await read(after);
    const last = page.at(-1);
    if (last === undefined) {
      return count;
    }
    count += await put(page.map(({ item }) => item));
    after = last.n;
  }
}

async function putEvents(snapshot: Snapshot, put: (lines: readonly Line[]) => Promise<number>): Promise<number> {
  let after: FeedPosition | null = null;
  let count = 0;
  for (;;) {
    const page = await snapshot.feed(after, pageSize);
    const last = page.at(-1);
    if (last === undefined) {
      return count;
    }
    count += await put(page.map((event) => ({ event: { ...event, position: undefined } })));
    after = last.position;
  }
}
