/** Faults of the database server, and of its schema. */
import { setTimeout as after } from 'node:timers/promises';
import pg from 'pg';
import { Cli } from '../../../support/cli.ts';
import { openLinkProxy } from '../../../support/link-proxy.ts';
import type { Arena } from '../arena.ts';
import { statement, upOf } from '../world.ts';
import type { Fault, Scene } from './fault.ts';
import { closeNode } from './processes.ts';

/** When it is over for all: work continues so much later. */
const continued = async ({ arena, load, draw }: Scene): Promise<number> => load.probe(await arena.owned(null), draw);

async function restart(scene: Scene): Promise<number> {
  const { arena, draw } = scene;
  await arena.server.crash();
  await after(draw(2 * arena.ttlMs));
  await arena.server.restart();
  return continued(scene);
}

const ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'signalbox'";

async function cutConnections(scene: Scene): Promise<number> {
  await scene.arena.sql(ours);
  return continued(scene);
}

/** Takes every connection that is left, and for a while also each that it takes from the nodes. */
async function fill(scene: Scene): Promise<number> {
  const { arena, draw } = scene;
  const taken: pg.Client[] = [];
  // Counted from when the server is full: on a busy machine that takes a while.
  let until = Infinity;
  while (performance.now() < until) {
    const client = new pg.Client(arena.server.url);
    client.on('error', () => {});
    try {
      await client.connect();
      taken.push(client);
    } catch {
      until = Math.min(until, performance.now() + arena.ttlMs / 4 + draw(2 * arena.ttlMs));
      await taken[0]?.query(`${ours} AND pid IN (SELECT pid FROM pg_stat_activity ORDER BY random() LIMIT 5)`);
    }
  }
  await Promise.all(taken.map((client) => client.end().catch(() => {})));
  return continued(scene);
}

async function holdTransaction(scene: Scene): Promise<number> {
  const { arena, draw } = scene;
  const seconds = draw(2 * arena.ttlMs) / 1_000;
  await statement(arena.server, `BEGIN; SELECT pg_current_xact_id(); SELECT pg_sleep(${seconds}); COMMIT`);
  return continued(scene);
}

/** The primary is gone, and its standby takes its place and address. `losesTail`: what the primary confirmed last has not arrived there. */
async function failOver(scene: Scene, losesTail: boolean): Promise<number> {
  const { arena, draw } = scene;
  const { server } = arena;
  await using way = await openLinkProxy(server.port);
  const next = await server.standby(way.port);
  if (losesTail) {
    await untilStreaming(arena, 'async');
    way.set('silent');
  } else {
    await statement(server, "ALTER SYSTEM SET synchronous_standby_names = '*'");
    await statement(server, 'SELECT pg_reload_conf()');
    await untilStreaming(arena, 'sync');
  }
  await after(arena.ttlMs / 4 + draw(arena.ttlMs / 2));
  await server.crash();
  way.set('closed');
  await after(draw(2 * arena.ttlMs));
  await statement(next, 'SELECT pg_promote()');
  arena.server = next;
  arena.places.forEach(({ proxy }) => proxy.lead(next.port));
  await server.stop();
  return await continued(scene);
}

async function untilStreaming(arena: Arena, state: string): Promise<void> {
  for (;;) {
    const { rows } = await statement(arena.server, 'SELECT sync_state FROM pg_stat_replication');
    if (rows[0]?.['sync_state'] === state) {
      return;
    }
    await after(20);
  }
}

/** Each node in turn becomes one of a version that has a migration more, while the others go on with theirs. */
async function upgrade(scene: Scene): Promise<number> {
  const { arena, load, draw } = scene;
  const times: number[] = [];
  for (const [at, place] of arena.places.entries()) {
    const hit = await arena.owned(place.name);
    const before = arena.settingsOf(place);
    place.migrations += 1;
    const closed = closeNode(scene, place);
    const probe = load.probe(hit, draw);
    await closed;
    await arena.restart(place);
    if (at === 0) {
      await refusesOlder(scene, before);
    }
    await after(draw(arena.ttlMs / 2));
    times.push(await probe);
  }
  return Math.max(...times);
}

async function refusesOlder({ findings }: Scene, settings: ReturnType<Arena['settingsOf']>): Promise<void> {
  await using cli = new Cli();
  const { args, options } = upOf('of-before', { ...settings, port: 0 });
  const { code, stderr } = await cli.run(['up', '--json', ...args], options);
  if (code === 0 || !stderr.includes('store_newer')) {
    findings.add('other', `a node of the version before ended with ${String(code)}: ${stderr}`);
  }
}

export const serverFaults: readonly Fault[] = [
  { name: 'restart-database', what: 'the database server crashes, and is started again', strike: restart },
  { name: 'cut-connections', what: 'the server ends the connections of all nodes', strike: cutConnections },
  { name: 'fill-connections', what: 'others take every connection of the server', strike: fill },
  { name: 'hold-transaction', what: 'a transaction of another program stays open', strike: holdTransaction },
  {
    name: 'failover',
    what: 'the server is gone, and its synchronous standby takes its place',
    strike: (scene) => failOver(scene, false),
  },
  {
    name: 'lost-tail',
    what: 'the server is gone, and an asynchronous standby takes its place without the last moments',
    apart: 'what was accepted in its last moments is gone; one owner and one agent for each session all the same',
    // Its numbers are given out once more: of turns, epochs, agents and events.
    without: ['lost', 'doubled', 'epochs', 'order'],
    strike: (scene) => failOver(scene, true),
  },
  { name: 'upgrade', what: 'each node in turn gets a version with a migration more', strike: upgrade },
];
