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
  /** Where it listens. Default: on the loopback, at any port. */
  readonly host?: string;
  readonly port?: number;
  /** Flags of Node, and a command that runs it. */
  readonly node?: readonly string[];
  readonly within?: readonly string[];
  readonly env?: { readonly [name: string]: string };
}

/** What `signalbox up` is given to be such a node. */
export const upOf = (name: string, settings: NodeSettings) => ({
  args: ['--log-level', 'info', '--host', settings.host ?? '127.0.0.1', '--port', String(settings.port ?? 0)],
  options: {
    node: settings.node ?? [],
    within: settings.within ?? [],
    env: {
      SIGNALBOX_STORE: settings.store,
      SIGNALBOX_NODE_NAME: name,
      SIGNALBOX_NODE_TTL_MS: String(settings.ttlMs),
      SIGNALBOX_AGENT_LOG: settings.log,
      SIGNALBOX_LIMITS_GRACE_MS: String(settings.graceMs),
      ...settings.env,
    },
  },
});

export async function startNode(cli: Cli, name: string, settings: NodeSettings): Promise<RealNode> {
  const { args, options } = upOf(name, settings);
  const up = await cli.up(args, options);
  const client = createClient({ baseUrl: up.ready.url, token: readFileSync(join(cli.data, 'token'), 'utf8').trim() });
  return { name, cli, up, client };
}

/** An empty database; gives its URL. */
export async function newDatabase(server: PostgresServer, name: string): Promise<string> {
  await statement(server, `CREATE DATABASE ${name}`);
  return server.urlOf(name);
}

export async function statement(
  { url }: { readonly url: string },
  text: string,
  values: readonly (string | number)[] = [],
): Promise<pg.QueryResult<{ readonly [column: string]: unknown }>> {
  const admin = new pg.Client({ connectionString: url });
  admin.on('error', () => {});
  await admin.connect();
  try {
    return await admin.query<{ [column: string]: unknown }>(text, [...values]);
  } finally {
    await admin.end().catch(() => {});
  }
}

/** The daemon and its launcher, without a word. */
export function killNode({ up }: Pick<RealNode, 'up'>): void {
  process.kill(up.ready.daemon, 'SIGKILL');
  up.child.kill('SIGKILL');
}
