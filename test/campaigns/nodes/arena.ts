/**
 * Where the campaign takes place: some nodes, the way of each to the database, and the server, which may become another one in a failover.
 *
 * Owned by one run. Owns: the daemons, the proxies and the server, which go with it.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { Cli } from '../../support/cli.ts';
import { type LinkProxy, openLinkProxy } from '../../support/link-proxy.ts';
import type { PostgresServer } from '../../support/postgres.ts';
import { freePort } from '../../support/server-program.ts';
import { type NodeSettings, type RealNode, startNode, statement } from './world.ts';

export const database = 'nodes';
/** Whole numbers from 0 to below the bound. */
export type Draw = (below: number) => number;

/** One node, whether it runs or not. Its name, its port and its data folder stay. */
export interface Place {
  readonly name: string;
  readonly cli: Cli;
  readonly port: number;
  readonly proxy: LinkProxy;
  node: RealNode | null;
  /** Flags of Node for its next starts. */
  flags: readonly string[];
  /** Migrations that its next start knows beside those of this version. */
  migrations: number;
}

export interface ArenaOptions {
  readonly nodes: number;
  readonly ttlMs: number;
  /** For what the nodes and their agents say. */
  readonly folder: string;
}

export const any = <T>(list: readonly T[], draw: Draw): T => {
  const one = list[draw(list.length)];
  if (one === undefined) {
    throw new Error('one of several is wanted');
  }
  return one;
};

export class Arena implements AsyncDisposable {
  readonly options: ArenaOptions;
  readonly places: readonly Place[];
  /** The primary. */
  server: PostgresServer;
  /** A node has ended that was not ended by the campaign. */
  onDeath: (what: string) => void = () => {};

  private constructor(options: ArenaOptions, server: PostgresServer, places: readonly Place[]) {
    this.options = options;
    this.server = server;
    this.places = places;
  }

  /** Its nodes run. It owns the server from now on. */
  static async open(options: ArenaOptions, server: PostgresServer): Promise<Arena> {
    await statement(server, `CREATE DATABASE ${database}`);
    const places: Place[] = [];
    for (let n = 1; n <= options.nodes; n += 1) {
      places.push(await place(`node-${n}`, server));
    }
    const arena = new Arena(options, server, places);
    for (const one of places) {
      await arena.start(one);
    }
    return arena;
  }

  get ttlMs(): number {
    return this.options.ttlMs;
  }

  /** Where agents say what they do. */
  get log(): string {
    return join(this.options.folder, 'agents.log');
  }

  get up(): readonly RealNode[] {
    return this.places.flatMap(({ node }) => node ?? []);
  }

  settingsOf({ port, proxy, flags, migrations }: Place): NodeSettings {
    return {
      store: `postgres://signalbox@127.0.0.1:${proxy.port}/${database}`,
      ttlMs: this.ttlMs,
      log: this.log,
      graceMs: 1_000,
      port,
      node: ['--import', nextSchema, ...flags],
      env: { NEXT_SCHEMA: String(migrations) },
    };
  }

  async start(place: Place): Promise<void> {
    const node = await startNode(place.cli, place.name, this.settingsOf(place));
    this.keep(node);
    place.node = node;
    void node.up.ended.then(({ code, signal, stderr }) => {
      if (place.node === node) {
        place.node = null;
        this.onDeath(`${place.name} ended with ${code ?? signal ?? '?'}: ${stderr.slice(-500)}`);
      }
    });
  }

  /** What it says goes into a file. */
  keep({ name, up }: RealNode): void {
    const file = join(this.options.folder, `${name}.log`);
    for (const stream of [up.child.stdout, up.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => appendFileSync(file, chunk));
    }
  }

  /** Takes it out of those that are asked; gives it. Null: it does not run. */
  take(place: Place): RealNode | null {
    const { node } = place;
    place.node = null;
    return node;
  }

  /** As by its supervisor; a start that is refused for what is left of the one before, or for the database, is tried again. */
  async restart(place: Place, withinMs = 60_000): Promise<void> {
    const until = performance.now() + withinMs;
    for (;;) {
      try {
        await this.start(place);
        return;
      } catch (error) {
        if (performance.now() > until) {
          throw error;
        }
        await after(200);
      }
    }
  }

  /** Of its database. */
  get url(): string {
    return this.server.urlOf(database);
  }

  async sql(
    text: string,
    values: readonly (string | number)[] = [],
  ): Promise<readonly { readonly [column: string]: unknown }[]> {
    return (await statement(this, text, values)).rows;
  }

  /** Sessions that nodes own, those of one alone where it is named, at most so many. */
  async owned(name: string | null, limit = 3): Promise<readonly string[]> {
    const rows = await this.sql(
      `SELECT s.key FROM signalbox.sessions s JOIN signalbox.nodes n ON n.inc = s.owner
       WHERE n.state IN ('alive', 'draining') AND n.name LIKE $1 ORDER BY s.changed_at DESC LIMIT $2`,
      [name ?? '%', limit],
    );
    return rows.map((row) => String(row['key']));
  }

  /** The name of who owns a session; null: none. */
  async ownerOf(session: string): Promise<string | null> {
    const [row] = await this.sql(
      'SELECT n.name FROM signalbox.sessions s JOIN signalbox.nodes n ON n.inc = s.owner WHERE s.key = $1',
      [session],
    );
    return row === undefined ? null : String(row['name']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.places.forEach((place) => this.take(place));
    await Promise.all(this.places.map(({ cli }) => cli[Symbol.asyncDispose]()));
    await Promise.all(this.places.map(({ proxy }) => proxy[Symbol.asyncDispose]()));
    await this.server.stop();
  }
}

const nextSchema = new URL('../../support/next-schema.ts', import.meta.url).href;

async function place(name: string, server: PostgresServer): Promise<Place> {
  const [port, proxy] = [await freePort(), await openLinkProxy(server.port)];
  return { name, cli: new Cli(), port, proxy, node: null, flags: [], migrations: 0 };
}
