/** The schema: as committed, and as migrated on a real server. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { migrations } from '../../../src/store/postgres/migrate.ts';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { startPostgres } from '../../support/postgres.ts';
import { dumpFile, dumpSchema } from './dump.ts';

test('the migrations give the committed schema (write it with `node test/store/postgres/dump.ts`)', async () => {
  const server = await startPostgres(['fsync=off']);
  try {
    await (await openPostgresStore({ url: server.url })).close();
    expect(await dumpSchema(server.url, 'signalbox')).toBe(readFileSync(dumpFile, 'utf8'));
  } finally {
    await server.stop();
  }
});

/** A migration that a database has had can never change again. A new one adds a line here. */
test('the migrations never change', () => {
  const digests = migrations.map((text) => createHash('sha256').update(text).digest('hex').slice(0, 16));
  expect(digests).toEqual([
    '5903bf41dc41a97c',
    '4e09219dd2f0da9d',
    'b341a58cbf9582e9',
    'cf8f4c31cd58734d',
    'a9d886653c394ec6',
    '97bbffc93d7c248f',
    '01df581b07504825',
    '54de088419fa7a2f',
    '92175055554559c7',
  ]);
});
