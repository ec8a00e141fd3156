/** Faults of a node's processes: daemon and launcher. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import { Cli } from '../../../support/cli.ts';
import { any, type Arena, type Place } from '../arena.ts';
import { killNode, startNode, upOf } from '../world.ts';
import type { Fault, Scene } from './fault.ts';

/** A node that runs. */
export const anyPlace = ({ arena, draw }: Pick<Scene, 'arena' | 'draw'>): Place =>
  any(
    arena.places.filter(({ node }) => node !== null),
    draw,
  );

async function kill({ arena, load, draw }: Scene): Promise<number> {
  const place = anyPlace({ arena, draw });
  const hit = await arena.owned(place.name);
  const node = arena.take(place);
  if (node !== null) {
    killNode(node);
    await node.up.ended;
  }
  const probe = load.probe(hit, draw);
  if (draw(2) === 0) {
    // Long enough for others to take its sessions over.
    await after(2 * arena.ttlMs);
  }
  await arena.restart(place);
  return probe;
}

/** Stops some of its processes for a while, maybe for longer than its lease. */
async function stop({ arena, load, draw }: Scene, pids: (place: Place) => readonly number[]): Promise<number> {
  const place = anyPlace({ arena, draw });
  const hit = await arena.owned(place.name);
  const stopped = pids(place);
  stopped.forEach((pid) => process.kill(pid, 'SIGSTOP'));
  const probe = load.probe(hit, draw);
  await after(arena.ttlMs / 2 + draw(2 * arena.ttlMs));
  stopped.forEach((pid) => process.kill(pid, 'SIGCONT'));
  return probe;
}

const daemonOf = ({ node }: Place): readonly number[] => (node === null ? [] : [node.up.ready.daemon]);
const launcherOf = ({ node }: Place): readonly number[] =>
  node?.up.child.pid === undefined ? [] : [node.up.child.pid];

async function drain({ arena, load, draw }: Scene): Promise<number> {
  const place = anyPlace({ arena, draw });
  const hit = await arena.owned(place.name);
  const { client } = any(arena.up, draw);
  await client.drainNode(place.name).catch(() => {});
  const probe = load.probe(hit, draw);
  await after(draw(2 * arena.ttlMs));
  await client.resumeNode(place.name).catch(() => {});
  return probe;
}

/** Ends a node in the ordinary way. */
export async function closeNode({ arena, findings }: Pick<Scene, 'arena' | 'findings'>, place: Place): Promise<void> {
  const node = arena.take(place);
  node?.up.child.kill('SIGTERM');
  const ended = await node?.up.ended;
  if (ended !== undefined && ended.code !== 0) {
    findings.add('other', `${place.name} ended with ${String(ended.code)}`);
  }
}

async function close(scene: Scene): Promise<number> {
  const { arena, load, draw } = scene;
  const place = anyPlace(scene);
  const hit = await arena.owned(place.name);
  const closed = closeNode(scene, place);
  const probe = load.probe(hit, draw);
  await closed;
  await arena.restart(place);
  return probe;
}

async function killInterrupting({ arena, load, draw }: Scene): Promise<number | null> {
  const session = `interrupted-${load.accepted.length}`;
  const work = { session, prompt: '[[ack:late:400]] [[work:100,20]]', lane: 'background' as const };
  const held = await load.submit(draw, work, 'held');
  await untilLogged(arena, session, 'prompt');
  const owner = await arena.ownerOf(session);
  const place = arena.places.find(({ name, node }) => name === owner && node !== null);
  if (place === undefined) {
    await load.ended(held, draw);
    return null;
  }
  const others = arena.up.filter(({ name }) => name !== owner);
  const urgent = await load.submit(draw, { session, prompt: '[[text:now]]', lane: 'interactive' }, 'urgent');
  await untilLogged(arena, session, 'interrupt');
  await after(draw(400));
  const node = arena.take(place);
  const from = performance.now();
  if (node !== null) {
    killNode(node);
    await node.up.ended;
  }
  const ended = Promise.all([load.ended(urgent, draw), load.ended(held, draw)]);
  if (others.length > 0 && draw(2) === 0) {
    await after(2 * arena.ttlMs);
  }
  await arena.restart(place);
  await ended;
  return (await ended)[0] - from;
}

/** Its agent has said so, or its task has ended before. */
async function untilLogged(arena: Arena, session: string, event: string): Promise<void> {
  const words = [`"session":"${session}"`, `"event":"${event}"`];
  for (let tries = 0; tries < 1_500; tries += 1) {
    const log = existsSync(arena.log) ? readFileSync(arena.log, 'utf8') : '';
    if (log.split('\n').some((line) => words.every((word) => line.includes(word)))) {
      return;
    }
    await after(20);
  }
}

async function ahead(scene: Scene): Promise<number> {
  const { arena, load, draw } = scene;
  const place = anyPlace(scene);
  place.flags = ['--import', new URL('../../../support/clock-ahead.ts', import.meta.url).href];
  await closeNode(scene, place);
  await arena.restart(place);
  await after(arena.ttlMs + draw(arena.ttlMs));
  // Another one takes over what it wrote with its clock.
  const hit = await arena.owned(place.name);
  const node = arena.take(place);
  if (node !== null) {
    killNode(node);
    await node.up.ended;
  }
  const probe = load.probe(hit, draw);
  place.flags = [];
  await arena.restart(place);
  return probe;
}

async function sameName(scene: Scene): Promise<number> {
  const { draw } = scene;
  const place = anyPlace(scene);
  await using cli = new Cli();
  return await (draw(2) === 0 ? refusedName(scene, place, cli) : takenName(scene, place, cli));
}

/** Beside a node that lives a second one of its name does not start, and says which one is in the way. */
async function refusedName({ arena, load, findings, draw }: Scene, place: Place, cli: Cli): Promise<number> {
  const { args, options } = upOf(place.name, { ...arena.settingsOf(place), port: 0 });
  const { code, stderr } = await cli.run(['up', '--json', ...args], options);
  if (code === 0 || !stderr.includes('store_locked') || !stderr.includes(place.name)) {
    findings.add('other', `a second ${place.name} ended with ${String(code)}: ${stderr}`);
  }
  return load.probe(await arena.owned(place.name), draw);
}

/** A name is free when its node is dead; that one comes back when it is free again. */
async function takenName({ arena, load, findings, draw }: Scene, place: Place, cli: Cli): Promise<number> {
  const hit = await arena.owned(place.name);
  const [daemon = 0] = daemonOf(place);
  process.kill(daemon, 'SIGSTOP');
  const probe = load.probe(hit, draw);
  try {
    const second = await startNode(cli, place.name, { ...arena.settingsOf(place), port: 0 });
    arena.keep({ ...second, name: `${place.name}-second` });
    process.kill(daemon, 'SIGCONT');
    await after(arena.ttlMs);
    second.up.child.kill('SIGTERM');
    await second.up.ended;
  } catch (error) {
    process.kill(daemon, 'SIGCONT');
    findings.add('other', `the name of a stopped node is not free: ${String(error)}`);
  }
  await untilJoined(arena, place);
  return probe;
}

/** It is among the living nodes. */
export async function untilJoined(arena: Arena, { name, node }: Pick<Place, 'name' | 'node'>): Promise<void> {
  const pid = node?.up.child.pid ?? 0;
  for (;;) {
    const rows = await arena.sql(
      `SELECT 1 FROM signalbox.nodes WHERE state IN ('alive', 'draining') AND name = $1 AND pid = $2`,
      [name, pid],
    );
    if (rows.length > 0) {
      return;
    }
    await after(50);
  }
}

export const processFaults: readonly Fault[] = [
  { name: 'kill', what: 'a node is killed, its launcher with it, and started again', strike: kill },
  {
    name: 'kill-interrupting',
    what: 'the owner of a session is killed while it interrupts a turn for another task',
    strike: killInterrupting,
  },
  {
    name: 'stop-daemon',
    what: 'a daemon is stopped, maybe for longer than its lease',
    strike: (scene) => stop(scene, daemonOf),
  },
  { name: 'stop-launcher', what: 'a launcher is stopped', strike: (scene) => stop(scene, launcherOf) },
  {
    name: 'stop-both',
    what: 'a daemon is stopped and its launcher with it',
    apart: 'nothing can freeze its agents: they work until it wakes, and nothing that they say is stored',
    without: ['agents'],
    strike: (scene) => stop(scene, (place) => [...launcherOf(place), ...daemonOf(place)]),
  },
  { name: 'drain', what: 'a node is drained, and resumed', strike: drain },
  { name: 'close', what: 'a node is closed, and started again', strike: close },
  { name: 'clock', what: 'the wall clock of a node is an hour ahead, and what it owned goes to others', strike: ahead },
  {
    name: 'same-name',
    what: 'a node starts with the name of another one, which lives or is stopped',
    strike: sameName,
  },
];
