/** Several nodes on one schema of a real server: races, locks, lost connections. What one call after the other does is in the contract. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../../src/store/postgres/client.ts';
import { migrate, migrations } from '../../../src/store/postgres/migrate.ts';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import type { PostgresStore } from '../../../src/store/postgres/store.ts';
import { codeOf } from '../../../src/testing/store/api.ts';
import {
  applied,
  apply,
  bury,
  command,
  eraOf,
  factsOf,
  idsOf,
  type Member,
  stateOf,
} from '../../../src/testing/store/members.ts';
import { admit, end, key, owner, progress, taskEvent, wholeTask } from '../../../src/testing/store/records.ts';
import { incarnation, sessionKey, taskId } from '../../../src/core/model/ids.ts';
import { openCuttingProxy } from '../../support/cutting-proxy.ts';
import { openLinkProxy } from '../../support/link-proxy.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { seeded } from '../../support/random.ts';
import { persistently, type PostgresServer, startPostgres, untilOneWaits } from '../../support/postgres.ts';

const rounds = 150;
const load = { agents: 0, maxAgents: 1, waiting: 0, idle: 0 };

let server: PostgresServer;
let direct: pg.Client;
let schema = '';
let count = 0;
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
  count += 1;
  schema = `shared_${count}`;
});
afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()));
  opened = [];
});

type PostgresMember = Member & { readonly store: PostgresStore };

/** Above those that the schema gives out to daemons that have it for themselves. */
let ids = 1_000;

async function member(name: string, options: { url?: string; ttlMs?: number } = {}): Promise<PostgresMember> {
  const { url = server.url, ttlMs = 10_000 } = options;
  const store = await openPostgresStore({ url, schema, shared: true });
  opened.push(store);
  const { nodes } = store;
  if (nodes === null) {
    throw new Error('the store is shared');
  }
  ids += 1;
  const id = ids;
  await nodes.join(id, factsOf(name, { ttlMs }));
  return { id, name, store, nodes, owner: (session) => owner(store, session) };
}

const countOf = <T>(all: readonly T[], test: (one: T) => boolean): number => all.filter(test).length;

describe('nodes that race', () => {
  test('of two that claim one session at once, one gets it, and the other learns who', async () => {
    const nodes = [await member('a'), await member('b')] as const;
    for (let n = 0; n < rounds; n += 1) {
      const claims = await Promise.all(nodes.map(async ({ store }) => store.claim(key(`s${n}`))));
      const winner = nodes[claims.findIndex((claim) => 'lease' in claim)];
      expect(countOf(claims, (claim) => 'lease' in claim)).toBe(1);
      expect(claims.find((claim) => 'held' in claim)).toEqual({ held: { node: winner?.id, name: winner?.name } });
    }
  });

  test('of a renewal and a declaration of death, one comes true', async () => {
    const watcher = await member('watcher');
    const { nodes } = await member('a');
    let { id } = { id: ids };
    const { era } = await eraOf({ nodes });
    let beat = 1;
    const lived: boolean[] = [];
    for (let n = 0; n < rounds; n += 1) {
      const [renewal, dead] = await Promise.all([
        nodes.renew(load, null, null),
        watcher.nodes.declareDead(id, beat, era),
      ]);
      expect([renewal?.state ?? null, dead]).toEqual(dead ? [null, true] : ['up', false]);
      lived.push(!dead);
      beat += 1;
      if (dead) {
        [id, beat] = [(ids += 1), 0];
        await nodes.join(id, factsOf('a'));
      }
    }
    expect(countOf(lived, (one) => one)).toBeGreaterThan(0);
    expect(countOf(lived, (one) => !one)).toBeGreaterThan(0);
  });

  test('of a withdrawal and the commit that applies the command, one comes true', async () => {
    const [a, b] = [await member('a'), await member('b')];
    const owned = await a.owner('s');
    await owned.commit(admit('t1'));
    let seq = 0;
    const kinds: string[] = [];
    for (let n = 0; n < rounds; n += 1) {
      const id = `l${n}`;
      await b.nodes.send([command(b, id, 's')]);
      const [outcome, withdrawn] = await Promise.all([
        apply(a, owned, [applied(b, id)], taskEvent('t1', seq + 1)),
        b.nodes.withdraw([id]),
      ]);
      seq += outcome?.kind === 'committed' ? 1 : 0;
      kinds.push(outcome?.kind ?? '');
      expect(withdrawn).toEqual(outcome?.kind === 'withdrawn' ? [id] : []);
      expect(idsOf(await b.nodes.replies([id]))).toEqual(outcome?.kind === 'committed' ? [id] : []);
    }
    expect(new Set(kinds)).toEqual(new Set(['committed', 'withdrawn']));
    expect((await a.store.task(taskId('t1')))?.seq).toBe(seq);
  });

  test('a claim waits for a declaration of death that has begun, and is refused by it', async () => {
    const a = await member('a');
    await a.owner('s');
    await direct.query('BEGIN');
    await direct.query(`SELECT inc FROM ${schema}.nodes FOR UPDATE`);
    await direct.query(`UPDATE ${schema}.nodes SET state = 'dead'`);
    const claim = codeOf(() => a.store.claim(key('s')));
    await untilOneWaits(direct);
    await direct.query('COMMIT');
    expect(await claim).toBe('store_lost');
    const { rows } = await direct.query(`SELECT lease FROM ${schema}.sessions`);
    expect(rows).toEqual([{ lease: '1' }]);
  });

  test('a declaration of death waits for a claim that has begun', async () => {
    const [a, b] = [await member('a'), await member('b')];
    await direct.query('BEGIN');
    await direct.query(`SELECT inc FROM ${schema}.nodes WHERE inc = $1 FOR KEY SHARE`, [a.id]);
    let declared = false;
    const dead = bury(b, a).then((done) => (declared = done));
    await untilOneWaits(direct);
    expect(declared).toBe(false);
    await direct.query('COMMIT');
    expect(await dead).toBe(true);
  });

  test('of several that start at once on an empty database, one makes the schema, and all join', async () => {
    await direct.query('BEGIN');
    // The key of the lock of migrations: all find no schema before one of them makes it.
    await direct.query('SELECT pg_advisory_xact_lock($1::integer, hashtext($2))', [0x53674278, schema]);
    const joined = Promise.all([member('a'), member('b'), member('c')]);
    await untilOneWaits(direct, 3);
    await direct.query('COMMIT');
    expect((await (await joined)[0].nodes.look()).nodes.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  test('many that start at once with one name: one joins', async () => {
    await member('first');
    const ends = await Promise.allSettled([1, 2, 3].map(() => member('same')));
    expect(countOf(ends, ({ status }) => status === 'fulfilled')).toBe(1);
  });
});

describe('a node that is cut off while it joins', () => {
  test('keeps no other one from joining: the server ends what it left open', async () => {
    await member('first');
    await using proxy = await openLinkProxy(server.port);
    const cut = await openPostgresStore({
      url: `postgres://signalbox@127.0.0.1:${proxy.port}/postgres`,
      schema,
      shared: true,
      statementMs: 1_000,
    });
    opened.push(cut);
    await direct.query('BEGIN');
    await direct.query(`LOCK TABLE ${schema}.nodes IN SHARE UPDATE EXCLUSIVE MODE`);
    const joins = codeOf(() => cut.nodes?.join(77, factsOf('cut')));
    await untilOneWaits(direct);
    // The server gives it the lock, and neither hears of the other again.
    proxy.set('silent');
    await direct.query('COMMIT');
    expect(await joins).toBe('store_unreachable');
    await member('next');
    proxy.set('open');
  });
});

describe('letters between nodes', () => {
  test('each is applied once, in the order of its sender, while the session moves from node to node', async () => {
    const nodes = [await member('a'), await member('b'), await member('c')] as const;
    const first = await nodes[0].owner('s');
    await first.commit(admit('t1'));
    await nodes[0].nodes.release([first]);
    const perSender = 40;
    const sending = Promise.all(
      nodes.map(async (from) => {
        for (let n = 0; n < perSender; n += 1) {
          await from.nodes.send([command(from, `${from.name}${n}`, 's', { n })]);
        }
      }),
    );
    let seq = 0;
    for (let turn = 0; seq < perSender * nodes.length; turn += 1) {
      const node = nodes[turn % nodes.length] ?? nodes[0];
      const owned = await node.owner('s');
      const letters = await node.nodes.receive(7);
      const outcome = await apply(
        node,
        owned,
        letters.map(({ id, from }) => ({ id, from, reply: id })),
        ...letters.map(({ id }, at) => taskEvent('t1', seq + at + 1, progress(id))),
      );
      expect(outcome?.kind).toBe('committed');
      seq += letters.length;
      await node.nodes.release([owned]);
    }
    await sending;
    const tape = await nodes[0].store.tape(key('s'), taskId('t1'), 0, 999);
    const done = tape.map(({ data }) => (data as { data: string }).data);
    for (const { name, nodes: own } of nodes) {
      const expected = Array.from({ length: perSender }, (_, n) => `${name}${n}`);
      expect(done.filter((id) => id.startsWith(name))).toEqual(expected);
      expect(idsOf(await own.replies(expected)).toSorted()).toEqual(expected.toSorted());
    }
  });

  test('a letter to a session that another node makes at this moment is there', async () => {
    const a = await member('a');
    await direct.query('BEGIN');
    await direct.query(`INSERT INTO ${schema}.sessions (key, lease, owner) VALUES ('s', 1, $1)`, [a.id]);
    const letter = command(a, 'l1', 's');
    const sent = a.nodes.send([letter]);
    await untilOneWaits(direct);
    await direct.query('COMMIT');
    await sent;
    expect(await a.nodes.receive(9)).toEqual([letter]);
  });

  test('a withdrawal whose answer gets lost says what it withdrew', async () => {
    await using proxy = await openCuttingProxy(server.port, 1_500, seeded(4));
    proxy.spare();
    const a = await member('a', { url: `postgres://signalbox@127.0.0.1:${proxy.port}/postgres` });
    proxy.cut();
    for (let n = 0; n < rounds; n += 1) {
      await persistently(() => a.nodes.send([command(a, `l${n}`, 's')]));
      expect(await persistently(() => a.nodes.withdraw([`l${n}`]))).toEqual([`l${n}`]);
    }
    expect(proxy.cuts).toBeGreaterThan(20);
    proxy.spare();
  });

  test('a command is applied once, wherever the connections of its owner and its sender are cut', async () => {
    const random = seeded(3);
    await using proxy = await openCuttingProxy(server.port, 4_000, random);
    proxy.spare();
    const url = `postgres://signalbox@127.0.0.1:${proxy.port}/postgres`;
    const [a, b] = [await member('a', { url }), await member('b', { url })];
    const owned = await a.owner('s');
    proxy.cut();
    const kinds = new Set<string>();
    for (let n = 0; n < 60; n += 1) {
      const id = `l${n}`;
      const [t, letter] = [`t${n}`, command(b, id, 's')];
      await persistently(() => b.nodes.send([letter]));
      await persistently(() => b.nodes.send([letter]));
      const [received] = await persistently(() => a.nodes.receive(9));
      expect(received).toEqual(letter);
      const withdrawal = n % 3 === 0 ? persistently(() => b.nodes.withdraw([id])) : Promise.resolve([]);
      const outcome = await persistently(() => apply(a, owned, [applied(b, id)], admit(t), end(t, 1)));
      kinds.add(outcome?.kind ?? '');
      expect(await withdrawal).toEqual(outcome?.kind === 'withdrawn' ? [id] : []);
      const replies = await persistently(() => b.nodes.replies([id]));
      expect(idsOf(replies)).toEqual(outcome?.kind === 'committed' ? [id] : []);
      const task = await persistently(() => a.store.task(taskId(t)));
      expect(task?.status).toBe(outcome?.kind === 'committed' ? 'completed' : undefined);
    }
    expect(kinds).toEqual(new Set(['committed', 'withdrawn']));
    expect(proxy.cuts).toBeGreaterThan(20);
    proxy.spare();
    expect(await persistently(() => a.nodes.receive(9))).toEqual([]);
  });

  test('replies that their node does not take are removed after ten minutes', async () => {
    const a = await member('a');
    const owned = await a.owner('s');
    await a.nodes.send([command(a, 'old', 's'), command(a, 'new', 's')]);
    await apply(a, owned, [applied(a, 'old'), applied(a, 'new')]);
    await direct.query(`UPDATE ${schema}.replies SET at = at - interval '11 minutes' WHERE id = 'old'`);
    await a.nodes.sweep();
    expect(idsOf(await a.nodes.replies(['old', 'new']))).toEqual(['new']);
  });
});

describe('a renewal', () => {
  test('that the database does not answer in time is rejected, and the next one is answered', async () => {
    const ttlMs = 2_000;
    const { id, nodes } = await member('a', { ttlMs });
    await direct.query('BEGIN');
    await direct.query(`SELECT inc FROM ${schema}.nodes WHERE inc = $1 FOR UPDATE`, [id]);
    expect(await codeOf(() => nodes.renew(load, null, null))).toBe('store_unreachable');
    await direct.query('COMMIT');
    expect(await stateOf({ nodes })).toBe('up');
  });

  test('that finds no connection is rejected in time', async () => {
    const proxy = await openCuttingProxy(server.port, 1, () => 0.999_999);
    proxy.spare();
    const { nodes } = await member('a', { url: `postgres://signalbox@127.0.0.1:${proxy.port}/postgres`, ttlMs: 2_000 });
    await nodes.renew(load, null, null);
    await proxy[Symbol.asyncDispose]();
    expect(await codeOf(() => nodes.renew(load, null, null))).toBe('store_unreachable');
  });
});

describe('hints', () => {
  test('are heard again after the connection was cut, and what may have been missed is said', async () => {
    const [a, b] = [await member('a'), await member('b')];
    let heard: string[] = [];
    let wake = (): void => {};
    a.nodes.onHint((hint) => {
      heard.push(hint);
      wake();
    });
    const until = async (hint: string): Promise<void> => {
      while (!heard.includes(hint)) {
        await new Promise<void>((resolve) => (wake = resolve));
      }
      heard = [];
    };
    const listening = "query LIKE 'LISTEN %' AND state = 'idle'";
    for (let there = false; !there;) {
      const { rows } = await direct.query(`SELECT 1 FROM pg_stat_activity WHERE ${listening}`);
      there = rows.length > 0;
    }
    await direct.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${listening}`);
    await until('letters');
    b.nodes.hintEvents();
    await until('events');
  });
});

describe('who else is there', () => {
  test('a node whose process is gone on the same machine leaves its name at once', async () => {
    const program = `
      import { openPostgresStore } from ${JSON.stringify(new URL('../../../src/store/postgres/open.ts', import.meta.url).href)};
      const store = await openPostgresStore({ url: ${JSON.stringify(server.url)}, schema: ${JSON.stringify(schema)}, shared: true });
      await store.nodes.join(900001, ${JSON.stringify(factsOf('a'))});
      console.log('joined');
      setInterval(() => {}, 1000);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(await codeOf(() => member('a'))).toBe('store_locked');
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    expect((await (await member('a')).nodes.look()).nodes.length).toBe(1);
  });

  test('a daemon that wants the schema for itself is refused beside a node that gives signs of life', async () => {
    const { nodes } = await member('a');
    const clock = new ManualClock();
    const refused = codeOf(() => openPostgresStore({ url: server.url, schema, clock }));
    while (clock.armed === 0) {
      await direct.query('SELECT 1');
    }
    await nodes.renew(load, null, null);
    clock.advance(60_000);
    expect(await refused).toBe('store_locked');
  });

  test('a schema of the version before is taken up, by a node and by a daemon that has it for itself', async () => {
    const before = connect({ url: server.url, readers: 1, connectMs: 10_000, statementMs: 10_000 });
    await migrate(before, schema, { list: migrations.slice(0, 2) });
    await before.write(`INSERT INTO ${schema}.processes VALUES (1, '1', 's', 1, 'c')`);
    await before.end();
    const alone = await openPostgresStore({ url: server.url, schema });
    await owner(alone, 's');
    await alone.close();
    const a = await member('a');
    expect((await a.owner('s')).lease).toBe(2);
    expect((await a.store.processes()).length).toBe(1);
  });

  test('open tasks of a daemon that has had the schema for itself are found', async () => {
    const alone = await openPostgresStore({ url: server.url, schema });
    const [open, ended] = [await owner(alone, 'open'), await owner(alone, 'ended')];
    await open.commit(admit('t1'));
    await ended.commit(...wholeTask('t2'));
    await alone.close();
    const a = await member('a');
    expect(await a.nodes.orphans(9)).toEqual(['open']);
    await a.owner('open');
    expect(await a.nodes.orphans(9)).toEqual([]);
  });

  test('idle sessions of a node that has gone are free after a sweep, and open ones are found before and after it', async () => {
    const [a, b] = [await member('a'), await member('b')];
    const [open, idle] = [await a.owner('open'), await a.owner('idle')];
    await open.commit(admit('t1'));
    await idle.commit(...wholeTask('t2'));
    await bury(b, a);
    expect(await b.nodes.orphans(9)).toEqual(['open']);
    await b.nodes.sweep();
    expect(await b.nodes.orphans(9)).toEqual(['open']);
    const { rows } = await direct.query(`SELECT key FROM ${schema}.sessions WHERE owner IS NOT NULL`);
    expect(rows).toEqual([{ key: 'open' }]);
    // A node of the version before gives sessions back without the mark.
    await direct.query(`UPDATE ${schema}.sessions SET owner = NULL`);
    await b.nodes.sweep();
    expect(await b.nodes.orphans(9)).toEqual(['open']);
  });

  test('the processes of another machine are left out', async () => {
    const [a, b] = [await member('a'), await member('b')];
    const row = { pid: 7, startTime: '1', session: sessionKey('s'), incarnation: incarnation(1), cookie: 'c' };
    await a.store.recordProcess(row);
    await direct.query(`UPDATE ${schema}.node_processes SET space = 'elsewhere'`);
    await a.store.recordProcess({ ...row, cookie: 'd' });
    await bury(b, a);
    expect(await b.store.processes()).toEqual([{ ...row, cookie: 'd' }]);
  });
});
