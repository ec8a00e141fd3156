/** The contract suite on a real Postgres server, and on Postgres as a library. */
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Faults } from '../../../src/store/index.ts';
import { openOn, openPostgresStore } from '../../../src/store/postgres/open.ts';
import type { PostgresStore } from '../../../src/store/postgres/store.ts';
import type { StoreHarness } from '../../../src/testing/store/api.ts';
import { storeContract } from '../../../src/testing/store/contract.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { pgliteDatabase } from './pglite.ts';

let server: PostgresServer;
let library: PGlite;

beforeAll(async () => {
  // Its own transactions would hold back the feed of all sessions for a moment.
  [server, library] = await Promise.all([startPostgres(['autovacuum=off', 'fsync=off']), PGlite.create()]);
});
afterAll(() => Promise.all([server.stop(), library.close()]));

interface Place {
  readonly schema: string;
  readonly faults?: Faults;
}

let schemas = 0;

/** Each test has a schema of its own. */
function harness(openAt: (place: Place) => Promise<PostgresStore>): StoreHarness {
  schemas += 1;
  const schema = `contract_${schemas}`;
  const opened: PostgresStore[] = [];
  return {
    async open(options = {}) {
      const store = await openAt({ schema, ...options });
      opened.push(store);
      return store;
    },
    async dispose() {
      await Promise.all(opened.map((store) => store.close()));
    },
  };
}

const api = { describe, expect, it };
storeContract(api, 'postgres', () => harness((place) => openPostgresStore({ url: server.url, ...place })));
storeContract(api, 'pglite', () => harness((place) => openOn(pgliteDatabase(library), place)));
