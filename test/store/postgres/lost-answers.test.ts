/**
 * `store/7` on a real server: the connection is cut while a commit is under way, anywhere in the answer, or before the server
 * has read the statement; and the server is restarted. Whatever happens, a commit is written once, and its sender is told so.
 */
import { connect as connectTo, createServer, type AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { taskId } from '../../../src/core/model/ids.ts';
import { connect } from '../../../src/store/postgres/client.ts';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { admit, end, key, owner, taskEvent } from '../../../src/testing/store/records.ts';
import { seeded } from '../../support/random.ts';
import { openCuttingProxy } from '../../support/cutting-proxy.ts';
import { persistently, type PostgresServer, startPostgres } from '../../support/postgres.ts';

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres(['autovacuum=off', 'fsync=off']);
});
afterAll(() => server.stop());

describe('a commit whose answer gets lost', () => {
  test('is written once, and answered with what it wrote, wherever its connection is cut', async () => {
    const seed = 11;
    const random = seeded(seed);
    const schema = 'cut';
    // Made before anything is cut.
    await (await openPostgresStore({ url: server.url, schema })).close();
    await using proxy = await openCuttingProxy(server.port, 2_500, random);
    const url = `postgres://signalbox@127.0.0.1:${proxy.port}/postgres`;
    const store = await openThrough(url, schema);
    const told: string[] = [];
    for (let n = 0; n < 60; n += 1) {
      const { commit } = await persistently(() => owner(store, `s${n % 3}`));
      const id = `t${n}`;
      const outcome = await persistently(() => commit(admit(id), taskEvent(id, 1), end(id, 2)));
      expect(outcome?.kind).toBe('committed');
      told.push(...(outcome?.kind === 'committed' ? outcome.events.map(({ position }) => position) : []));
    }
    expect(proxy.cuts).toBeGreaterThan(20);
    proxy.spare();
    await store.close();
    const direct = await openPostgresStore({ url: server.url, schema });
    const feed = await direct.feed(null, null, 999);
    expect(feed.map(({ position }) => position)).toEqual(told);
    expect((await direct.stats()).events).toBe(120);
    for (let n = 0; n < 60; n += 1) {
      const tape = await direct.tape(key(`s${n % 3}`), taskId(`t${n}`), 0, 9);
      expect(tape.map(({ type }) => type)).toEqual(['progress', 'final']);
    }
    await direct.close();
  });
});

describe('a connection that the server ends as soon as it is there', () => {
  test('is one that gives no answer, and the process lives on', async () => {
    const schema = 'greeted';
    await (await openPostgresStore({ url: server.url, schema })).close();
    await using proxy = await openHoldingProxy(server.port);
    const url = `postgres://signalbox@127.0.0.1:${proxy.port}/postgres`;
    const database = connect({ url, readers: 1, connectMs: 10_000, statementMs: 10_000 });
    const direct = new pg.Client(server.url);
    await direct.connect();
    const read = database.read('SELECT 1').catch((error: unknown) => error);
    await proxy.greeted;
    await direct.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'signalbox' AND query = ''",
    );
    expect(await read).toEqual([{ '?column?': 1 }]);
    await direct.end();
    await database.end();
  });
});

describe('a reader whose answer gets lost', () => {
  test('gets it all the same, from another connection', async () => {
    const schema = 'readers';
    const store = await openPostgresStore({ url: server.url, schema });
    const { commit } = await owner(store, 'a');
    await commit(admit('t1'), taskEvent('t1', 1), end('t1', 2));
    await store.close();
    // Each connection lives through its greeting and for some pages.
    const random = seeded(5);
    await using proxy = await openCuttingProxy(server.port, 2_000, () => 0.5 + random() / 2);
    proxy.spare();
    const through = await openThrough(`postgres://signalbox@127.0.0.1:${proxy.port}/postgres`, schema);
    proxy.cut();
    for (let n = 0; n < 60; n += 1) {
      expect(await through.tape(key('a'), taskId('t1'), 0, 9)).toHaveLength(2);
    }
    expect(proxy.cuts).toBeGreaterThan(10);
    proxy.spare();
    await through.close();
  });
});

const openThrough = (url: string, schema: string) => persistently(() => openPostgresStore({ url, schema }));

/** Of its first connection all that the server says arrives in one piece, once the server has ended it; others pass. */
async function openHoldingProxy(target: number) {
  const greeted = Promise.withResolvers<void>();
  let first = true;
  const proxy = createServer((node) => {
    const upstream = connectTo(target, '127.0.0.1');
    node.on('error', () => {});
    upstream.on('error', () => {});
    node.pipe(upstream);
    if (!first) {
      upstream.pipe(node);
      return;
    }
    first = false;
    const said: Buffer[] = [];
    upstream.on('data', (chunk: Buffer) => {
      said.push(chunk);
      greeted.resolve();
    });
    upstream.on('end', () => node.end(Buffer.concat(said)));
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    port: (proxy.address() as AddressInfo).port,
    greeted: greeted.promise,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => proxy.close(() => resolve())),
  };
}
