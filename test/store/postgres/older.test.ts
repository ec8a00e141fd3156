/**
 * The contract suites on an older major of Postgres: that of Debian, or of the folder that SIGNALBOX_TEST_POSTGRES names. 14 is the oldest.
 * What differs between majors is what a server takes and answers, so `npm test` has the suites of a shared schema alone here, which send
 * every statement but those of a daemon that has the schema for itself; with the variable all of them run.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { hintsContract, nodesContract, storeContract } from '../../../src/testing/store/contract.ts';
import { olderProgram, type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { joined } from '../harness.ts';
import { schemaHarness } from './harness.ts';

const program = olderProgram();

describe.skipIf(program === null)(
  'on an older Postgres (left out where neither Debian has one nor SIGNALBOX_TEST_POSTGRES names one)',
  () => {
    let server: PostgresServer;

    beforeAll(async () => {
      server = await startPostgres(['autovacuum=off', 'fsync=off'], program ?? undefined);
    });
    afterAll(() => server.stop());

    const api = { describe, expect, it };
    const make = () =>
      schemaHarness(
        (place) => openPostgresStore({ url: server.url, ...place }),
        (text) => server.query(text),
      );
    storeContract(api, 'older postgres, shared', () => joined(make()));
    nodesContract(api, 'older postgres', make);
    hintsContract(api, 'older postgres', make);
    if (process.env['SIGNALBOX_TEST_POSTGRES'] !== undefined) {
      storeContract(api, 'older postgres', make);
    }

    it('is older than the server of the other suites', async () => {
      const store = await openPostgresStore({ url: server.url, schema: 'older' });
      expect((await store.probe(false)).server).toMatch(/^Postgres 1[4-7]/);
      await store.close();
    });
  },
);
