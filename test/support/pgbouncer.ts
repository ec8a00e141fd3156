/** A pooler in front of a test's Postgres server: pgbouncer, where Debian's package is installed. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresServer } from './postgres.ts';
import { freePort, giveTo, serverUser, untilSays } from './server-program.ts';

const program = '/usr/sbin/pgbouncer';

export const hasPgbouncer = spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;

export interface Pooler {
  readonly url: string;
  stop(): Promise<void>;
}

interface PoolerOptions {
  readonly database?: string;
  /** Connections of the server for all clients together. Few: statements of many share one. */
  readonly poolSize?: number;
}

/** In transaction mode: two statements of one client may run on two connections of the server. */
export async function startPgbouncer(
  server: Pick<PostgresServer, 'port'>,
  { database = 'postgres', poolSize = 3 }: PoolerOptions = {},
): Promise<Pooler> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-pgbouncer-'));
  const port = await freePort();
  const [ini, users] = [join(folder, 'pgbouncer.ini'), join(folder, 'users.txt')];
  writeFileSync(users, '"signalbox" ""\n');
  writeFileSync(
    ini,
    `[databases]
${database} = host=127.0.0.1 port=${server.port} dbname=${database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 500
`,
  );
  giveTo(folder, ini, users);
  const pooler = spawn(program, [ini], { ...serverUser, stdio: ['ignore', 'ignore', 'pipe'] });
  await untilSays(pooler, 'process up');
  return {
    url: `postgres://signalbox@127.0.0.1:${port}/${database}`,
    stop: async () => {
      const gone = once(pooler, 'exit');
      pooler.kill('SIGKILL');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
