/** Opens a Postgres database: connections, the look at its server, migrations. */
import { AppError } from '../../core/errors.ts';
import { noFaults, type Faults } from '../faults.ts';
import { num } from '../row.ts';
import { connect } from './client.ts';
import type { Database } from './database.ts';
import { Eras } from './eras.ts';
import { openError } from './failure.ts';
import { Membership, type MembershipClock } from './membership.ts';
import { migrate, migrations, quoted, sinceNodes } from './migrate.ts';
import { statements } from './sql.ts';
import { PostgresStore } from './store.ts';

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`, with the parameters of `pg` (`sslmode` among them). */
  readonly url: string;
  /** Its tables stand in this schema, which is made when it is not there. Default `signalbox`. */
  readonly schema?: string;
  readonly faults?: Faults;
  /** Where notifications come from. Default: `url`, which keeps them back where it is a pooler in transaction mode. */
  readonly listenUrl?: string;
  /** Connections for readers. Default 4. */
  readonly readers?: number;
  /** Default 10 s. */
  readonly connectMs?: number;
  /** A statement without an answer for so long is given up, and its connection with it. Default 30 s. */
  readonly statementMs?: number;
  /** Not shared: without a sign of life for so long, another daemon may take over. Default 60 s. */
  readonly ttlMs?: number;
  /** Whom `store_locked` names to others: the process to signal. Default: this one. */
  readonly pid?: number;
  /** Several nodes work on the schema. The store joins them by `nodes.join`, not when it is opened. Default false: it has it for itself. */
  readonly shared?: boolean;
  /** Not shared: the database is another daemon's now, or may be (`store_lost`): end all agents, and stop. Nothing more is written. */
  readonly onLost?: (error: AppError) => void;
  /** The start waits until another daemon, which this names, has been silent for `ttlMs`. */
  readonly onWait?: (other: string) => void;
  readonly clock?: MembershipClock;
}

/** PG 14: what the statements need (`xid8` and its functions are of 13), and the oldest that is supported by its makers. */
const oldest = 140_000;

/** Throws `store_unreachable`, `store_refused`, `store_newer`, `store_locked`, or `store_failed`. */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const { url, listenUrl = url, readers = 4, connectMs = 10_000, statementMs = 30_000 } = options;
  return openOn(connect({ url, listenUrl, readers, connectMs, statementMs }), options);
}

interface OpenOptions extends Omit<
  PostgresStoreOptions,
  'url' | 'listenUrl' | 'readers' | 'connectMs' | 'statementMs'
> {
  /** Default: those of this version. */
  readonly list?: readonly string[];
}

/**
 * On a client that is connected already; it is ended with the store, or when opening fails. A daemon that is refused has
 * changed nothing: the schema is that of the one at work.
 */
export async function openOn(database: Database, options: OpenOptions): Promise<PostgresStore> {
  const { schema = 'signalbox', faults = noFaults, ttlMs = 60_000, pid = process.pid, clock = systemClock } = options;
  const { onLost = () => {}, onWait = () => {}, list = migrations, shared = false } = options;
  try {
    await checkServer(database);
    const { from } = await migrate(database, schema, { list, dryRun: true });
    if (from < sinceNodes) {
      await migrate(database, schema, { list });
    }
    const sql = statements(quoted(schema));
    if (shared) {
      // The version before runs on beside this one.
      await migrate(database, schema, { list });
      const eras = await Eras.open(database.write, sql);
      return new PostgresStore({ database, sql, schema, eras, faults, membership: null });
    }
    const membership = await Membership.join({ database, sql, ttlMs, pid, onLost, onWait, clock });
    try {
      await migrate(database, schema, { list });
      const eras = await Eras.open(database.write, sql);
      return new PostgresStore({ database, sql, schema, eras, faults, membership });
    } catch (error) {
      await membership.leave().catch(() => {});
      throw error;
    }
  } catch (error) {
    await database.end();
    throw openError(error);
  }
}

/** Throws `store_refused` for a server that is too old or takes no writes. */
export async function checkServer(database: Database): Promise<void> {
  const [row] = await database.write(
    "SELECT current_setting('server_version_num')::integer AS version, pg_is_in_recovery() AS standby",
  );
  const version = num(row ?? {}, 'version');
  if (version < oldest) {
    throw new AppError({
      code: 'store_refused',
      message: `the server is Postgres ${Math.floor(version / 10_000)}`,
      hint: 'Use Postgres 14 or newer.',
    });
  }
  if (row?.['standby'] === true) {
    throw new AppError({
      code: 'store_refused',
      message: 'the server is a standby, which takes no writes',
      hint: 'Give the URL of the primary.',
    });
  }
}

/** Monotonic. */
const systemClock: MembershipClock = {
  now: () => performance.now(),
  timer(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
