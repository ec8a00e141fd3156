/** A pooler in front of a test's Postgres server: pgbouncer, where Debian's package is installed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort, type PostgresServer } from './postgres.ts';

/** The user and group id of `nobody`: pgbouncer refuses to run as root. */
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
const program = '/usr/sbin/pgbouncer';

export const hasPgbouncer = spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;

export interface Pooler {
  readonly url: string;
  stop(): Promise<void>;
}

/** In transaction mode: two statements of one client may run on two connections of the server. */
export async function startPgbouncer(server: PostgresServer): Promise<Pooler> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-pgbouncer-'));
  const port = await freePort();
  const [ini, users] = [join(folder, 'pgbouncer.ini'), join(folder, 'users.txt')];
  writeFileSync(users, '"signalbox" ""\n');
  writeFileSync(
    ini,
    `[databases]
postgres = host=127.0.0.1 port=${server.port} dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = transaction
default_pool_size = 3
max_client_conn = 500
`,
  );
  const as = isRoot ? { uid: nobody, gid: nobody } : {};
  if (isRoot) {
    for (const path of [folder, ini, users]) {
      chownSync(path, nobody, nobody);
    }
  }
  const pooler = spawn(program, [ini], { ...as, stdio: ['ignore', 'ignore', 'pipe'] });
  await listening(pooler);
  return {
    url: `postgres://signalbox@127.0.0.1:${port}/postgres`,
    stop: async () => {
      const gone = once(pooler, 'exit');
      pooler.kill('SIGKILL');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function listening(pooler: ChildProcess): Promise<void> {
  const { stderr } = pooler;
  if (stderr === null) {
    return Promise.reject(new Error('pgbouncer has no log'));
  }
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    createInterface({ input: stderr }).on('line', (line) => {
      said.push(line);
      if (line.includes('process up')) {
        resolve();
      }
    });
    pooler.once('exit', (code) => reject(new Error(`pgbouncer ended with ${code}:\n${said.join('\n')}`)));
  });
}
