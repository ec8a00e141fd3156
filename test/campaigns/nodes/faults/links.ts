/** Faults of the network between one node and the database. */
import { setTimeout as after } from 'node:timers/promises';
import { Cli } from '../../../support/cli.ts';
import { openLinkProxy, type Way } from '../../../support/link-proxy.ts';
import { networkSpace } from '../../../support/network-space.ts';
import { database } from '../arena.ts';
import { startNode } from '../world.ts';
import type { Fault, Scene } from './fault.ts';
import { anyPlace, untilJoined } from './processes.ts';

/** For a quarter of its lease, or for two. */
async function cut(scene: Scene, way: Way): Promise<number> {
  const { arena, load, draw } = scene;
  const place = anyPlace(scene);
  const hit = await arena.owned(place.name);
  place.proxy.set(way);
  const probe = load.probe(hit, draw);
  await after(arena.ttlMs / 4 + draw(2 * arena.ttlMs));
  place.proxy.set('open');
  await untilJoined(arena, place);
  return probe;
}

async function cutHints(scene: Scene): Promise<number> {
  const { arena, load, draw } = scene;
  const place = anyPlace(scene);
  place.proxy.set(draw(2) === 0 ? 'closed' : 'silent', 'hints');
  // What others own: each command and its answer come without a hint.
  const probe = load.probe(await arena.owned(null), draw);
  await after(arena.ttlMs + draw(arena.ttlMs));
  place.proxy.set('open', 'hints');
  return probe;
}

/** Connections of all nodes end in commits, at any byte of the statement or of the answer. */
async function cutCommits({ arena, load, findings, draw }: Scene): Promise<number> {
  const before = arena.places.reduce((sum, { proxy }) => sum + proxy.commitsCut, 0);
  for (const { proxy } of arena.places) {
    proxy.cutCommits(() =>
      draw(4) > 0
        ? null
        : draw(2) === 0
          ? { of: 'statement', bytes: draw(16_384) }
          : { of: 'answer', bytes: draw(300) },
    );
  }
  const probe = load.probe(await arena.owned(null), draw);
  await after(arena.ttlMs + draw(arena.ttlMs));
  arena.places.forEach(({ proxy }) => proxy.cutCommits(() => null));
  if (arena.places.reduce((sum, { proxy }) => sum + proxy.commitsCut, 0) === before) {
    findings.add('other', 'no commit was cut');
  }
  return probe;
}

/** A node more, behind a cable that is pulled: its segments are not answered, and arrive when it is back. */
async function pullCable({ arena, load, findings, draw }: Scene): Promise<number | null> {
  const space = networkSpace();
  if (typeof space === 'string') {
    return null;
  }
  using cable = space;
  await using cli = new Cli();
  await using proxy = await openLinkProxy(arena.server.port, cable.outside);
  const name = `cable-${load.accepted.length}`;
  const node = await startNode(cli, name, {
    store: `postgres://signalbox@${cable.outside}:${proxy.port}/${database}`,
    ttlMs: arena.ttlMs,
    log: arena.log,
    graceMs: 1_000,
    host: cable.inside,
    within: cable.enter,
    node: ['--import', new URL('../../../support/next-schema.ts', import.meta.url).href],
    env: { NEXT_SCHEMA: String(arena.places[0]?.migrations ?? 0) },
  });
  arena.keep(node);
  const sessions = [1, 2, 3].map((n) => `${name}-${n}`);
  for (const session of sessions) {
    const { task } = await node.client.submit({ session, prompt: `[[work:100,20]] ${session}` });
    load.accepted.push({ key: session, task, session, sentAt: performance.now(), acceptedAt: performance.now() });
  }
  cable.unplug();
  const probe = load.probe(sessions, draw);
  await after(arena.ttlMs / 2 + draw(2 * arena.ttlMs));
  cable.plug();
  await untilJoined(arena, { name, node });
  node.up.child.kill('SIGTERM');
  const { code } = await node.up.ended;
  if (code !== 0) {
    findings.add('other', `${name} ended with ${String(code)}`);
  }
  return await probe;
}

export const linkFaults: readonly Fault[] = [
  {
    name: 'cut-silent',
    what: 'a node is cut off: nothing arrives, and nothing says so',
    strike: (scene) => cut(scene, 'silent'),
  },
  { name: 'cut-closed', what: 'a node is cut off: its connections end', strike: (scene) => cut(scene, 'closed') },
  { name: 'cut-mute', what: 'what a node sends does not arrive; answers do', strike: (scene) => cut(scene, 'mute') },
  { name: 'cut-deaf', what: 'what a node sends arrives; answers do not', strike: (scene) => cut(scene, 'deaf') },
  {
    name: 'cut-late',
    what: 'nothing arrives for a while, and then all of it does',
    strike: (scene) => cut(scene, 'late'),
  },
  { name: 'cut-hints', what: 'a node hears no notifications', strike: cutHints },
  {
    name: 'cut-commits',
    what: 'connections end in COMMIT, at any byte of the statement or the answer',
    strike: cutCommits,
  },
  {
    name: 'cable',
    what: 'a node in a network namespace, whose cable is pulled for a while',
    lacks: () => {
      const space = networkSpace();
      if (typeof space === 'string') {
        return space;
      }
      space[Symbol.dispose]();
      return null;
    },
    strike: pullCable,
  },
];
