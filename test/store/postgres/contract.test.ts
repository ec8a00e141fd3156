/** The contract suite on a real Postgres server, and on Postgres as a library. */
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOn, openPostgresStore } from '../../../src/store/postgres/open.ts';
import { storeContract } from '../../../src/testing/store/contract.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { schemaHarness } from './harness.ts';
import { pgliteDatabase } from './pglite.ts';

let server: PostgresServer;
let library: PGlite;

beforeAll(async () => {
  // Its own transactions would hold back the feed of all sessions for a moment.
  [server, library] = await Promise.all([startPostgres(['autovacuum=off', 'fsync=off']), PGlite.create()]);
});
afterAll(() => Promise.all([server.stop(), library.close()]));

const api = { describe, expect, it };
storeContract(api, 'postgres', () => schemaHarness((place) => openPostgresStore({ url: server.url, ...place })));
storeContract(api, 'pglite', () => schemaHarness((place) => openOn(pgliteDatabase(library), place)));
