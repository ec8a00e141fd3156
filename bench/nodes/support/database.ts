/** An empty database for a part of a row, on the server that the run has started. */
import pg from 'pg';

export const serverPort = (): number => Number(process.env['BENCH_POSTGRES_PORT']);

const urlOf = (database: string): string => `postgres://signalbox@127.0.0.1:${serverPort()}/${database}`;

interface EmptyDatabase extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
  /** One connection, for looks from outside. */
  readonly client: pg.Client;
}

export async function emptyDatabase(): Promise<EmptyDatabase> {
  const name = `bench_${process.pid}_${(made += 1)}`;
  await onServer(`CREATE DATABASE ${name}`);
  const url = urlOf(name);
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  return {
    name,
    url,
    client,
    async [Symbol.asyncDispose]() {
      await client.end();
      await onServer(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

let made = 0;

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf('postgres') });
  await client.connect();
  await client.query(statement);
  await client.end();
}
