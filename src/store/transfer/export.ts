/** Writes down all that a store holds. Owns nothing: reads pages of a snapshot, gives lines. */
import { createHash } from 'node:crypto';
import { AppError } from '../../core/errors.ts';
import { abandonedProblem, type OutboxCopy } from '../outbox.ts';
import type { FeedPosition } from '../port.ts';
import { format, version, type ConsumerLine, type Counts, type Head, type Line } from './lines.ts';
import { feedPages, type Numbered, type Snapshot, type SnapshotConsumer } from './snapshot.ts';

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
  const known = await snapshot.consumers();
  const { events, read } = await putEvents(snapshot, known, put);
  const sessions = await paged(
    (after) => snapshot.sessionsFrom(after, pageSize),
    (items) => put(items.map((session) => ({ session }))),
  );
  const replies = await paged(
    (after) => snapshot.repliesFrom(after, pageSize),
    (items) => put(items.map((copy) => ({ reply: abandoned(copy) }))),
  );
  const consumers = await put(known.map((consumer) => ({ consumer: consumerLine(consumer, read) })));
  const end: Exported = { tokens, tasks, events, sessions, replies, consumers, sha256: hash.digest('hex') };
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

/** `read`: how many events there are up to the position of each consumer. */
async function putEvents(
  snapshot: Snapshot,
  consumers: readonly SnapshotConsumer[],
  put: (lines: readonly Line[]) => Promise<number>,
): Promise<{ readonly events: number; readonly read: ReadonlyMap<FeedPosition | null, number> }> {
  const positions = new Set(consumers.map(({ position }) => position));
  const read = new Map<FeedPosition | null, number>([[null, 0]]);
  let events = 0;
  for await (const page of feedPages(snapshot, pageSize)) {
    for (const [index, { position }] of page.entries()) {
      if (positions.has(position)) {
        read.set(position, events + index + 1);
      }
    }
    events += await put(page.map((event) => ({ event: { ...event, position: undefined } })));
  }
  return { events, read };
}

function consumerLine(
  { name, position }: SnapshotConsumer,
  read: ReadonlyMap<FeedPosition | null, number>,
): ConsumerLine {
  const events = read.get(position);
  if (events === undefined) {
    throw new AppError({ code: 'store_failed', message: `there is no event at ${position}, the position of ${name}` });
  }
  return { name, events };
}

/** As the next daemon finds what this one is sending: the request may have left. */
const abandoned = ({ row, pausedUntil }: OutboxCopy): OutboxCopy => ({
  row:
    row.state === 'sending' ? { ...row, state: 'unclear', version: row.version + 1, problem: abandonedProblem } : row,
  pausedUntil,
});
