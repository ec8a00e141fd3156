/** Every route over the real runtime, through the client. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReadEvent, TaskPage } from '../../src/client/index.ts';
import { ApiError } from '../../src/client/index.ts';
import type { Door } from '../support/door.ts';
import { openDoor, problemIn } from '../support/door.ts';

let door: Door;
beforeEach(async () => {
  door = await openDoor();
});
afterEach(() => door[Symbol.asyncDispose]());

const code = async (call: Promise<unknown>): Promise<string> => {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return error instanceof ApiError ? error.code : `not refused: ${String(error)}`;
};

describe('a task', () => {
  test('is submitted, shown, followed to its final, and listed', async () => {
    const { client, box } = door;
    const receipt = await client.submit({
      session: 'github:acme/app',
      prompt: 'first line\nsecond line',
      author: 'ada',
      labels: { delivery: '7' },
    });
    expect(receipt).toMatchObject({
      session: 'github:acme/app',
      duplicate: false,
      stage: 'owner',
      mergedInto: null,
      endedTasks: [],
      fallback: false,
      waitsFor: null,
    });
    const turn = await box.stage.turn();
    expect(await client.task(receipt.task)).toMatchObject({
      id: receipt.task,
      status: 'running',
      stage: 'owner',
      lane: 'interactive',
      whenBusy: 'preempt',
      title: 'first line',
      prompt: 'first line\nsecond line',
      author: 'ada',
      source: 'api',
      labels: { delivery: '7' },
      final: null,
      endedAt: null,
    });
    turn.say('working');
    turn.finish('the answer');
    const types: ReadEvent['type'][] = [];
    for await (const event of client.follow(receipt.task)) {
      expect(event.seq).toBe(types.length + 1);
      types.push(event.type);
    }
    expect(types.at(0)).toBe('queued');
    expect(types.at(-1)).toBe('final');
    expect(types).toContain('output');
    const shown = await client.task(receipt.task);
    expect(shown).toMatchObject({ status: 'completed', stage: null, seq: types.length });
    expect(shown.endedAt).not.toBeNull();
    const { items } = await client.tasks({ status: ['completed'], session: 'github:acme/app' });
    expect(items.map(({ id }) => id)).toEqual([receipt.task]);
    expect(items[0]).not.toHaveProperty('prompt');
    expect((await client.tasks({ status: ['queued', 'running'] })).items).toEqual([]);
  });

  test('is answered 201 with its address, and 200 on a second submit with the same key', async () => {
    const submit = (): Promise<Response> =>
      door.fetch('/v1/tasks', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'delivery-1' },
        body: JSON.stringify({ session: 's', prompt: 'p' }),
      });
    const [first, second] = [await submit(), await submit()];
    expect([first.status, second.status]).toEqual([201, 200]);
    const task = ((await first.json()) as { task: string }).task;
    expect(await second.json()).toMatchObject({ task, duplicate: true });
    expect(first.headers.get('location')).toBe(`/v1/tasks/${task}`);
    expect((await door.client.tasks()).items).toHaveLength(1);
  });

  test('is refused when the session is busy and its policy is reject; nothing is stored', async () => {
    await door.client.submit({ session: 's', prompt: 'p' });
    expect(await code(door.client.submit({ session: 's', prompt: 'q', whenBusy: 'reject' }))).toBe('session_busy');
    expect((await door.client.tasks()).items).toHaveLength(1);
  });

  test('is edited, moved and cancelled while it waits, and is not once it has ended', async () => {
    const { client } = door;
    await client.submit({ session: 's', prompt: 'owner' });
    const a = await client.submit({ session: 's', prompt: 'a', lane: 'background' });
    const b = await client.submit({ session: 's', prompt: 'b', lane: 'background' });
    expect(await client.edit(a.task, { prompt: 'changed', by: 'ada' })).toEqual({ ok: true });
    expect(await client.task(a.task)).toMatchObject({ prompt: 'changed', title: 'changed' });
    const tape = await door.box.box.tape('s', a.task, 0, 100);
    expect(tape.find(({ type }) => type === 'edited')?.data).toEqual({
      title: 'changed',
      by: { kind: 'person', name: 'ada' },
    });
    expect(await client.move(b.task, { to: 'first' })).toEqual({ ok: true });
    expect((await client.session('s')).queue).toEqual([b.task, a.task]);
    expect(await client.move(a.task, { before: b.task })).toEqual({ ok: true });
    expect((await client.session('s')).queue).toEqual([a.task, b.task]);
    expect(await client.move(b.task, { lane: 'interactive', priority: 0 })).toEqual({ ok: true });
    expect((await client.task(b.task)).lane).toBe('interactive');
    expect(await client.cancel(a.task, { reason: 'not_needed', by: 'ada' })).toMatchObject({
      task: a.task,
      state: 'acknowledged',
      verdict: 'cancelled',
      reason: 'not_needed',
    });
    expect(await client.cancel(a.task)).toEqual({
      task: a.task,
      state: 'already-terminal',
      status: 'cancelled',
      verdict: 'cancelled',
      reason: 'not_needed',
      turn: null,
    });
    expect(await code(client.edit(a.task, { prompt: 'late' }))).toBe('task_ended');
    expect(await code(client.move(a.task, { to: 'first' }))).toBe('task_ended');
  });

  test('is explained while it waits', async () => {
    const owner = await door.client.submit({ session: 's', prompt: 'owner' });
    const waiting = await door.client.submit({ session: 's', prompt: 'waits' });
    const explanation = await door.client.explain(waiting.task);
    expect(explanation).toMatchObject({
      task: waiting.task,
      status: 'queued',
      owner: { task: owner.task, lane: 'interactive' },
      aheadCount: 0,
    });
    expect(explanation.summary).not.toBe('');
  });

  test('appears once in the pages of the list', async () => {
    for (let at = 0; at < 7; at++) {
      await door.client.submit({ session: `s${at}`, prompt: 'p' });
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: TaskPage = await door.client.tasks({ limit: 3, ...(cursor === null ? {} : { cursor }) });
      seen.push(...page.items.map(({ session }) => session));
      ({ cursor } = page);
    } while (cursor !== null);
    expect(seen.toSorted()).toEqual(Array.from({ length: 7 }, (_, at) => `s${at}`));
  });

  test('may have a prompt of 999,000 characters, whose title is short', async () => {
    const { task } = await door.client.submit({ session: 's', prompt: '🚦'.repeat(200_000) + 'x'.repeat(100) });
    const shown = await door.client.task(task);
    expect(Array.from(shown.prompt)).toHaveLength(200_100);
    expect(Array.from(shown.title)).toHaveLength(120);
  });
});

describe('a session', () => {
  const key = 'a:b/c d?#%é';

  test('whose key needs escaping is shown, stopped, parked, evicted', async () => {
    const { client, box } = door;
    const first = await client.submit({ session: key, prompt: 'p' });
    const queued = await client.submit({ session: key, prompt: 'q' });
    await box.stage.turn();
    expect(await client.session(key)).toMatchObject({
      key,
      open: 2,
      queued: 1,
      owner: { task: first.task, epoch: 1 },
      parked: null,
    });
    expect((await client.sessions()).items.map((item) => item.key)).toEqual([key]);

    const stopped = await client.stop(key, { scope: 'queue', by: 'ada' });
    expect(stopped).toMatchObject({
      session: key,
      scope: 'queue',
      receipts: [{ task: queued.task, state: 'acknowledged', status: 'cancelled' }],
    });

    expect(await code(client.unpark(key))).toBe('not_parked');
    expect(await client.park(key, 'maintenance', 'ada')).toEqual({ ok: true });
    expect((await client.session(key)).parked).toEqual({
      kind: 'operator',
      reason: 'maintenance',
      by: { kind: 'person', name: 'ada' },
    });
    expect(await client.unpark(key)).toEqual({ ok: true });

    expect(await code(client.evict(key, { epoch: 99 }))).toBe('stale_epoch');
    expect(await client.evict(key, { epoch: 1 })).toEqual({ ok: true });
    await box.ended(first.task);
    expect(await code(client.evict(key))).toBe('nothing_held');
  });

  test('has its agent restarted, once the session has one', async () => {
    await door.client.submit({ session: 's', prompt: 'p' });
    await door.box.stage.turn();
    expect(await door.client.restartAgent('s', 'ada')).toEqual({ ok: true });
    await door.box.stage.turn();
    expect((await door.client.session('s')).incarnations).toBe(2);
  });

  test('begins a fresh conversation by command, and the receipt says when', async () => {
    const { client, box } = door;
    const first = await client.submit({ session: 's', prompt: 'p' });
    const turn = await box.stage.turn();
    await box.event(first.task, 'turn-started');
    expect(await client.newConversation('s', 'ada')).toEqual({ session: 's', state: 'requested', turn: 1 });
    turn.finish();
    await box.ended(first.task);
    expect(await client.newConversation('s')).toEqual({ session: 's', state: 'unused', turn: null });
    const second = await client.submit({ session: 's', prompt: 'q' });
    (await box.stage.turn()).finish();
    await box.ended(second.task);
    expect(await client.newConversation('s')).toEqual({ session: 's', state: 'ended', turn: null });
    expect(await code(client.newConversation('nope'))).toBe('unknown_session');
  });

  test('has a feed of all its tapes, in pages', async () => {
    const { task } = await door.client.submit({ session: key, prompt: 'p' });
    (await door.box.stage.turn()).finish();
    await door.box.ended(task);
    const all = await door.client.sessionEvents(key, { limit: 500 });
    expect(all.items.map(({ type }) => type)).toContain('agent-ready');
    expect(all.items.map(({ type }) => type)).toContain('final');
    const first = await door.client.sessionEvents(key, { limit: 2 });
    const rest = await door.client.sessionEvents(key, { limit: 500, after: first.next ?? '' });
    expect([...first.items, ...rest.items]).toEqual(all.items);
    expect((await door.client.events({ limit: 500 })).items).toEqual(all.items);
    expect(await door.client.events({ after: 'now' })).toMatchObject({ items: [] });
  });
});

describe('the server', () => {
  test('reports without a token that it is alive and ready', async () => {
    expect(await (await fetch(`${door.url}/healthz`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${door.url}/readyz`)).json()).toEqual({ status: 'ready' });
    expect((await fetch(`${door.url}/healthz`, { method: 'HEAD' })).status).toBe(200);
  });

  test('answers 503 with Retry-After when its store fails, and keeps running', async () => {
    await door.box.box.close({ graceMs: 0 });
    const response = await door.fetch('/v1/tasks');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await problemIn(response)).retryable).toBe(true);
    const refused = await problemIn(
      await door.fetch('/v1/tasks', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"session":"s","prompt":"p"}',
      }),
    );
    expect(refused.code).toBe('closing');
    expect((await fetch(`${door.url}/healthz`)).status).toBe(200);
  });
});
