/** What nodes ask again and again, on tables with more and more history: the pages that it reads stay the same. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { fill, hot, type Name, openSessions, pagesOf, sql } from '../../support/large-tables.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { statement } from '../../campaigns/nodes/world.ts';

const sizes = [2 * openSessions, 20 * openSessions];
/** An index of ten times as many rows may be a page deeper, for each row that a statement gives. */
const growth = 1.7;
/** Read at the start of a daemon alone, once for all of its pages. */
const atStart: readonly Name[] = ['openSessions'];

let server: PostgresServer;
const clients: pg.Client[] = [];

beforeAll(async () => {
  server = await startPostgres(['fsync=off', 'autovacuum=off']);
  for (const sessions of sizes) {
    await statement(server, `CREATE DATABASE of_${sessions}`);
    const url = server.urlOf(`of_${sessions}`);
    await (await openPostgresStore({ url })).close();
    const client = new pg.Client(url);
    await client.connect();
    await fill(client, sessions);
    clients.push(client);
  }
}, 120_000);
afterAll(async () => {
  await Promise.all(clients.map((client) => client.end()));
  await server.stop();
});

const pages = (at: number, name: Name): Promise<number> => {
  const [client, sessions] = [clients[at], sizes[at]];
  const values = hot(sessions ?? 0).find(([one]) => one === name)?.[1];
  return client === undefined || values === undefined ? Promise.resolve(Number.NaN) : pagesOf(client, name, values);
};

const names = hot(2 * openSessions).map(([name]) => name);

test.each(names.filter((name) => !atStart.includes(name)))('%s reads no more where more has ended', async (name) => {
  const [few, many] = [await pages(0, name), await pages(1, name)];
  expect(many).toBeLessThanOrEqual(Math.max(few, 4) * growth);
});

test('a look for free sessions reads nothing of those that living nodes own', async () => {
  expect(await pages(1, 'orphans')).toBeLessThan(50);
});

test('the feed reads nothing of what a transaction that is still open keeps back', async () => {
  const [client] = clients;
  await client?.query("UPDATE signalbox.runs SET xid = '1000000000'");
  const { rows } = (await client?.query(sql.feed, [1, '3', 0, 100])) ?? { rows: [1] };
  expect(rows).toEqual([]);
  expect(await pages(0, 'feed')).toBeLessThan(50);
});
