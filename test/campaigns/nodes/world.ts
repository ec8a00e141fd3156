/** Real daemons with their launchers on one real Postgres server. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { type Client, createClient } from '../../../src/client/index.ts';
import type { Cli, Up } from '../../support/cli.ts';
import type { PostgresServer } from '../../support/postgres.ts';

export interface RealNode {
  readonly name: string;
  readonly cli: Cli;
  readonly up: Up;
  readonly client: Client;
}

export interface NodeSettings {
  readonly store: string;
  /** Short, so that a takeover takes no longer than a test may. */
  readonly ttlMs: number;
  /** Where its agents say what they do; several nodes may have one. */
  readonly log: string;
  readonly graceMs: number;
}

export async function startNode(
  cli: Cli,
  name: string,
  { store, ttlMs, log, graceMs }: NodeSettings,
): Promise<RealNode> {
  const env = {
    SIGNALBOX_STORE: store,
    SIGNALBOX_NODE_NAME: name,
    SIGNALBOX_NODE_TTL_MS: String(ttlMs),
    SIGNALBOX_AGENT_LOG: log,
    SIGNALBOX_LIMITS_GRACE_MS: String(graceMs),
  };
  const up = await cli.up(['--log-level', 'info'], { env });
  const client = createClient({ baseUrl: up.ready.url, token: readFileSync(join(cli.data, 'token'), 'utf8').trim() });
  return { name, cli, up, client };
}

/** An empty database; gives its URL. */
export async function newDatabase(server: PostgresServer, name: string): Promise<string> {
  await statement(server, `CREATE DATABASE ${name}`);
  return server.urlOf(name);
}

export async function statement(server: PostgresServer, text: string): Promise<pg.QueryResult> {
  const admin = new pg.Client({ connectionString: server.url });
  admin.on('error', () => {});
  await admin.connect();
  const result = await admin.query(text);
  await admin.end();
  return result;
}

/** The daemon and its launcher, without a word. */
export function killNode({ up }: Pick<RealNode, 'up'>): void {
  process.kill(up.ready.daemon, 'SIGKILL');
  up.child.kill('SIGKILL');
}
