/**
 * Fills an empty store from the lines of an export, as if its owners had committed them: every rule of the port is checked again.
 *
 * Owns: the leases of the sessions in the store that it fills, for the length of the import.
 *  import/1 Lines are applied in their order, so what is there is the beginning of the file: an import that was cut off continues behind it.
 *  import/2 Each consumer stands behind the same event as in the file.
 *  import/3 It succeeds only when the file is whole and the store gives back the same lines.
 */
import { createHash } from 'node:crypto';
import { AppError } from '../../core/errors.ts';
import type { SessionKey } from '../../core/model/ids.ts';
import type { Record as CoreRecord } from '../../core/model/records.ts';
import { ownedOf } from '../errors.ts';
import type { OutboxCopy } from '../outbox.ts';
import type { FeedPosition, SessionCommit, Store, StoredEvent, StoreStats } from '../port.ts';
import { exportStore, type Exported } from './export.ts';
import { badExport, lineOf, readHead, type ConsumerLine, type End, type Line } from './lines.ts';
import { feedPages, type Snapshot } from './snapshot.ts';

/** Lines of one commit. */
const batchSize = 500;

export interface Importing {
  readonly store: Store;
  readonly lines: AsyncIterable<string>;
  /** Of the store, when it is filled. */
  readonly snapshot: () => Promise<Snapshot> | Snapshot;
  /** Gets the lines so far. */
  readonly progress?: (lines: number) => void;
}

/** Throws `bad_export` for a file that is damaged or cut off, and `store_failed` where what was stored differs from it. */
export async function importStore({ store, lines, snapshot, progress = () => {} }: Importing): Promise<Exported> {
  const target = new Target(store, await store.stats());
  const hash = createHash('sha256');
  let number = 0;
  let end: Exported | null = null;
  let batch: Line[] = [];
  for await (const text of lines) {
    number += 1;
    if (number === 1) {
      readHead(text);
      continue;
    }
    if (end !== null) {
      throw badExport(`line ${number} is behind the end`);
    }
    const line = lineOf(text, number);
    if ('end' in line) {
      end = line.end;
      continue;
    }
    hash.update(text).update('\n');
    batch.push(line);
    if (batch.length === batchSize) {
      await target.put(batch);
      batch = [];
      progress(number);
    }
  }
  await target.put(batch);
  progress(number);
  if (number === 0) {
    readHead(undefined);
  }
  if (end === null) {
    throw badExport('the file has no last line: it is cut off');
  }
  if (end.sha256 !== hash.digest('hex')) {
    throw badExport('the file is not what was exported: its hash differs');
  }
  const { consumers } = target;
  if (consumers.length > 0) {
    const places = await within(snapshot, (opened) => placesOf(opened, consumers));
    for (const { name, position } of places) {
      await store.outbox.start(name, position);
    }
  }
  const stored = await within(snapshot, (opened) => exportStore(opened, () => {}));
  verify(stored, end);
  return end;
}

async function within<T>(open: Importing['snapshot'], work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const snapshot = await open();
  try {
    return await work(snapshot);
  } finally {
    await snapshot.close();
  }
}

function verify(stored: Exported, end: End['end']): void {
  const differs = Object.entries(end).filter(([name, value]) => stored[name as keyof Exported] !== value);
  if (differs.length > 0) {
    throw new AppError({
      code: 'store_failed',
      message: `what was stored differs from the export in ${differs.map(([name]) => name).join(', ')}`,
    });
  }
}

/** Their positions in the store that was filled. */
async function placesOf(
  snapshot: Snapshot,
  consumers: readonly ConsumerLine[],
): Promise<readonly { readonly name: string; readonly position: FeedPosition | null }[]> {
  const wanted = new Set(consumers.map(({ events }) => events));
  const positions = new Map<number, FeedPosition | null>([[0, null]]);
  let count = 0;
  for await (const page of feedPages(snapshot, batchSize)) {
    for (const { position } of page) {
      count += 1;
      if (wanted.has(count)) {
        positions.set(count, position);
      }
    }
  }
  return consumers.map(({ name, events }) => {
    const position = positions.get(events);
    if (position === undefined) {
      throw badExport(`consumer ${name} has read ${events} events, and there are ${count}`);
    }
    return { name, position };
  });
}

class Target {
  readonly #store: Store;
  readonly #leases = new Map<SessionKey, number>();
  /** Their places are known when all events are there. */
  readonly consumers: ConsumerLine[] = [];
  /** Lines of each kind that are there already, and are passed over. */
  #tasks: number;
  #events: number;

  constructor(store: Store, { tasks, events }: StoreStats) {
    this.#store = store;
    this.#tasks = Object.values(tasks).reduce((sum, count) => sum + count, 0);
    this.#events = events;
  }

  async put(lines: readonly Line[]): Promise<void> {
    const commits: { session: SessionKey; lease: number; records: CoreRecord[] }[] = [];
    const replies: OutboxCopy[] = [];
    for (const line of lines) {
      if ('token' in line) {
        await this.#store.addToken(line.token);
        continue;
      }
      if ('reply' in line) {
        replies.push(line.reply);
        continue;
      }
      if ('consumer' in line) {
        this.consumers.push(line.consumer);
        continue;
      }
      const record = this.#recordOf(line);
      if (record === null) {
        continue;
      }
      const [session, one] = record;
      const last = commits.at(-1);
      if (last?.session === session) {
        last.records.push(one);
      } else {
        commits.push({ session, lease: await this.#lease(session), records: [one] });
      }
    }
    await this.#commit(commits);
    if (replies.length > 0) {
      await this.#store.outbox.restore(replies);
    }
  }

  #recordOf(
    line: Extract<Line, { task: unknown } | { event: unknown } | { session: unknown }>,
  ): [SessionKey, CoreRecord] | null {
    if ('task' in line) {
      const { session, admittedAt, row, payload } = line.task;
      return this.#passes('tasks')
        ? null
        : [session as SessionKey, { type: 'admit', at: admittedAt, task: row, payload }];
    }
    if ('event' in line) {
      return this.#passes('events') ? null : [line.event.session, recordOf(line.event)];
    }
    const { key, row } = line.session;
    // Written again by a second try: it is the whole row.
    return [key, { type: 'session', at: 0, session: row }];
  }

  #passes(kind: 'tasks' | 'events'): boolean {
    if (kind === 'tasks') {
      return this.#tasks > 0 && (this.#tasks -= 1) >= 0;
    }
    return this.#events > 0 && (this.#events -= 1) >= 0;
  }

  async #lease(session: SessionKey): Promise<number> {
    const known = this.#leases.get(session);
    if (known !== undefined) {
      return known;
    }
    const { lease } = ownedOf(await this.#store.claim(session), session);
    this.#leases.set(session, lease);
    return lease;
  }

  async #commit(commits: readonly SessionCommit[]): Promise<void> {
    if (commits.length === 0) {
      return;
    }
    for (const [index, outcome] of (await this.#store.commit(commits)).entries()) {
      const late = outcome.kind === 'committed' && outcome.late > 0;
      if (outcome.kind !== 'committed' || late) {
        const what = late ? 'an event behind its final' : outcome.kind === 'fenced' ? 'another writer' : 'a key twice';
        throw badExport(`session ${commits[index]?.session} has ${what}`);
      }
    }
  }
}

function recordOf(event: StoredEvent): CoreRecord {
  const { task, seq, at } = event;
  return event.task !== null && event.type === 'final'
    ? { type: 'end', at, task: event.task, seq, final: event.data }
    : ({ type: 'event', at, task, seq, event: { type: event.type, data: event.data } } as CoreRecord);
}
