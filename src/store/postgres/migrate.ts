/**
 * The numbered migrations, and how they are applied: once, by whichever daemon is first, in one transaction.
 *
 * The lock is of the transaction: a session's lock would be lost behind a pooler.
 */
import { AppError } from '../../core/errors.ts';
import { num } from '../row.ts';
import type { Database, Query } from './database.ts';
import { spine } from './migrations/0001-spine.ts';
import { nodes } from './migrations/0002-nodes.ts';
import { shared } from './migrations/0003-shared.ts';
import { placement } from './migrations/0004-placement.ts';
import { throttles } from './migrations/0005-throttles.ts';
import { eras } from './migrations/0006-eras.ts';
import { free } from './migrations/0007-free.ts';
import { conversations } from './migrations/0008-conversations.ts';
import { outbox } from './migrations/0009-outbox.ts';

/** In order, append-only. `%` is the schema. */
export const migrations: readonly string[] = [
  spine,
  nodes,
  shared,
  placement,
  throttles,
  eras,
  free,
  conversations,
  outbox,
];

/** From this version on a schema says which daemon works on it. */
export const sinceNodes = 2;

/** `SgBx`: the first half of the key of the advisory lock; the second is the schema's. */
const lockClass = 0x53674278;

export interface MigrationReport {
  readonly from: number;
  readonly to: number;
}

/** Throws `store_newer` for a schema that a newer Signalbox made; `dryRun` changes nothing. */
export async function migrate(
  database: Database,
  schema: string,
  options: { readonly dryRun?: boolean; readonly list?: readonly string[] } = {},
): Promise<MigrationReport> {
  const { dryRun = false, list = migrations } = options;
  const known = await versionOf(database.write, schema);
  if (known > list.length) {
    throw newer(known, list.length);
  }
  if (known === list.length || dryRun) {
    return { from: known, to: list.length };
  }
  return database.transaction(async (query) => {
    await query('SELECT pg_advisory_xact_lock($1::integer, hashtext($2))', [lockClass, schema]);
    const from = await versionOf(query, schema);
    if (from > list.length) {
      throw newer(from, list.length);
    }
    const name = quoted(schema);
    if (from === 0) {
      await query(`CREATE SCHEMA IF NOT EXISTS ${name}`);
      await query(
        `CREATE TABLE IF NOT EXISTS ${name}.migrations (number integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())`,
      );
    }
    for (const [index, migration] of list.entries()) {
      if (index >= from) {
        for (const statement of statementsOf(migration)) {
          await query(statement.replaceAll('%', name));
        }
        await query(`INSERT INTO ${name}.migrations (number) VALUES ($1)`, [index + 1]);
      }
    }
    return { from, to: list.length };
  });
}

/**
 * Migrations so far; 0 where there is no schema yet. By the catalog's rows: a connection that waited for the lock still remembers that a name
 * was not there, and `to_regclass` believes it.
 */
async function versionOf(query: Query, schema: string): Promise<number> {
  const [found] = await query(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = 'migrations') AS there`,
    [schema],
  );
  if (found?.['there'] !== true) {
    return 0;
  }
  const [row] = await query(`SELECT coalesce(max(number), 0) AS number FROM ${quoted(schema)}.migrations`);
  return row === undefined ? 0 : num(row, 'number');
}

const newer = (found: number, known: number): AppError =>
  new AppError({
    code: 'store_newer',
    message: `the schema has ${found} migrations; this version knows ${known}`,
  });

/** A migration holds no semicolon but those between its statements. */
const statementsOf = (migration: string): readonly string[] =>
  migration
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
