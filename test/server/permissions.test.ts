/** Permission policies and requests over the real runtime, through the client. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Door } from '../support/door.ts';
import { openDoor, problemIn, refusalOf } from '../support/door.ts';

let door: Door;
beforeEach(async () => {
  door = await openDoor();
});
afterEach(() => door[Symbol.asyncDispose]());

const run = { kind: 'execute', tool: 'Bash', title: 'npm test' } as const;

describe('permissions', () => {
  test('are listed over all sessions, are answered by name, and are shown with session and explanation', async () => {
    const { client, box } = door;
    const background = { lane: 'background', prompt: 'work' } as const;
    const first = await client.submit({ session: 'a', ...background });
    const one = await box.stage.turn();
    await client.submit({ session: 'b', ...background });
    const two = await box.stage.turn();
    const allowed = one.context.requestPermission(run, { detail: { command: ['npm', 'test'] } });
    await box.event(first.task, 'permission-requested');
    const denied = two.context.requestPermission({ ...run, title: 'npm publish' });
    await box.event((await client.session('b')).owner?.task ?? '', 'permission-requested');
    const { items } = await client.permissionRequests();
    expect(items.map(({ session, title }) => [session, title])).toEqual([
      ['a', 'npm test'],
      ['b', 'npm publish'],
    ]);
    const [ask] = items;
    expect(ask).toMatchObject({ task: first.task, turn: 1, kind: 'execute', detail: { command: ['npm', 'test'] } });
    // `until` is made from two clocks, and may differ by a millisecond.
    const same = [{ ...ask, until: expect.any(Number) }];
    expect((await client.session('a')).permissionRequests).toEqual(same);
    expect((await client.explain(first.task)).permissionRequests).toEqual(same);
    expect(await client.metrics()).toContain('signalbox_permission_requests 2');
    const request = ask?.request ?? '';
    expect(await client.respond('a', { turn: 1, request, allow: true, by: 'ann' })).toEqual({ ok: true });
    await client.respond('b', { turn: 1, request, allow: false, note: 'never' });
    expect(await allowed).toMatchObject({ allow: true });
    expect(await denied).toEqual({ allow: false, note: 'never' });
    expect((await client.permissionRequests()).items).toEqual([]);
    expect(await refusalOf(client.respond('a', { turn: 1, request, allow: true }))).toBe('no_permission_request');
    expect(await refusalOf(client.respond('c', { turn: 1, request, allow: true }))).toBe('unknown_session');
    one.finish();
    two.finish();
  });

  test('and the model of a task are accepted with it, and shown', async () => {
    const { client } = door;
    const permissions = { mode: 'ask', allow: ['edit', 'Bash(npm *)'] } as const;
    const { task } = await client.submit({ session: 'a', prompt: 'p', model: 'large', permissions });
    expect(await client.task(task)).toMatchObject({
      model: 'large',
      permissions: { mode: 'ask', allow: ['edit', 'Bash(npm *)'], deny: [] },
    });
    const plain = await client.submit({ session: 'b', prompt: 'p' });
    expect(await client.task(plain.task)).toMatchObject({ model: null, permissions: null });
    await door.box.stage.turn();
    expect(await client.session('a')).toMatchObject({ model: 'large', throttle: null });
  });

  test.each([
    [{ mode: 'everything' }, '/body/permissions'],
    [{ mode: 'ask', allow: ['Bash(npm'] }, '/body/permissions'],
    [{ allow: [] }, '/body/permissions'],
  ])('that do not fit are refused with their place: %j', async (permissions, path) => {
    const response = await door.fetch('/v1/tasks', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ session: 'a', prompt: 'p', permissions }),
    });
    const problem = await problemIn(response);
    expect(problem.code).toBe('invalid_request');
    expect(JSON.stringify(problem.errors)).toContain(path);
  });
});
