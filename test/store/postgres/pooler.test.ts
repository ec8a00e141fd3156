/** The contract suites behind a pooler in transaction mode, but that of hints: it keeps them back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { hintsContract, nodesContract, storeContract } from '../../../src/testing/store/contract.ts';
import { hasPgbouncer, type Pooler, startPgbouncer } from '../../support/pgbouncer.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { joined } from '../harness.ts';
import { schemaHarness } from './harness.ts';

describe.skipIf(!hasPgbouncer)('behind pgbouncer (left out where it is not installed)', () => {
  let server: PostgresServer;
  let pooler: Pooler;

  beforeAll(async () => {
    server = await startPostgres(['autovacuum=off', 'fsync=off']);
    pooler = await startPgbouncer(server);
  });
  afterAll(async () => {
    await pooler.stop();
    await server.stop();
  });

  const api = { describe, expect, it };
  const make = () =>
    schemaHarness(
      (place) => openPostgresStore({ url: pooler.url, ...place }),
      (text) => server.query(text),
    );
  storeContract(api, 'postgres behind pgbouncer', make);
  storeContract(api, 'postgres behind pgbouncer, shared', () => joined(make()));
  nodesContract(api, 'postgres behind pgbouncer', make);
  const listening = () =>
    schemaHarness(
      (place) => openPostgresStore({ url: pooler.url, listenUrl: server.url, ...place }),
      (text) => server.query(text),
    );
  hintsContract(api, 'postgres behind pgbouncer, hints from the server itself', listening);
});
