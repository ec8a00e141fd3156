/** Several runtimes on one store, each a node. */
import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/core/errors.ts';
import { leaseTimes } from '../../src/protocol/lease-times.ts';
import type { FeedEvent } from '../../src/store/port.ts';
import { MemoryDisk } from '../../src/store/memory/disk.ts';
import { type MemoryStore, openMemoryStore } from '../../src/store/memory/store.ts';
import { type Box, expectSound, openBox } from '../support/box.ts';

interface TestNode {
  readonly name: string;
  readonly node: Box;
  readonly store: MemoryStore;
}

/** Short, so that a takeover takes no longer than a test may. */
const ttlMs = 1_000;

async function join(disk: MemoryDisk, name: string): Promise<TestNode> {
  const store = openMemoryStore({ disk, shared: true });
  const node = await openBox({
    store,
    node: {
      facts: { name, host: 'here', pid: 1, version: '1' },
      times: leaseTimes(ttlMs),
      pollMs: 50,
      address: () => null,
    },
  });
  return { name, node, store };
}

async function twoNodes(): Promise<
  AsyncDisposable & { readonly a: TestNode; readonly b: TestNode; readonly disk: MemoryDisk }
> {
  const disk = new MemoryDisk();
  const a = await join(disk, 'a');
  const b = await join(disk, 'b');
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

  test('a command on its way to it is applied by the next owner', async () => {
    await using nodes = await twoNodes();
    const { a, b } = nodes;
    await a.node.background();
    await a.node.stage.turn();
    a.store.crash();
    const sent = b.node.box.submit({ session: 'test:one', prompt: 'second', lane: 'background' });
    (await b.node.stage.turn()).finish();
    const answer = await sent;
    expect(answer).toMatchObject({ kind: 'accepted' });
    (await b.node.stage.turn()).finish();
  });

  test('comes back as a new node when it was only silent, and its agents have been ended', async () => {
    await using nodes = await twoNodes();
    const { a, b, disk } = nodes;
    const task = await a.node.background();
    const turn = await a.node.stage.turn();
    const [before] = await b.node.box.nodes();
    const dead = before?.id ?? 0;
    const found = disk.nodes.get(dead);
    expect(b.store.nodes?.declareDead(dead, found?.beat ?? 0)).toBe(true);
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

test('a command that its owner does not take is taken back, and nothing of it is done', async () => {
  await using nodes = await twoNodes();
  const { a, b, disk } = nodes;
  await a.node.background();
  await a.node.stage.turn();
  // It lives, and does not look at its letters any more.
  const { nodes: port } = a.store;
  Object.assign(port ?? {}, { receive: () => [] });
  const refused = await b.node.box
    .submit({ session: 'test:one', prompt: 'late', lane: 'background' })
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(AppError);
  expect((refused as AppError).code).toBe('owner_unreachable');
  expect(disk.letters.size).toBe(0);
}, 20_000);
