/** Exports and imports between the stores: what comes out is what went in, whatever is cut off on the way. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { incarnation, sessionKey, taskId } from '../../../src/core/model/ids.ts';
import { openSqliteStore } from '../../../src/store/index.ts';
import type { OutboxIntent, OutboxOutcome } from '../../../src/store/outbox.ts';
import type { Store } from '../../../src/store/port.ts';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { exportStore } from '../../../src/store/transfer/export.ts';
import { importAt, snapshotAt, type StoreAddress } from '../../../src/store/transfer/address.ts';
import { codeOf } from '../../../src/testing/store/api.ts';
import {
  admit,
  end,
  key,
  owner,
  ownEvent,
  parkedBy,
  running,
  sessionRecord,
  taskEvent,
  time,
  wholeTask,
} from '../../../src/testing/store/records.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';

let server: PostgresServer;
const folders: string[] = [];

beforeAll(async () => {
  server = await startPostgres(['autovacuum=off', 'fsync=off']);
});
afterAll(() => server.stop());
afterEach(() => {
  for (const folder of folders.splice(0)) {
    rmSync(folder, { recursive: true, force: true });
  }
});

let schemas = 0;

const places = {
  sqlite: (): StoreAddress => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-transfer-'));
    folders.push(folder);
    return { path: join(folder, 'signalbox.db') };
  },
  postgres: (): StoreAddress => {
    schemas += 1;
    return { url: server.url, schema: `transfer_${schemas}` };
  },
};

const openAt = async (place: StoreAddress): Promise<Store> =>
  'path' in place ? openSqliteStore({ path: place.path, durability: 'process' }) : openPostgresStore(place);

/** Sessions with and without a row, tasks of every status, merged ones, keys, odd text, tokens, many events, a process, and messages. */
async function fill(place: StoreAddress, rounds: number): Promise<void> {
  const store = await openAt(place);
  const [a, b, c] = [await owner(store, 'a'), await owner(store, 'b'), await owner(store, 'only events')];
  await store.commit([
    {
      ...a,
      records: [
        ...wholeTask('t1'),
        admit('t2', { idempotencyKey: 'k "\u{1F600} \n', author: 'ann' }),
        running('t2'),
        taskEvent('t2', 1),
        sessionRecord(a.session, { conversation: 'c', parked: parkedBy('by hand') }),
      ],
    },
    { ...b, records: [admit('t3', { prompt: 'a\u0000b\uD800' }), admit('t4', {}, { mergedInto: taskId('t3') })] },
    { ...c, records: [ownEvent(1), ownEvent(2)] },
  ]);
  await b.commit(end('t4', 1, 'cancelled'), ownEvent(1), sessionRecord(b.session));
  await a.commit(taskEvent('t2', 2), ownEvent(1));
  for (let round = 0; round < rounds; round += 1) {
    await b.commit(...wholeTask(`r${round}`), taskEvent('t3', round + 1));
  }
  await store.addToken({ name: 'ci', digest: 'd', scopes: ['submit'], sessions: ['a*'], madeAt: 1, expiresAt: null });
  await store.recordProcess({ pid: 1, startTime: '1', session: key('a'), incarnation: incarnation(1), cookie: 'c' });
  await fillOutbox(store, rounds);
  await store.close();
}

const message = (id: string, change: Partial<OutboxIntent> = {}): OutboxIntent => ({
  id,
  door: 'push',
  address: id,
  scope: id,
  session: sessionKey('a'),
  task: taskId('t1'),
  seq: 3,
  type: 'final',
  at: time,
  data: { part: 'a\u0000b' },
  ...change,
});

const outcomes: { readonly [id: string]: OutboxOutcome } = {
  posted: { state: 'posted', at: time + 4, reference: 'r' },
  later: { state: 'due', at: time + 4, notBefore: time + 60, pauseUntil: time + 90, problem: 'wait' },
  held: { state: 'unclear', at: time + 4, heldUntil: time + 50, problem: 'lost' },
  unclear: { state: 'unclear', at: time + 4, heldUntil: null, problem: 'lost \u{1F600}' },
  failed: { state: 'failed', at: time + 4, problem: 'refused' },
};
const consumers = ['early', 'late', 'outbox'];

/** Messages in every state, and consumers at the beginning, in the middle and at the end of the feed. */
async function fillOutbox(store: Store, rounds: number): Promise<void> {
  const { outbox } = store;
  const feed = await store.feed(null, null, 9_999);
  await outbox.start('early', null);
  await outbox.start('late', feed.at(-1)?.position ?? null);
  await outbox.start('outbox', null);
  const named = [...Object.keys(outcomes), 'sending', 'dropped'].map((id) => message(id));
  const many = Array.from({ length: rounds * 2 }, (_, n) => message(`m${n}`, { address: 'many' }));
  const rows = [
    message('expired', { at: 1, task: null }),
    ...named,
    message('behind', { address: 'sending' }),
    ...many,
  ];
  await outbox.advance('outbox', null, feed[5]?.position ?? '', rows);
  await outbox.expire(time, time);
  await outbox.drop('dropped', time);
  for (const [id, outcome] of Object.entries(outcomes)) {
    await outbox.begin(id, 1, time + 2, time + 9);
    await outbox.settle(id, 2, outcome);
  }
  await outbox.begin('sending', 1, time + 2, time + 9);
}

async function exported(place: StoreAddress): Promise<string[]> {
  const snapshot = await snapshotAt(place);
  let text = '';
  await exportStore(snapshot, (more) => {
    text += more;
  });
  await snapshot.close();
  return text.split('\n').slice(0, -1);
}

async function* linesOf(lines: readonly string[], upTo = lines.length): AsyncGenerator<string> {
  yield* lines.slice(0, upTo);
  if (upTo < lines.length) {
    throw new Error('cut off');
  }
}

const withoutPlaces = <T extends object>(events: readonly T[]) => events.map((event) => ({ ...event, position: null }));

const read = async (store: Store) => [
  (await store.tasks({}, null, 999)).items,
  withoutPlaces(await store.feed(null, null, 9_999)),
  (await store.sessions(null, 99)).items.map((session) => ({ ...session, changedAt: null })),
  await store.tokens(),
  (await store.openSessions(null, 99)).items,
  await store.mergedTasks(taskId('t3')),
  await store.taskByIdempotencyKey('api', 'k "\u{1F600} \n'),
];

/** All messages, what is due and when, and the events that are new to each consumer. */
async function readOutbox(store: Store) {
  const { outbox } = store;
  const due = await Promise.all([9, 50, 60, 90].map(async (ms) => outbox.due(['push'], time + ms, 99)));
  const unread = consumers.map(async (name) => {
    const position = await outbox.start(name, 'none');
    return withoutPlaces(await store.feed(null, position, 9_999));
  });
  return [(await outbox.list({}, null, 999)).items, due, await Promise.all(unread)];
}

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** With a last line that fits the lines before it. */
function sealed(lines: readonly string[], counts: object = {}): string[] {
  const { end } = JSON.parse(lines.at(-1) ?? '') as { end: object };
  const sha256 = createHash('sha256')
    .update(textOf(lines.slice(1, -1)))
    .digest('hex');
  return [...lines.slice(0, -1), JSON.stringify({ end: { ...end, ...counts, sha256 } })];
}

const pairs = [
  ['sqlite', 'postgres'],
  ['postgres', 'sqlite'],
  ['sqlite', 'sqlite'],
  ['postgres', 'postgres'],
] as const;

describe.each(pairs)('from %s to %s', (from, to) => {
  test('everything is there afterwards, in the same order, and its open tasks can be written to', async () => {
    const [source, target] = [places[from](), places[to]()];
    await fill(source, 400);
    const lines = await exported(source);
    const imported = await importAt(target, linesOf(lines));
    expect(imported).toMatchObject({ tokens: 1, tasks: 404, sessions: 2, replies: 809, consumers: 3 });
    expect((await exported(target)).slice(1)).toEqual(lines.slice(1));
    const before = await openAt(source);
    const wanted = await read(before);
    expect(await before.outbox.recover(time + 2)).toBe(1);
    const wantedOutbox = await readOutbox(before);
    await before.close();
    const store = await openAt(target);
    expect(await read(store)).toEqual(wanted);
    expect(await readOutbox(store)).toEqual(wantedOutbox);
    expect(await store.outbox.advance('late', await store.outbox.start('late', 'none'), 'next', [])).toBe(true);
    const a = await owner(store, 'a');
    expect((await a.commit(taskEvent('t2', 3), end('t2', 4)))?.kind).toBe('committed');
    await store.close();
  });

  test('an import that was cut off continues in its draft and makes no message twice, and nothing is at its place before', async () => {
    const [source, target] = [places[from](), places[to]()];
    await fill(source, 400);
    const lines = await exported(source);
    for (const cut of [1, 300, 900, 1_600, lines.length - 400, lines.length - 2]) {
      const failed = await importAt(target, linesOf(lines, cut)).catch((error: unknown) => String(error));
      expect(failed).toBe('Error: cut off');
      expect(await codeOf(() => snapshotAt(target))).toBe('store_failed');
    }
    await importAt(target, linesOf(lines));
    expect((await exported(target)).slice(1)).toEqual(lines.slice(1));
  });
});

describe.each(['sqlite', 'postgres'] as const)('an import into %s', (kind) => {
  test('is refused for a file that is cut off, changed or something else, and leaves its place free', async () => {
    const source = places.sqlite();
    await fill(source, 3);
    const lines = await exported(source);
    const without = (part: string): string[] => lines.filter((line) => !line.includes(part));
    const wrong = [
      [],
      ['{}'],
      ['not JSON'],
      [lines[0]?.replace('"version":2', '"version":9') ?? ''],
      lines.slice(0, -1),
      lines.map((line) => line.replace('"ann"', '"bob"')),
      without('"seq":2'),
      without('"r1"'),
      [...lines, lines[1] ?? ''],
      [...lines.slice(0, 3), '{"other":1}', ...lines.slice(3)],
      sealed(lines.map((line) => line.replace('"state":"posted"', '"state":"sending"'))),
      sealed(lines.map((line) => line.replace('"name":"late","events":', '"name":"late","events":9'))),
    ];
    for (const text of wrong) {
      const target = places[kind]();
      const code = await codeOf(() => importAt(target, linesOf(text)));
      expect(['bad_export', 'tape_conflict', 'task_conflict']).toContain(code);
      expect(await codeOf(() => snapshotAt(target))).toBe('store_failed');
    }
  });

  test('takes a file of version 1, which has no messages', async () => {
    const [source, target] = [places.sqlite(), places[kind]()];
    await fill(source, 3);
    const [, ...lines] = (await exported(source)).filter((line) => !/^\{"(?:reply|consumer)"/.test(line));
    const head = '{"format":"signalbox-export","version":1,"store":"sqlite"}';
    const old = sealed([head, ...lines], { replies: undefined, consumers: undefined });
    expect(await importAt(target, linesOf(old))).toMatchObject({ tasks: 7, replies: 0, consumers: 0 });
    const store = await openAt(target);
    expect((await store.outbox.list({}, null, 9)).items).toEqual([]);
    expect(await store.outbox.start('outbox', null)).toBe(null);
    await store.close();
  });

  test('is refused where there is a database with anything in it', async () => {
    const [source, target] = [places.sqlite(), places[kind]()];
    await fill(source, 3);
    await fill(target, 1);
    const lines = await exported(source);
    expect(await codeOf(() => importAt(target, linesOf(lines)))).toBe('store_exists');
    expect((await exported(target)).length).toBeLessThan(lines.length);
  });
});

test('an import leaves no draft, lock or journal beside the file', async () => {
  const [source, target] = [places.sqlite(), places.sqlite()];
  await fill(source, 3);
  await importAt(target, linesOf(await exported(source)));
  const { path } = target as { path: string };
  expect(
    ['.import', '.import.lock', '.import.pid', '.import-wal', '.lock'].filter((one) => existsSync(path + one)),
  ).toEqual([]);
});
