/** The contract suite behind a pooler in transaction mode. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { storeContract } from '../../../src/testing/store/contract.ts';
import { hasPgbouncer, type Pooler, startPgbouncer } from '../../support/pgbouncer.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
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

  storeContract({ describe, expect, it }, 'postgres behind pgbouncer', () =>
    schemaHarness((place) => openPostgresStore({ url: pooler.url, ...place })),
  );
});
