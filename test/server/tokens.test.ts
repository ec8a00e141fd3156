/** Named tokens: what each scope allows on each route, for which sessions, how they end, and what tapes say of their callers. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import type { Client } from '../../src/client/index.ts';
import type { Operation, Route, Scope, TokenRequest } from '../../src/protocol/index.ts';
import { fillPath, operations, routes, scopes } from '../../src/protocol/index.ts';
import type { Door } from '../support/door.ts';
import { openDoor, problemIn } from '../support/door.ts';
import { ManualClock } from '../support/manual-clock.ts';

async function clientOf(
  door: Door,
  request: TokenRequest,
): Promise<{ readonly client: Client; readonly token: string }> {
  const { token } = await door.client.makeToken(request);
  return { client: createClient({ baseUrl: door.url, token }), token };
}

const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  );

/** Written a second time, so that a route which asks for less is a change that this test sees. */
const needed: { readonly [O in Operation]: Scope | null } = {
  submitTask: 'submit',
  listTasks: 'read',
  openTasks: 'read',
  getTask: 'read',
  editTask: 'operate',
  moveTask: 'operate',
  cancelTask: 'operate',
  explainTask: 'read',
  holdTask: 'submit',
  takeTurn: 'submit',
  reportProgress: 'submit',
  heartbeat: 'submit',
  releaseHold: 'submit',
  finishTask: 'submit',
  listSessions: 'read',
  getSession: 'read',
  stopSession: 'operate',
  evictSession: 'operate',
  parkSession: 'operate',
  unparkSession: 'operate',
  restartAgent: 'operate',
  newConversation: 'operate',
  assignAgent: 'operate',
  listPermissionRequests: 'read',
  respondToPermissionRequest: 'operate',
  listNodes: 'read',
  drainNode: 'operate',
  resumeNode: 'operate',
  listProviders: 'read',
  resumeProvider: 'operate',
  listReplies: 'read',
  resendReply: 'operate',
  dropReply: 'operate',
  taskEvents: 'read',
  sessionEvents: 'read',
  allEvents: 'read',
  listHangs: 'read',
  getHang: 'read',
  takeHang: 'operate',
  listTokens: 'admin',
  makeToken: 'admin',
  revokeToken: 'admin',
  health: null,
  ready: null,
  metrics: 'metrics',
  openapi: null,
};

const allowed: { readonly [S in Scope]: readonly Scope[] } = {
  metrics: ['metrics'],
  read: ['metrics', 'read'],
  submit: ['submit'],
  operate: ['metrics', 'read', 'submit', 'operate'],
  admin: ['metrics', 'read', 'submit', 'operate', 'admin'],
};

describe('a token with one scope', () => {
  test.each(scopes)('%s is refused by every route that needs another, and by no other route', async (scope) => {
    await using door = await openDoor();
    const { token } = await clientOf(door, { name: scope, scopes: [scope] });
    const refused: string[] = [];
    for (const operation of operations) {
      const { method, path }: Route = routes[operation];
      const response = await fetch(door.url + fillPath(path, { id: 'x', key: 'x', name: 'x' }), {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(method === 'GET' ? {} : { body: '{"unknown":1}' }),
      });
      if (response.status === 403) {
        expect((await problemIn(response)).detail).toContain(scope);
        refused.push(operation);
      } else {
        expect(response.status, operation).not.toBe(401);
        await response.body?.cancel();
      }
    }
    const wanted = operations.filter((operation) => {
      const scopeNeeded = needed[operation];
      return scopeNeeded !== null && !allowed[scope].includes(scopeNeeded);
    });
    expect(refused).toEqual(wanted);
  });
});

describe('a token for some sessions', () => {
  test('submits to them alone, sees them alone, and nothing that spans all', async () => {
    await using door = await openDoor({ box: { resolveSession: (key) => (key === 'alias' ? 'other' : key) } });
    const { client } = await clientOf(door, { name: 'ci', scopes: ['operate'], sessions: ['github:acme/*', 'solo'] });
    const foreign = await door.client.submit({ session: 'other', prompt: 'p' });
    const own = await client.submit({ session: 'github:acme/app#1', prompt: 'p' });
    await client.submit({ session: 'solo', prompt: 'p' });
    expect((await client.task(own.task)).session).toBe('github:acme/app#1');
    expect((await client.tasks({ session: 'solo' })).items).toHaveLength(1);
    const refused = [
      client.submit({ session: 'github:acme', prompt: 'p' }),
      client.submit({ session: 'solo2', prompt: 'p' }),
      client.submit({ session: 'alias', prompt: 'p' }),
      client.session('other'),
      client.stop('other', { scope: 'session' }),
      client.sessionEvents('other'),
      client.tasks(),
      client.tasks({ session: 'other' }),
      client.events(),
      client.sessions(),
      client.openTasks(),
      client.permissionRequests(),
      client.hangs(),
      client.metrics(),
    ];
    expect(await Promise.all(refused.map(codeOf))).toEqual(refused.map(() => 'forbidden'));
    const hidden = [
      client.task(foreign.task),
      client.cancel(foreign.task),
      client.explain(foreign.task),
      client.taskEvents(foreign.task),
      client.holdTask(foreign.task),
    ];
    expect(await Promise.all(hidden.map(codeOf))).toEqual(hidden.map(() => 'unknown_task'));
    expect((await door.client.task(foreign.task)).status).toBe('running');
  });
});

describe('a named token', () => {
  test('is known after a restart, and its secret is in no file of the store', async () => {
    const door = await openDoor();
    const { token } = await clientOf(door, { name: 'ci', scopes: ['read'] });
    expect(token).toMatch(/^sbx_[\w-]{43}$/);
    await using again = await door.restart();
    expect(await createClient({ baseUrl: again.url, token }).tasks()).toMatchObject({ items: [] });
    expect((await again.client.tokens()).items).toMatchObject([{ name: 'ci', scopes: ['read'], sessions: null }]);
    const files = readdirSync(again.box.folder).map((name) => join(again.box.folder, name));
    expect(files.some((file) => readFileSync(file).includes('ci'))).toBe(true);
    expect(files.filter((file) => readFileSync(file).includes(token.slice(4)))).toEqual([]);
    expect(JSON.stringify(again.logged)).not.toContain(token);
  });

  test('is refused as soon as it is revoked, and its streams end', async () => {
    await using door = await openDoor();
    const { client, token } = await clientOf(door, { name: 'ci', scopes: ['read'] });
    const stream = await fetch(`${door.url}/v1/events`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    });
    const ended = stream.text().then(
      () => 'ended',
      () => 'cut',
    );
    await door.client.revokeToken('ci');
    expect(await ended).toMatch(/ended|cut/);
    expect(await codeOf(client.tasks())).toBe('unauthorized');
    expect(await codeOf(door.client.revokeToken('ci'))).toBe('unknown_token');
    const second = await clientOf(door, { name: 'ci', scopes: ['read'] });
    expect(await codeOf(client.tasks())).toBe('unauthorized');
    expect(await codeOf(second.client.tasks())).toBe('done');
  });

  test('is refused when its time is up, and its streams end', async () => {
    const clock = new ManualClock();
    await using door = await openDoor({ server: { clock } });
    const { client, token } = await clientOf(door, { name: 'ci', scopes: ['read'], expiresIn: 5_000 });
    const stream = await fetch(`${door.url}/v1/events`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    });
    const ended = stream.text().catch(() => 'cut');
    clock.advance(4_999);
    expect(await codeOf(client.tasks())).toBe('done');
    clock.advance(1);
    await ended;
    expect(await codeOf(client.tasks())).toBe('unauthorized');
  });

  test('never has the name of another token or of the daemon', async () => {
    await using door = await openDoor();
    await clientOf(door, { name: 'ci', scopes: ['read'] });
    const taken = ['ci', 'api'].map((name) => door.client.makeToken({ name, scopes: ['admin'] }));
    expect(await Promise.all(taken.map(codeOf))).toEqual(['token_exists', 'token_exists']);
    const wrong: unknown[] = [
      { name: 'Ci', scopes: ['read'] },
      { name: 'a b', scopes: ['read'] },
      { name: 'x', scopes: [] },
      { name: 'x', scopes: ['root'] },
      { name: 'x', scopes: ['read'], sessions: [] },
    ];
    for (const body of wrong) {
      expect(await codeOf(door.client.makeToken(body as TokenRequest))).toBe('invalid_request');
    }
    expect((await door.client.tokens()).items).toHaveLength(1);
  });
});

describe('what a named caller does', () => {
  test('is on the tape under the name of its token, and the name that it gives itself as a claim', async () => {
    await using door = await openDoor();
    const { client } = await clientOf(door, { name: 'ci', scopes: ['operate'] });
    const { task } = await client.submit({ session: 's', prompt: 'p', author: 'the boss' });
    await door.box.stage.turn();
    await client.cancel(task, { by: 'the boss' });
    const tape = (await client.taskEvents(task, { limit: 500 })).items;
    expect(tape.find(({ type }) => type === 'queued')?.data).toMatchObject({ source: 'token:ci', author: 'the boss' });
    const by = { kind: 'token', name: 'ci', claims: 'the boss' };
    expect(tape.find(({ type }) => type === 'cancel-requested')?.data ?? tape.at(-1)?.data).toMatchObject({ by });
    const second = await door.client.submit({ session: 't', prompt: 'p' });
    await door.client.cancel(second.task, { by: 'ann' });
    const other = (await client.taskEvents(second.task, { limit: 500 })).items;
    expect(JSON.stringify(other)).toContain('{"kind":"person","name":"ann"}');
  });

  test('has the rights of its lane: it cannot choose a policy, a class of rights or a source', async () => {
    await using door = await openDoor();
    const { client } = await clientOf(door, { name: 'ci', scopes: ['submit'] });
    const task = { session: 's', prompt: 'p' } as const;
    const refused = [
      client.submit({ ...task, permissions: { mode: 'allow' } }),
      client.submit({ ...task, rights: 'default' }),
    ];
    expect(await Promise.all(refused.map(codeOf))).toEqual(refused.map(() => 'forbidden'));
    const { task: id } = await client.submit({ ...task, permissions: null, source: 'github' });
    expect((await door.client.task(id)).source).toBe('token:ci');
    const operator = await clientOf(door, { name: 'ops', scopes: ['operate'] });
    expect(await codeOf(operator.client.submit({ ...task, permissions: { mode: 'allow' } }))).toBe('done');
  });
});
