/** One daemon works on a database at a time: who is refused, who takes over, and what the one before learns of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AppError } from '../../../src/core/errors.ts';
import { connect } from '../../../src/store/postgres/client.ts';
import { migrations } from '../../../src/store/postgres/migrate.ts';
import { openOn, openPostgresStore, type PostgresStoreOptions } from '../../../src/store/postgres/open.ts';
import type { PostgresStore } from '../../../src/store/postgres/store.ts';
import { codeOf } from '../../../src/testing/store/api.ts';
import { admit, key, owner, taskEvent } from '../../../src/testing/store/records.ts';
import { openCuttingProxy } from '../../support/cutting-proxy.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type PostgresServer, startPostgres, untilOneWaits } from '../../support/postgres.ts';

const ttlMs = 60_000;

let server: PostgresServer;
let direct: pg.Client;
let schemas = 0;
let schema = '';
let opened: PostgresStore[] = [];

beforeAll(async () => {
  server = await startPostgres(['autovacuum=off', 'fsync=off']);
  direct = new pg.Client(server.url);
  await direct.connect();
});
afterAll(async () => {
  await direct.end();
  await server.stop();
});
beforeEach(() => {
  schemas += 1;
  schema = `nodes_${schemas}`;
});
afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()));
  opened = [];
});

interface Node {
  readonly store: PostgresStore;
  readonly clock: ManualClock;
  readonly lost: AppError[];
}

async function start(options: Partial<PostgresStoreOptions> = {}): Promise<Node> {
  const clock = new ManualClock();
  const lost: AppError[] = [];
  const store = await openPostgresStore({
    url: server.url,
    schema,
    ttlMs,
    clock,
    onLost: (error) => lost.push(error),
    ...options,
  });
  opened.push(store);
  return { store, clock, lost };
}

const rows = async (): Promise<{ state: string; beat: string }[]> =>
  (await direct.query<{ state: string; beat: string }>(`SELECT state, beat FROM ${schema}.nodes ORDER BY inc`)).rows;

/** Moves the clock, and lets the answers of the database come between two moves, until the test holds. */
async function advanceUntil(clock: ManualClock, ms: number, test: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await test())) {
    clock.advance(ms);
    await direct.query('SELECT 1');
  }
}

describe('two daemons on one database', () => {
  test('a second one is refused while the first gives signs of life, and the error names that', async () => {
    const first = await start({ pid: 4_711 });
    const second = new ManualClock();
    const waits: string[] = [];
    let refused: unknown = null;
    const opening = start({ clock: second, onWait: (other) => waits.push(other) }).catch((error: unknown) => {
      refused = error;
    });
    // It looks, sees the first, and waits for its next look; in between comes a beat.
    await advanceUntil(second, 0, () => second.armed > 0);
    first.clock.advance(ttlMs / 6);
    await advanceUntil(first.clock, 0, async () => (await rows())[0]?.beat === '1');
    second.advance(ttlMs / 24);
    await opening;
    expect(refused).toMatchObject({ code: 'store_locked', message: expect.stringContaining('pid 4711') });
    expect(waits).toEqual([expect.stringContaining('pid 4711')]);
    expect((await owner(first.store, 'a')).lease).toBe(1);
  });

  test('one that is silent for the time-to-live is taken over, learns it, and writes nothing more', async () => {
    const first = await start();
    const before = await owner(first.store, 'a');
    await before.commit(admit('t1'));
    const clock = new ManualClock();
    const opening = start({ clock });
    // Until it has joined: from then on the clock would outrun its own beats.
    while ((await rows()).length < 2) {
      await advanceUntil(clock, 0, () => clock.armed > 0);
      clock.advance(ttlMs / 24);
    }
    const next = await opening;
    expect(clock.now()).toBeGreaterThanOrEqual(ttlMs);
    const taken = await owner(next.store, 'a');
    expect(await before.commit(taskEvent('t1', 1))).toEqual({ kind: 'fenced' });
    expect(await codeOf(() => first.store.claim(key('a')))).toBe('store_lost');
    expect(first.lost.map(({ code }) => code)).toEqual(['store_lost']);
    expect(await codeOf(() => first.store.claim(key('b')))).toBe('store_lost');
    expect(await codeOf(() => before.commit(taskEvent('t1', 1)))).toBe('store_lost');
    expect((await taken.commit(taskEvent('t1', 1)))?.kind).toBe('committed');
    expect((await rows()).map(({ state }) => state)).toEqual(['dead', 'alive']);
  });

  test('one whose process is gone on the same machine is taken over at once', async () => {
    const program = `
      import { openPostgresStore } from ${JSON.stringify(new URL('../../../src/store/postgres/open.ts', import.meta.url).href)};
      await openPostgresStore({ url: ${JSON.stringify(server.url)}, schema: ${JSON.stringify(schema)} });
      console.log('open');
      setInterval(() => {}, 1000);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    const { clock } = await start();
    expect(clock.now()).toBe(0);
    expect((await rows()).map(({ state }) => state)).toEqual(['dead', 'alive']);
  });

  test('a claim waits for a declaration of death that has begun, and is refused by it', async () => {
    const { store, lost } = await start();
    await owner(store, 'a');
    // As whoever buries it does, and not committed yet.
    await direct.query('BEGIN');
    await direct.query(`SELECT inc FROM ${schema}.nodes FOR UPDATE`);
    await direct.query(`UPDATE ${schema}.nodes SET state = 'dead'`);
    const claim = codeOf(() => store.claim(key('a')));
    await untilOneWaits(direct);
    await direct.query('COMMIT');
    expect(await claim).toBe('store_lost');
    expect(lost.length).toBe(1);
    const { rows: sessions } = await direct.query(`SELECT lease FROM ${schema}.sessions`);
    expect(sessions).toEqual([{ lease: '1' }]);
  });

  test('one that is refused has not migrated the schema of the other', async () => {
    const first = await start();
    const second = new ManualClock();
    const database = connect({ url: server.url, readers: 1, connectMs: 10_000, statementMs: 10_000 });
    const list = [...migrations, 'CREATE TABLE %.more (n integer);'];
    const refused = codeOf(() => openOn(database, { schema, ttlMs, clock: second, list }));
    await advanceUntil(second, 0, () => second.armed > 0);
    first.clock.advance(ttlMs / 6);
    await advanceUntil(first.clock, 0, async () => (await rows())[0]?.beat === '1');
    second.advance(ttlMs / 24);
    expect(await refused).toBe('store_locked');
    const { rows: found } = await direct.query<{ there: boolean }>(
      `SELECT to_regclass('${schema}.more') IS NOT NULL AS there`,
    );
    expect(found).toEqual([{ there: false }]);
    await first.store.close();
    const ours = connect({ url: server.url, readers: 1, connectMs: 10_000, statementMs: 10_000 });
    opened.push(await openOn(ours, { schema, ttlMs, list }));
    expect((await direct.query(`SELECT n FROM ${schema}.more`)).rows).toEqual([]);
  });

  test('one that has been closed leaves the database free', async () => {
    const first = await start();
    await first.store.close();
    await start();
    expect((await rows()).map(({ state }) => state)).toEqual(['left', 'alive']);
    expect(first.lost).toEqual([]);
  });

  test('of several that start at once one gets it', async () => {
    await (await start()).store.close();
    const ends = await Promise.allSettled([1, 2, 3].map(() => openBeside()));
    expect(ends.filter(({ status }) => status === 'fulfilled').length).toBe(1);
    expect((await rows()).filter(({ state }) => state === 'alive').length).toBe(1);
  });
});

/** With the clock of the machine: the others see the beats of the one that got in. */
async function openBeside(): Promise<PostgresStore> {
  const store = await openPostgresStore({ url: server.url, schema, ttlMs: 2_000 });
  opened.push(store);
  return store;
}

describe('a daemon that the database does not answer', () => {
  test('gives up before its time-to-live is over, once', async () => {
    const proxy = await openCuttingProxy(server.port, 1, () => 0.999_999);
    proxy.spare();
    const { clock, lost, store } = await start({ url: `postgres://signalbox@127.0.0.1:${proxy.port}/postgres` });
    clock.advance(10_000);
    await advanceUntil(clock, 0, async () => (await rows())[0]?.beat === '1');
    await proxy[Symbol.asyncDispose]();
    await advanceUntil(clock, 5_000, () => lost.length > 0);
    expect(lost.map(({ code }) => code)).toEqual(['store_lost']);
    expect(clock.now()).toBeLessThan(10_000 + ttlMs);
    expect(clock.now()).toBeGreaterThan(30_000);
    expect(await codeOf(() => store.claim(key('a')))).toBe('store_lost');
    clock.advance(ttlMs);
    expect(lost.length).toBe(1);
  });

  test('works on after its own standstill where no other has taken over', async () => {
    const { clock, lost, store } = await start();
    clock.jump(3 * ttlMs);
    await advanceUntil(clock, 0, async () => (await rows())[0]?.beat === '1');
    clock.advance(ttlMs / 6);
    await advanceUntil(clock, 0, async () => (await rows())[0]?.beat === '2');
    expect(lost).toEqual([]);
    expect((await owner(store, 'a')).lease).toBe(1);
  });
});
