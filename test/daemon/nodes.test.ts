/** Real daemons with their launchers on one real Postgres server. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgentLogLine } from '../../src/agents/scripted/program/log.ts';
import { isThere } from '../../src/cli/demo/child.ts';
import type { Client } from '../../src/client/index.ts';
import { system } from '../../src/supervise/platform/index.ts';
import { untilEvent } from '../campaigns/harness/until-event.ts';
import { killNode, newDatabase, type RealNode, startNode } from '../campaigns/nodes/world.ts';
import { Cli } from '../support/cli.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

let server: PostgresServer;
let databases = 0;

beforeAll(async () => {
  server = await startPostgres(['autovacuum=off', 'fsync=off']);
});
afterAll(async () => {
  await server.stop();
});

/** What its agents have done, as they have said themselves. */
const linesOf = ({ cli }: RealNode): readonly AgentLogLine[] =>
  readFileSync(logOf(cli), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as AgentLogLine);

const agentsOf = (node: RealNode): readonly number[] => linesOf(node).map(({ pid }) => pid);

const logOf = (cli: Cli): string => join(cli.folder, 'agents.log');

/** Short, so that a takeover takes no longer than a test may. */
const ttlMs = 2_000;

const start = (cli: Cli, name: string, store: string): Promise<RealNode> =>
  startNode(cli, name, { store, ttlMs, log: logOf(cli), graceMs: 1_000 });

interface Pair extends AsyncDisposable {
  readonly alpha: RealNode;
  readonly beta: RealNode;
  readonly store: string;
}

async function pair(configs: readonly object[] = []): Promise<Pair> {
  databases += 1;
  const store = await newDatabase(server, `nodes_${databases}`);
  const clis = [new Cli(), new Cli()] as const;
  for (const [at, config] of configs.entries()) {
    writeFileSync(join(clis[at]?.folder ?? '', 'signalbox.config.mjs'), `export default ${JSON.stringify(config)};\n`);
  }
  const alpha = await start(clis[0], 'alpha', store);
  const beta = await start(clis[1], 'beta', store);
  return {
    alpha,
    beta,
    store,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clis.map((cli) => cli[Symbol.asyncDispose]()));
    },
  };
}

/** A background turn of the session `one` that has begun on this node. */
async function begun({ client }: RealNode, steps: number): Promise<string> {
  const { task } = await client.submit({ session: 'one', prompt: `[[work:${steps},20]] long`, lane: 'background' });
  await untilEvent(client, task, 'turn-started');
  return task;
}

const typesOf = async (client: Client, task: string): Promise<readonly string[]> => {
  const types: string[] = [];
  for await (const { type } of client.follow(task)) {
    types.push(type ?? '');
  }
  return types;
};

const stateOf = (pid: number): string => {
  const info = system.info(pid);
  return info === null ? 'gone' : info.stopped ? 'stopped' : 'runs';
};

describe('several daemons on one database', { timeout: 60_000 }, () => {
  test('are one: each takes commands, and shows answers, for the sessions of all', async () => {
    await using group = await pair();
    const { alpha, beta } = group;
    const work = await begun(alpha, 400);
    const urgent = await beta.client.submit({ session: 'one', prompt: '[[text:urgent]]' });
    // The session is alpha's; beta is asked, and waits for the event.
    expect(await beta.client.result(urgent.task)).toMatchObject({ status: 'completed' });
    expect((await typesOf(beta.client, urgent.task)).at(-1)).toBe('final');
    expect(await beta.client.cancel(work)).toMatchObject({ task: work });
    expect((await typesOf(beta.client, work)).at(-1)).toBe('final');
    const { items } = await beta.client.nodes();
    expect(items.map(({ name, state, local }) => ({ name, state, local }))).toEqual([
      { name: 'alpha', state: 'up', local: false },
      { name: 'beta', state: 'up', local: true },
    ]);
    const table = await beta.cli.run(['nodes']);
    expect(table.stdout).toMatch(/alpha .*up[^]*\* beta/);
  });

  test('take over the sessions of one that was killed, and each task ends once', async () => {
    await using group = await pair();
    const { alpha, beta } = group;
    const work = await begun(alpha, 150);
    const waits = await beta.client.submit({ session: 'one', prompt: '[[text:behind]]', lane: 'background' });
    killNode(alpha);
    await beta.client.cancel(work);
    expect((await typesOf(beta.client, work)).filter((type) => type === 'final')).toHaveLength(1);
    expect((await typesOf(beta.client, waits.task)).filter((type) => type === 'final')).toHaveLength(1);
    expect((await beta.client.task(waits.task)).status).toBe('completed');
  });

  test('N01 a stopped daemon loses its sessions: its agent stands still first, and is dead before the next one starts', async () => {
    await using group = await pair();
    const { alpha, beta } = group;
    const work = await begun(alpha, 150);
    const [agent = 0] = agentsOf(alpha);
    expect(stateOf(agent)).toBe('runs');
    process.kill(alpha.up.ready.daemon, 'SIGSTOP');
    await expect.poll(() => stateOf(agent), { timeout: ttlMs, interval: 5 }).not.toBe('runs');
    const resumed = await untilEvent(beta.client, work, 'attempt-lost').then(() => isThere(agent));
    expect(resumed).toBe(false);
    process.kill(alpha.up.ready.daemon, 'SIGCONT');
    expect((await typesOf(beta.client, work)).at(-1)).toBe('final');
    // Nothing was asked of its agent any more, and the tape has one turn for each prompt.
    const [first] = linesOf(beta);
    expect(linesOf(alpha).filter((line) => line.pid === agent && BigInt(line.at) > BigInt(first?.at ?? 0))).toEqual([]);
    const prompts = [alpha, beta].flatMap(linesOf).filter(({ event }) => event === 'prompt');
    expect((await typesOf(beta.client, work)).filter((type) => type === 'turn-started')).toHaveLength(prompts.length);
    // It is back, as another node.
    await expect
      .poll(async () => (await beta.client.nodes()).items.map(({ name }) => name), { timeout: 10_000 })
      .toEqual(['alpha', 'beta']);
    const again = await alpha.client.submit({ session: 'two', prompt: '[[text:back]]' });
    expect((await typesOf(alpha.client, again.task)).at(-1)).toBe('final');
  });

  test('one that drains hands its work over, and a rolling restart burns nothing', async () => {
    await using group = await pair();
    const { alpha, beta } = group;
    const work = await begun(alpha, 150);
    expect((await beta.cli.run(['nodes', 'drain', 'alpha'])).code).toBe(0);
    const types = await typesOf(beta.client, work);
    expect(types).not.toContain('attempt-lost');
    expect(types.at(-1)).toBe('final');
    expect((await beta.client.task(work)).status).toBe('completed');
    alpha.up.child.kill('SIGTERM');
    expect((await alpha.up.ended).code).toBe(0);
    await start(alpha.cli, 'alpha', group.store);
    expect((await beta.client.nodes()).items.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'alpha up',
      'beta up',
    ]);
  });

  test('an outage of the database ends none of them: they continue without a restart', async () => {
    await using group = await pair();
    const { alpha, beta } = group;
    const work = await begun(alpha, 300);
    const [agent = 0] = agentsOf(alpha);
    await server.crash();
    await expect.poll(() => stateOf(agent), { timeout: 2 * ttlMs, interval: 5 }).toBe('stopped');
    await server.restart();
    const types = await typesOf(beta.client, work);
    expect(types).not.toContain('attempt-lost');
    expect((await beta.client.task(work)).status).toBe('completed');
    expect(stateOf(agent)).toBe('runs');
  });

  test('a full one leaves what waits to one with room, and a session runs where the label is that it needs', async () => {
    const sessions = [{ match: 'gpu:*', labels: ['gpu'] }];
    const limits = { maxAgents: 1 };
    await using group = await pair([
      { sessions, limits },
      { sessions, limits, node: { labels: ['gpu'] } },
    ]);
    const { alpha, beta } = group;
    const work = await begun(alpha, 400);
    // An urgent one may have the slot of the background turn at once.
    const other = await alpha.client.submit({ session: 'two', prompt: '[[text:elsewhere]]', lane: 'background' });
    const types = await typesOf(alpha.client, other.task);
    expect(types.at(-1)).toBe('final');
    expect(types).not.toContain('attempt-lost');
    expect(agentsOf(beta)).not.toEqual([]);
    const labelled = await alpha.client.submit({
      session: 'gpu:three',
      prompt: '[[work:200,20]] train',
      lane: 'background',
    });
    await untilEvent(alpha.client, labelled.task, 'turn-started');
    const { items } = await alpha.client.nodes();
    expect(items.map(({ name, labels }) => [name, labels])).toEqual([
      ['alpha', []],
      ['beta', ['gpu']],
    ]);
    const waits = await alpha.client.submit({ session: 'four', prompt: '[[text:late]]', lane: 'background' });
    await expect
      .poll(async () => (await beta.client.explain(waits.task)).summary, { timeout: 10_000 })
      .toContain('all nodes are full');
    for (const task of [work, labelled.task]) {
      await alpha.client.cancel(task);
    }
    expect((await typesOf(beta.client, waits.task)).at(-1)).toBe('final');
  });
});
