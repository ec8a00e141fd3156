/** The contract suites on a real Postgres server, and on Postgres as a library. */
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOn, openPostgresStore } from '../../../src/store/postgres/open.ts';
import { hintsContract, nodesContract, storeContract } from '../../../src/testing/store/contract.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { joined } from '../harness.ts';
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
const postgres = () =>
  schemaHarness(
    (place) => openPostgresStore({ url: server.url, ...place }),
    (text) => server.query(text),
  );
const pglite = () =>
  schemaHarness(
    (place) => openOn(pgliteDatabase(library), place),
    (text) => library.query(text),
  );

for (const [name, make] of Object.entries({ postgres, pglite })) {
  storeContract(api, name, make);
  storeContract(api, `${name}, shared`, () => joined(make()));
  nodesContract(api, name, make);
  hintsContract(api, name, make);
}
