/** Several runtimes on one store, each a node. */
import { describe, expect, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as pathOf } from 'node:path';
import { processDriver, scriptedDriver } from '../../src/agents/index.ts';
import type { AgentDriver } from '../../src/agents/port.ts';
import type { FailureClass } from '../../src/agents/failures.ts';
import { AppError } from '../../src/core/errors.ts';
import { sessionKey } from '../../src/core/model/ids.ts';
import { leaseTimes } from '../../src/protocol/lease-times.ts';
import type { FeedEvent } from '../../src/store/port.ts';
import { MemoryDisk } from '../../src/store/memory/disk.ts';
import type { MemoryNodes } from '../../src/store/memory/nodes.ts';
import { type MemoryStore, openMemoryStore } from '../../src/store/memory/store.ts';
import { defaultLimits } from '../../src/runtime/options.ts';
import type { LeaseGuard } from '../../src/runtime/cluster/options.ts';
import type { FreezeListener } from '../../src/supervise/guard/lease.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type Box, expectSound, openBox } from '../support/box.ts';

interface TestNode {
  readonly name: string;
  readonly node: Box;
  readonly store: MemoryStore;
}

/** On a busy machine a process takes its time. */
const patience = { timeout: 20_000 };

/** Short, so that a takeover takes no longer than a test may. */
const ttlMs = 1_000;

interface Join {
  readonly labels?: readonly string[];
  readonly maxAgents?: number;
  readonly agent?: AgentDriver;
  readonly clock?: ManualClock;
  readonly silenceMs?: number;
  readonly guard?: LeaseGuard;
  readonly note?: (text: string) => void;
  readonly store?: MemoryStore;
}

/** Sessions whose keys begin with `gpu:` need that label. */
const needs = (session: string): readonly string[] => (session.startsWith('gpu:') ? ['gpu'] : []);

const shareOf = (disk: MemoryDisk): MemoryStore => openMemoryStore({ disk, shared: true });

async function join(
  disk: MemoryDisk,
  name: string,
  {
    labels = [],
    maxAgents = 100,
    silenceMs = defaultLimits.silenceMs,
    agent,
    clock,
    store = shareOf(disk),
    ...link
  }: Join = {},
): Promise<TestNode> {
  const node = await openBox({
    store,
    limits: { maxAgents, silenceMs, maxCrashes: 1, crashThrottleMs: 600_000 },
    ...(agent === undefined ? {} : { agent }),
    ...(clock === undefined ? {} : { clock }),
    node: {
      facts: { name, host: 'here', pid: 1, version: '1', labels },
      needs,
      times: leaseTimes(ttlMs),
      pollMs: 50,
      address: () => null,
      ...link,
    },
  });
  return { name, node, store };
}

async function twoNodes(
  ofA: Join = {},
  ofB: Join = {},
): Promise<AsyncDisposable & { readonly a: TestNode; readonly b: TestNode; readonly disk: MemoryDisk }> {
  const disk = new MemoryDisk();
  const a = await join(disk, 'a', ofA);
  const b = await join(disk, 'b', ofB);
  return {
    a,
    b,
    disk,
    [Symbol.asyncDispose]: async () => {
      await a.node[Symbol.asyncDispose]();
      await b.node[Symbol.asyncDispose]();
    },
  };
}

test('a node that joins knows the end of the feed and the throttles before it claims', async () => {
  const disk = new MemoryDisk();
  const a = await join(disk, 'a');
  const task = await a.node.background();
  await a.node.stage.turn();
  await a.node[Symbol.asyncDispose]();
  const store = shareOf(disk);
  const port = store.nodes as MemoryNodes;
  const calls: string[] = [];
  const [feedEnd, throttles, orphans] = [store.feedEnd.bind(store), port.throttles.bind(port), port.orphans.bind(port)];
  store.feedEnd = (session) => {
    calls.push('feed');
    return feedEnd(session);
  };
  port.throttles = () => {
    calls.push('throttles');
    return throttles();
  };
  port.orphans = (limit) => {
    calls.push('orphans');
    return orphans(limit);
  };
  const b = await join(disk, 'b', { store });
  (await b.node.stage.turn()).finish();
  expect((await b.node.ended(task)).status).toBe('completed');
  const first = calls.indexOf('orphans');
  expect(calls.slice(0, first)).toEqual(expect.arrayContaining(['feed', 'throttles']));
  await b.node[Symbol.asyncDispose]();
});

/** Ids of all tasks, newest first. */
const tasksOf = async ({ node }: TestNode): Promise<readonly string[]> =>
  (await node.box.tasks({}, null, 100)).items.map(({ row }) => row.id);

describe('a session of another node', () => {
  test('takes commands through any node, and each caller gets the reply of the owner', async () => {
    await using nodes = await twoNodes();
    const { a, b } = nodes;
    const first = await a.node.send({ prompt: 'one', lane: 'background' });
    const turn = await a.node.stage.turn();
    const second = await b.node.send({ prompt: 'two', lane: 'background' });
    const third = await b.node.send({ prompt: 'three', lane: 'background' });
    expect(await b.node.box.cancel(third)).toMatchObject({ kind: 'receipt', receipt: { verdict: 'cancelled' } });
    expect(await b.node.box.explain(second)).toMatchObject({ status: 'queued' });
    turn.finish();
    (await a.node.stage.turn()).finish('second');
    for (const task of [first, second, third]) {
      const stored = await b.node.ended(task);
      expectSound(stored, await b.node.tape(task));
    }
    expect(b.node.stage.prompts).toEqual([]);
  });

  test('is interrupted by an urgent caller of any node', async () => {
    await using nodes = await twoNodes();
    const { a, b } = nodes;
    const task = await a.node.background();
    const turn = await a.node.stage.turn();
    const urgent = await b.node.send({ prompt: 'now' });
    await turn.interrupted;
    (await a.node.stage.turn()).finish();
    expect((await b.node.ended(urgent)).status).toBe('completed');
    (await a.node.stage.turn()).finish();
    expect((await a.node.ended(task)).status).toBe('completed');
  });

  test('is followed from any node, each event once and in order', async () => {
    await using nodes = await twoNodes();
    const { a, b } = nodes;
    const seen: FeedEvent[] = [];
    const own: FeedEvent[] = [];
    const stop = b.node.box.listen({ all: true }, (events) => seen.push(...events));
    const stopOwn = a.node.box.listen({ all: true }, (events) => own.push(...events));
    const task = await a.node.send({ prompt: 'one' });
    const turn = await a.node.stage.turn();
    turn.say('hello');
    turn.finish();
    const followed: number[] = [];
    for await (const { seq } of b.node.box.follow(task)) {
      followed.push(seq);
    }
    expect(followed).toEqual(followed.map((_, at) => at + 1));
    await expect.poll(() => seen.at(-1)?.type === 'final' || seen.some(({ type }) => type === 'final')).toBe(true);
    expect(new Set(seen.map(({ position }) => position)).size).toBe(seen.length);
    await expect.poll(() => own.length).toBe(seen.length);
    expect(own.map(({ position }) => position)).toEqual(seen.map(({ position }) => position));
    stop();
    stopOwn();
  });

  test('is shown with its owner by any node', async () => {
    await using nodes = await twoNodes();
    const { a, b } = nodes;
    const task = await a.node.send({ prompt: 'one' });
    const turn = await a.node.stage.turn();
    expect(await b.node.box.session('test:one')).toMatchObject({ owner: { task }, agent: 'in a turn' });
    turn.finish();
    await a.node.ended(task);
  });

  test('one idempotency key makes one task, whichever nodes are asked', async () => {
    await using nodes = await twoNodes();
    const { a, b } = nodes;
    const request = { session: 'test:one', prompt: 'once', idempotencyKey: 'k', lane: 'background' } as const;
    const answers = await Promise.all([a, b, a, b].map(({ node }) => node.box.submit(request)));
    const tasks = answers.map((answer) => (answer.kind === 'accepted' ? answer.task : answer.code));
    expect(new Set(tasks).size).toBe(1);
    const [task = ''] = tasks;
    (await Promise.race([a.node.stage.turn(), b.node.stage.turn()])).finish();
    expect((await a.node.ended(task)).status).toBe('completed');
    expect(a.node.stage.prompts.length + b.node.stage.prompts.length).toBe(1);
  });
});

describe('a node that dies', () => {
  test('loses its sessions to another one, which continues their tasks', async () => {
    await using nodes = await twoNodes();
    const { a, b } = nodes;
    const task = await a.node.background();
    await a.node.stage.turn();
    const waiting = await b.node.background({ prompt: 'second' });
    a.store.crash();
    const turn = await b.node.stage.turn();
    turn.finish();
    expect((await b.node.ended(task)).status).toBe('completed');
    (await b.node.stage.turn()).finish();
    expect((await b.node.ended(waiting)).status).toBe('completed');
    expectSound(await b.node.ended(task), await b.node.tape(task));
  });

  test('N02 a command on its way to it is applied once, by the next owner', async () => {
    await using nodes = await twoNodes();
    const { a, b } = nodes;
    const first = await a.node.background();
    await a.node.stage.turn();
    a.store.crash();
    const sent = b.node.box.submit({ session: 'test:one', prompt: 'second', lane: 'background' });
    (await b.node.stage.turn()).finish();
    const answer = await sent;
    expect(answer).toMatchObject({ kind: 'accepted' });
    (await b.node.stage.turn()).finish();
    const second = answer.kind === 'accepted' ? answer.task : '';
    expect((await b.node.ended(second)).status).toBe('completed');
    expect(await tasksOf(b)).toEqual([second, first]);
  });

  test('comes back as a new node when it was only silent, and its agents have been ended', async () => {
    await using nodes = await twoNodes();
    const { a, b, disk } = nodes;
    const task = await a.node.background();
    const turn = await a.node.stage.turn();
    const [before] = await b.node.box.nodes();
    const dead = before?.id ?? 0;
    const found = disk.nodes.get(dead);
    expect(b.store.nodes?.declareDead(dead, found?.beat ?? 0, disk.era.era)).toBe(true);
    await turn.interrupted;
    const again = await Promise.race([a.node.stage.turn(), b.node.stage.turn()]);
    again.finish();
    expect((await b.node.ended(task)).status).toBe('completed');
    await expect.poll(async () => (await b.node.box.nodes()).map(({ name }) => name)).toEqual(['a', 'b']);
    expect((await b.node.box.nodes())[0]?.id).not.toBe(dead);
  });
});

describe('a node whose name is taken', () => {
  test('is refused beside a living one', async () => {
    const disk = new MemoryDisk();
    const a = await join(disk, 'a');
    const refused = await join(disk, 'a').catch((error: unknown) => error);
    expect((refused as AppError).code).toBe('store_locked');
    await a.node[Symbol.asyncDispose]();
  });

  test('waits until a silent one is dead, and takes its sessions over', async () => {
    const disk = new MemoryDisk();
    const a = await join(disk, 'a');
    const task = await a.node.background();
    await a.node.stage.turn();
    // Nothing tells that its process is gone.
    Object.assign(a.store.nodes ?? {}, { renew: () => Promise.reject(new Error('cut')) });
    const again = await join(disk, 'a');
    (await again.node.stage.turn()).finish();
    expect((await again.node.ended(task)).status).toBe('completed');
    await a.node[Symbol.asyncDispose]();
    await again.node[Symbol.asyncDispose]();
  });
});

describe('a node that drains', () => {
  test('N02 applies once what comes meanwhile, or its successor does', async () => {
    await using nodes = await twoNodes();
    const { a, b } = nodes;
    const first = await a.node.background();
    await a.node.stage.turn();
    const [, second] = await Promise.all([b.node.box.drain('a', true), b.node.background({ prompt: 'second' })]);
    const third = await b.node.background({ prompt: 'third' });
    for (const task of [first, second, third]) {
      (await b.node.stage.turn()).finish();
      expectSound(await b.node.ended(task), await b.node.tape(task));
    }
    expect(await tasksOf(b)).toEqual([third, second, first]);
    expect(b.node.stage.prompts).toHaveLength(3);
  });

  test('hands its sessions over, burns no attempt, and takes no more', async () => {
    await using nodes = await twoNodes();
    const { a, b } = nodes;
    const task = await a.node.background();
    const turn = await a.node.stage.turn();
    expect(await b.node.box.drain('a', true)).toEqual({ kind: 'ok' });
    await turn.interrupted;
    const there = await b.node.stage.turn();
    there.finish();
    const ended = await a.node.ended(task);
    expect(ended.status).toBe('completed');
    expect(await a.node.types(task)).not.toContain('attempt-lost');
    // A door it still is.
    const second = await a.node.background({ prompt: 'second' });
    (await b.node.stage.turn()).finish();
    expect((await a.node.ended(second)).status).toBe('completed');
    expect(a.node.stage.prompts).toHaveLength(1);
    expect(await b.node.box.drain('a', false)).toEqual({ kind: 'ok' });
    expect(await b.node.box.drain('nobody', true)).toMatchObject({ kind: 'refused', code: 'unknown_node' });
  });
});

test('N02 a command that its owner does not take is taken back, and nothing of it is done', async () => {
  await using nodes = await twoNodes();
  const { a, b, disk } = nodes;
  const first = await a.node.background();
  await a.node.stage.turn();
  // It lives, and does not look at its letters any more.
  const { nodes: port } = a.store;
  const paused = { receive: port?.receive.bind(port) };
  Object.assign(port ?? {}, { receive: () => [] });
  const refused = await b.node.box
    .submit({ session: 'test:one', prompt: 'late', lane: 'background' })
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(AppError);
  expect((refused as AppError).code).toBe('owner_unreachable');
  expect(disk.letters.size).toBe(0);
  // It looks again, and finds what was sent since.
  Object.assign(port ?? {}, paused);
  const second = await b.node.background({ prompt: 'second' });
  expect(await tasksOf(b)).toEqual([second, first]);
}, 20_000);

describe('placement', () => {
  test('a session that waits for a slot of its node goes to a node that has one', async () => {
    await using nodes = await twoNodes({ maxAgents: 1 }, { maxAgents: 1 });
    const { a, b } = nodes;
    const first = await a.node.send({ session: 'one', prompt: 'one' });
    const one = await a.node.stage.turn();
    const second = await a.node.send({ session: 'two', prompt: 'two' });
    (await b.node.stage.turn()).finish();
    expect((await a.node.ended(second)).status).toBe('completed');
    expect(await a.node.types(second)).not.toContain('attempt-lost');
    expectSound(await a.node.ended(second), await a.node.tape(second));
    one.finish();
    expect((await b.node.ended(first)).status).toBe('completed');
    expect(a.node.stage.prompts).toEqual(['one']);
  });

  test('a session that has an agent stays with it, though its node is full', async () => {
    await using nodes = await twoNodes({ maxAgents: 1 });
    const { a, b } = nodes;
    await a.node.send({ prompt: 'one' });
    (await a.node.stage.turn()).finish();
    const second = await b.node.send({ prompt: 'two' });
    (await a.node.stage.turn()).finish();
    expect((await b.node.ended(second)).status).toBe('completed');
    expect(b.node.stage.prompts).toEqual([]);
  });

  test('where all nodes are full, explain says so, and the next free slot of any node is taken', async () => {
    await using nodes = await twoNodes({ maxAgents: 1 }, { maxAgents: 1 });
    const { a, b } = nodes;
    await a.node.send({ session: 'one', prompt: 'one' });
    await a.node.stage.turn();
    await b.node.send({ session: 'two', prompt: 'two' });
    const two = await b.node.stage.turn();
    const third = await a.node.send({ session: 'three', prompt: 'three' });
    const summary = async (): Promise<string> => (await a.node.box.explain(third))?.summary ?? '';
    await expect.poll(summary, patience).toMatch(/all agent slots .* are taken, by .*; all nodes are full/);
    two.finish();
    const turn = await Promise.race([a.node.stage.turn(), b.node.stage.turn()]);
    expect(turn.prompt).toBe('three');
  });

  test('a session runs on the node that has the label which it needs, whichever node is asked', async () => {
    await using nodes = await twoNodes({}, { labels: ['gpu'] });
    const { a, b } = nodes;
    const task = await a.node.send({ session: 'gpu:one', prompt: 'train' });
    (await b.node.stage.turn()).finish();
    expect((await a.node.ended(task)).status).toBe('completed');
    expect(a.node.stage.prompts).toEqual([]);
    expect((await a.node.box.nodes()).map(({ name, labels }) => [name, labels])).toEqual([
      ['a', []],
      ['b', ['gpu']],
    ]);
  });

  test('a session that no node can run says what it lacks, and goes to the first node that has it', async () => {
    await using nodes = await twoNodes();
    const { a, b, disk } = nodes;
    const task = await a.node.send({ session: 'gpu:one', prompt: 'train' });
    const explained = await b.node.box.explain(task);
    expect(explained?.summary).toContain('no node has the label gpu');
    expect(explained?.throttle).toMatchObject({ cause: 'node', reason: 'no_node', level: 'all' });
    const c = await join(disk, 'c', { labels: ['eu', 'gpu'] });
    (await c.node.stage.turn()).finish();
    const ended = await a.node.ended(task);
    expect(ended.status).toBe('completed');
    expectSound(ended, await a.node.tape(task));
    expect([...a.node.stage.prompts, ...b.node.stage.prompts]).toEqual([]);
    await c.node[Symbol.asyncDispose]();
  });
});

describe('throttles of providers', () => {
  const refusal = (kind: FailureClass, retryAfterMs: number) => ({
    class: kind,
    retryAfterMs,
    status: 429,
    message: 'later, it says',
  });
  const stateOf = async ({ node }: TestNode) => {
    const [{ state, level, failures, throttlesInRow, message } = {}] = await node.box.providers();
    return { state, level, failures, throttlesInRow, message };
  };

  test('what one node learns holds for all, also for one that comes later, and a person lifts it on all', async () => {
    await using nodes = await twoNodes();
    const { a, b, disk } = nodes;
    await a.node.send({ session: 'one', prompt: 'one' });
    (await a.node.stage.turn()).refuse(refusal('rate_limit', 600_000));
    const known = { state: 'throttled', level: 'all', failures: 1, throttlesInRow: 1, message: 'later, it says' };
    await expect.poll(() => stateOf(b), patience).toEqual(known);
    expect(await stateOf(a)).toEqual(known);
    const c = await join(disk, 'c');
    expect(await stateOf(c)).toEqual(known);
    const task = await c.node.send({ session: 'two', prompt: 'two' });
    expect((await b.node.box.explain(task))?.throttle).toMatchObject({ cause: 'provider', reason: 'rate_limit' });
    const [{ until: first } = {}] = await a.node.box.providers();
    const [{ until: second } = {}] = await c.node.box.providers();
    expect(Math.abs((first ?? 0) - (second ?? 0))).toBeLessThan(1_000);
    expect(await b.node.box.resumeProvider('function')).toEqual({ kind: 'ok' });
    (await c.node.stage.turn()).finish();
    for (const node of [a, b, c]) {
      await expect.poll(() => stateOf(node), patience).toMatchObject({ state: 'free', throttlesInRow: 0 });
    }
    await c.node[Symbol.asyncDispose]();
  });

  test('one node makes the trial behind a throttle, and the work of the others waits for its outcome', async () => {
    await using nodes = await twoNodes();
    const { a, b } = nodes;
    await b.node.send({ session: 'two', prompt: 'two' });
    (await b.node.stage.turn()).finish();
    await a.node.send({ session: 'one', prompt: 'one' });
    (await a.node.stage.turn()).refuse(refusal('overloaded', 1));
    await expect.poll(() => stateOf(b), patience).toMatchObject({ state: 'throttled', level: 'all' });
    await b.node.send({ session: 'two', prompt: 'waits' });
    const trial = await Promise.race([
      a.node.stage.turn().then((turn) => ({ turn, other: b })),
      b.node.stage.turn().then((turn) => ({ turn, other: a })),
    ]);
    await expect.poll(() => stateOf(trial.other), patience).toMatchObject({ state: 'probing', level: 'all' });
    expect(trial.other.node.stage.prompts).toHaveLength(1);
    trial.turn.finish();
    await expect.poll(() => trial.other.node.stage.prompts.length, patience).toBe(2);
    await expect.poll(() => stateOf(a), patience).toMatchObject({ state: 'free' });
    await expect.poll(() => stateOf(b), patience).toMatchObject({ state: 'free' });
  });

  test('a restart of an agent through another node lifts the throttle of its session', async () => {
    const exiting = processDriver({ command: process.execPath, args: ['-e', 'process.exit(3)'] });
    await using nodes = await twoNodes({ agent: exiting });
    const { a, b } = nodes;
    const task = await a.node.send({ prompt: 'one', maxAttempts: 100 });
    const isThrottled = async (): Promise<unknown> => (await b.node.box.explain(task))?.throttle?.reason;
    await expect.poll(isThrottled, patience).toBe('agent_crash_loop');
    const starts = async (): Promise<number> =>
      (await a.node.box.tape('test:one', null, 0, 1_000)).filter(({ type }) => type === 'agent-starting').length;
    const before = await starts();
    expect(await b.node.box.restartAgent('test:one')).toEqual({ kind: 'ok' });
    await expect.poll(starts, patience).toBe(before + 1);
    await a.node.box.stop('test:one', 'session');
  });
});

describe('a failover that has lost the last moments', () => {
  const types = async ({ node }: TestNode): Promise<readonly string[]> =>
    (await node.box.tape('test:one', null, 0, 1_000)).map(({ type }) => type);

  test('of a claim: its agent ends before that of another node begins', async () => {
    await using nodes = await twoNodes();
    const { a, b, disk } = nodes;
    const standby = disk.standby();
    await a.node.background();
    const lost = await a.node.stage.turn();
    let isOver = false;
    void lost.interrupted.then(() => {
      isOver = true;
    });
    disk.failOver(standby, 'two');
    const task = await b.node.background();
    const turn = await Promise.race([a.node.stage.turn(), b.node.stage.turn()]);
    expect(isOver).toBe(true);
    turn.finish();
    expect((await b.node.ended(task)).status).toBe('completed');
    await expect.poll(() => types(b)).toContain('store-rewound');
  });

  test('of commits, told again where no node took the word', async () => {
    await using nodes = await twoNodes();
    const { a, b, disk } = nodes;
    await a.node.background();
    const lost = await a.node.stage.turn();
    const standby = disk.standby();
    lost.say('never mind');
    await b.node.background({ prompt: 'forgotten' });
    let isDeaf = true;
    for (const { store } of [a, b]) {
      const port = store.nodes as MemoryNodes;
      const [receive, withdraw] = [port.receive.bind(port), port.withdraw.bind(port)];
      port.receive = (limit) =>
        receive(limit).filter(({ body }) => !isDeaf || !JSON.stringify(body).includes('"type":"rewound"'));
      port.withdraw = (ids) => {
        isDeaf = false;
        return withdraw(ids);
      };
    }
    disk.failOver(standby, 'two');
    await lost.interrupted;
    const turn = await Promise.race([a.node.stage.turn(), b.node.stage.turn()]);
    turn.finish();
    await expect.poll(() => types(b), patience).toContain('store-rewound');
    expect(isDeaf).toBe(false);
  });

  test('of commits: the task begins again from what is left, and the tape says why', async () => {
    await using nodes = await twoNodes();
    const { a, b, disk } = nodes;
    const task = await a.node.background();
    const lost = await a.node.stage.turn();
    const standby = disk.standby();
    lost.say('never mind');
    const forgotten = await b.node.background({ prompt: 'second' });
    disk.failOver(standby, 'two');
    await lost.interrupted;
    const turn = await Promise.race([a.node.stage.turn(), b.node.stage.turn()]);
    turn.finish();
    const ended = await b.node.ended(task);
    expect(ended.status).toBe('completed');
    expectSound(ended, await b.node.tape(task));
    expect(await b.node.box.task(forgotten)).toBe(null);
    await expect.poll(() => types(b)).toContain('store-rewound');
  });
});

describe('the conversation of a session that moves', () => {
  /** Two nodes whose scripted agents keep their conversations in folders of their own. */
  const withFolders = async (change: (driver: AgentDriver) => AgentDriver = (driver) => driver, shares = false) => {
    const folders = ['a', 'b'].map(() => mkdtempSync(pathOf(tmpdir(), 'signalbox-state-')));
    const [ofA, ofB] = folders.map((state) => ({
      agent: change(scriptedDriver({ state: shares ? (folders[0] ?? '') : state })),
    }));
    const nodes = await twoNodes(ofA, ofB);
    return {
      ...nodes,
      [Symbol.asyncDispose]: async () => {
        await nodes[Symbol.asyncDispose]();
        folders.forEach((folder) => rmSync(folder, { recursive: true, force: true }));
      },
    };
  };
  const ask = async ({ node }: TestNode, prompt: string): Promise<string> => {
    const { final } = await node.ended(await node.send({ prompt }));
    return final?.answer?.text ?? '';
  };
  const promptsOf = async (node: TestNode): Promise<readonly string[]> =>
    (JSON.parse(await ask(node, '[[history]]')) as readonly { readonly prompt: string }[]).map(({ prompt }) => prompt);
  const session = async ({ node }: TestNode): Promise<readonly string[]> =>
    (await node.box.tape('test:one', null, 0, 1_000)).flatMap((event) =>
      event.type === 'unexpected-output' && event.data.part.kind === 'notice'
        ? [`${event.data.part.code}: ${event.data.part.message}`]
        : event.type === 'conversation-reset'
          ? [event.type]
          : [],
    );
  const move = async (from: TestNode, to: TestNode): Promise<void> => {
    await to.node.box.drain(from.name, true);
    await expect
      .poll(async () => (await to.node.box.nodes()).find(({ name }) => name === from.name)?.sessions, patience)
      .toBe(0);
    await to.node.box.drain(from.name, false);
  };

  test('goes with it, there and back, and nothing of it is older than what was said last', async () => {
    await using nodes = await withFolders();
    const { a, b } = nodes;
    await ask(a, '[[text:1]] first');
    await move(a, b);
    await ask(b, '[[text:2]] second');
    await move(b, a);
    const prompts = await promptsOf(a);
    expect(prompts).toEqual(['[[text:1]] first', '[[text:2]] second', '[[history]]']);
    expect(await session(a)).toEqual([]);
  });

  test('begins afresh where its files cannot be named, and the tape says why', async () => {
    await using nodes = await withFolders((driver) => ({
      name: 'unnamed files',
      provider: driver.provider,
      start: (options) => driver.start(options),
    }));
    const { a, b } = nodes;
    await ask(a, '[[text:1]] first');
    await move(a, b);
    expect(await promptsOf(b)).toHaveLength(1);
    expect(await session(b)).toEqual([
      'conversation-left: the conversation cannot be resumed here: it is on the node a, and the files of this agent cannot be named',
      'conversation-reset',
    ]);
  });

  test('continues behind the death of its node between two turns', async () => {
    await using nodes = await withFolders();
    const { a, b, disk } = nodes;
    await ask(a, '[[text:1]] first');
    await expect.poll(() => disk.conversations.get(sessionKey('test:one'))?.turn, patience).toBe(1);
    a.store.crash();
    expect(await promptsOf(b)).toEqual(['[[text:1]] first', '[[history]]']);
    expect(await session(b)).toEqual([]);
  });

  test('begins afresh behind the death of its node in a turn, and the tape says why', async () => {
    await using nodes = await withFolders();
    const { a, b, disk } = nodes;
    await ask(a, '[[text:1]] first');
    await expect.poll(() => disk.conversations.get(sessionKey('test:one'))?.turn, patience).toBe(1);
    const task = await a.node.background({ prompt: '[[history]][[sleep:600000]]' });
    await a.node.event(task, 'turn-started');
    a.store.crash();
    await b.node.event(task, 'attempt-lost');
    await b.node.event(task, 'turn-started', ({ data }) => data.turn > 2);
    await b.node.box.cancel(task);
    expect(await session(b)).toEqual([
      'conversation-left: the conversation cannot be resumed here: the node a went away in the middle of it, and its last turn was not kept',
      'conversation-reset',
    ]);
  });

  test('continues in a folder that both nodes share, behind the death of its node in a turn', async () => {
    await using nodes = await withFolders(undefined, true);
    const { a, b } = nodes;
    const task = await a.node.background({ prompt: '[[work:40,20]] long' });
    await a.node.event(task, 'output', ({ data }) => data.part.kind === 'text' && data.part.text.includes('3/40'));
    a.store.crash();
    expect((await b.node.ended(task)).status).toBe('completed');
    expect(await session(b)).toEqual([]);
    const prompts = await promptsOf(b);
    expect(prompts.length).toBeGreaterThan(2);
  });
});

describe('what a node says to those who wait for it', () => {
  test('names the daemon that it waits for at its start, and the sessions that it hands over', async () => {
    const disk = new MemoryDisk();
    const a = await join(disk, 'a');
    await a.node.background();
    await a.node.stage.turn();
    Object.assign(a.store.nodes ?? {}, { renew: () => Promise.reject(new Error('cut')) });
    const notes: string[] = [];
    const again = await join(disk, 'a', { note: (text) => notes.push(text) });
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^it joins when that daemon was silent for its whole time-to-live: /);
    await again.node.stage.turn();
    await again.node.box.drain('a', true);
    await expect
      .poll(() => notes.slice(1), patience)
      .toEqual([expect.stringMatching(/^it drains: 1 sessions are handed over/), 'it has handed 1 sessions over']);
    await a.node[Symbol.asyncDispose]();
    await again.node[Symbol.asyncDispose]();
  });

  test('deadlines of a session that is opened while agents stand still wait for the thaw', async () => {
    const disk = new MemoryDisk();
    const clock = new ManualClock();
    const listeners: FreezeListener[] = [];
    const guard: LeaseGuard = {
      lease: () => {},
      over: () => {},
      listen: (listener) => {
        listeners.push(listener);
        return () => {};
      },
    };
    const a = await join(disk, 'a', { guard, clock, silenceMs: 2_000 });
    listeners.forEach((listener) => listener.onFrozen(0));
    const task = await a.node.background();
    await a.node.stage.turn();
    const other = await a.node.background({ session: 'two' });
    await a.node.stage.turn();
    const pass = async (ms: number): Promise<void> => {
      for (let step = 0; step < ms; step += 250) {
        clock.advance(250);
        await a.node.quiet();
      }
    };
    await pass(4_000);
    expect(await a.node.types(task)).not.toContain('deadline-reached');
    expect(await a.node.types(other)).not.toContain('deadline-reached');
    listeners.forEach((listener) => listener.onThawed(0));
    await pass(4_000);
    expect(await a.node.types(task)).toContain('deadline-reached');
    expect(await a.node.types(other)).toContain('deadline-reached');
    const closed = a.node[Symbol.asyncDispose]();
    await pass(20_000);
    await closed;
  });
});
