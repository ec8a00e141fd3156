/** Bad input of every kind gets its stated error, and the daemon stays up. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Door, Init } from '../support/door.ts';
import { exchange, openDoor, problemFrom, problemIn, token } from '../support/door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door[Symbol.asyncDispose]());

const json = (body: unknown, headers: { [name: string]: string } = {}): Init => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const good = { session: 's', prompt: 'p' };
const deep = `{"session":"s","prompt":"p","input":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;

describe('a request that cannot be served', () => {
  test.each<[string, string, Init, number, string]>([
    ['an unknown route', '/v1/nothing', {}, 404, 'not_found'],
    ['the root', '/', {}, 404, 'not_found'],
    ['a trailing slash', '/v1/tasks/', {}, 404, 'not_found'],
    ['an unknown hook', '/hooks/nobody', { method: 'POST' }, 404, 'unknown_hook'],
    ['an unknown method', '/v1/tasks', { method: 'DELETE' }, 405, 'method_not_allowed'],
    ['a method of another route', '/v1/tasks/x/cancel', {}, 405, 'method_not_allowed'],
    ['a preflight', '/v1/tasks', { method: 'OPTIONS' }, 405, 'method_not_allowed'],
    ['an unacceptable Accept', '/v1/tasks', { headers: { accept: 'image/png' } }, 406, 'not_acceptable'],
    ['a stream of a page', '/v1/tasks', { headers: { accept: 'text/event-stream' } }, 406, 'not_acceptable'],
    ['half a document', '/v1/tasks', json('{"session":'), 400, 'bad_json'],
    ['no document', '/v1/tasks', json(''), 400, 'bad_json'],
    [
      'a document that is not UTF-8',
      '/v1/tasks',
      { ...json(''), body: new Uint8Array([0x22, 0xff, 0x22]) },
      400,
      'bad_json',
    ],
    ['a document nested too deep', '/v1/tasks', json(deep), 400, 'bad_json'],
    ['text', '/v1/tasks', json('hello', { 'content-type': 'text/plain' }), 415, 'unsupported_media_type'],
    ['a form', '/v1/tasks', { method: 'POST', body: new URLSearchParams(good) }, 415, 'unsupported_media_type'],
    [
      'another charset',
      '/v1/tasks',
      json(good, { 'content-type': 'application/json; charset=latin1' }),
      415,
      'unsupported_media_type',
    ],
    ['a compressed body', '/v1/tasks', json(good, { 'content-encoding': 'gzip' }), 415, 'unsupported_media_type'],
    ['an array', '/v1/tasks', json([good]), 400, 'invalid_request'],
    ['null', '/v1/tasks', json('null'), 400, 'invalid_request'],
    ['a missing field', '/v1/tasks', json({ session: 's' }), 400, 'invalid_request'],
    ['an unknown field', '/v1/tasks', json({ ...good, promt: 'x' }), 400, 'invalid_request'],
    [
      'a prototype as a field',
      '/v1/tasks',
      json('{"session":"s","prompt":"p","__proto__":{"lane":"background"}}'),
      400,
      'invalid_request',
    ],
    ['a wrong type', '/v1/tasks', json({ ...good, priority: '1' }), 400, 'invalid_request'],
    ['a fraction', '/v1/tasks', json({ ...good, priority: 0.5 }), 400, 'invalid_request'],
    ['an unknown lane', '/v1/tasks', json({ ...good, lane: 'backgruond' }), 400, 'invalid_request'],
    ['an empty prompt', '/v1/tasks', json({ ...good, prompt: '' }), 400, 'invalid_request'],
    ['an empty key', '/v1/tasks', json({ ...good, session: '' }), 400, 'invalid_request'],
    ['a key of 201 characters', '/v1/tasks', json({ ...good, session: 'k'.repeat(201) }), 400, 'invalid_request'],
    ['a key with a line break', '/v1/tasks', json({ ...good, session: 'a\nb' }), 400, 'invalid_request'],
    ['a key that no URL can hold', '/v1/tasks', json({ ...good, session: '..' }), 400, 'invalid_request'],
    ['a label that is no text', '/v1/tasks', json({ ...good, labels: { a: 1 } }), 400, 'invalid_request'],
    ['an unknown runner', '/v1/tasks', json({ ...good, runner: 'nobody' }), 422, 'unknown_runner'],
    ['a bad idempotency key', '/v1/tasks', json(good, { 'idempotency-key': 'with space' }), 400, 'bad_idempotency_key'],
    [
      'a long idempotency key',
      '/v1/tasks',
      json(good, { 'idempotency-key': 'k'.repeat(201) }),
      400,
      'bad_idempotency_key',
    ],
    ['an unknown task', '/v1/tasks/0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11', {}, 404, 'unknown_task'],
    ['events of an unknown task', '/v1/tasks/nobody/events', {}, 404, 'unknown_task'],
    [
      'a stream of an unknown task',
      '/v1/tasks/nobody/events',
      { headers: { accept: 'text/event-stream' } },
      404,
      'unknown_task',
    ],
    ['an explanation of an unknown task', '/v1/tasks/nobody/explain', {}, 404, 'unknown_task'],
    ['a cancel of an unknown task', '/v1/tasks/nobody/cancel', { method: 'POST' }, 404, 'unknown_task'],
    [
      'an edit of an unknown task',
      '/v1/tasks/nobody',
      { ...json({ prompt: 'x' }), method: 'PATCH' },
      404,
      'unknown_task',
    ],
    ['a move of an unknown task', '/v1/tasks/nobody/move', json({ to: 'first' }), 404, 'unknown_task'],
    ['a malformed task id', '/v1/tasks/a%20b', {}, 400, 'bad_id'],
    ['a task id of 65 characters', `/v1/tasks/${'x'.repeat(65)}`, {}, 400, 'bad_id'],
    ['an id that is not UTF-8', '/v1/tasks/%ff', {}, 400, 'bad_id'],
    ['an id with half an escape', '/v1/tasks/%4', {}, 400, 'bad_id'],
    ['a move to nowhere', '/v1/tasks/nobody/move', json({}), 400, 'invalid_request'],
    ['a move to two places', '/v1/tasks/nobody/move', json({ to: 'first', before: 'x' }), 400, 'invalid_request'],
    ['an unknown session', '/v1/sessions/nobody', {}, 404, 'unknown_session'],
    ['events of an unknown session', '/v1/sessions/nobody/events', {}, 404, 'unknown_session'],
    ['a stop of an unknown session', '/v1/sessions/nobody/stop', json({ scope: 'turn' }), 404, 'unknown_session'],
    ['a stop without a scope', '/v1/sessions/nobody/stop', json({}), 400, 'invalid_request'],
    ['a stop of an unknown scope', '/v1/sessions/nobody/stop', json({ scope: 'all' }), 400, 'invalid_request'],
    ['an eviction from an unknown session', '/v1/sessions/nobody/evict', { method: 'POST' }, 404, 'unknown_session'],
    ['a parking without a reason', '/v1/sessions/nobody/park', json({}), 400, 'invalid_request'],
    ['a malformed session key', `/v1/sessions/${'k'.repeat(201)}`, {}, 400, 'bad_id'],
    ['an unknown query', '/v1/tasks?stauts=queued', {}, 400, 'invalid_request'],
    ['a query where there is none', '/healthz?x=1', {}, 400, 'invalid_request'],
    ['an unknown status', '/v1/tasks?status=queued,running,nonsense', {}, 400, 'invalid_request'],
    ['a limit of none', '/v1/tasks?limit=0', {}, 400, 'invalid_request'],
    ['a limit too large', '/v1/tasks?limit=201', {}, 400, 'invalid_request'],
    ['a limit in words', '/v1/tasks?limit=ten', {}, 400, 'invalid_request'],
    ['a limit given twice', '/v1/tasks?limit=1&limit=2', {}, 400, 'invalid_request'],
    ['a malformed cursor', '/v1/tasks?cursor=%20', {}, 400, 'bad_cursor'],
    ['a cursor of somebody else', '/v1/tasks?cursor=abc', {}, 400, 'bad_cursor'],
    ['a cursor of another list', '/v1/sessions?cursor=t5', {}, 400, 'bad_cursor'],
    ['a position of somebody else', '/v1/events?after=abc', {}, 400, 'bad_cursor'],
    ['a position not reached', '/v1/events?after=999999', {}, 400, 'bad_cursor'],
    [
      'a stream from a position not reached',
      '/v1/events?after=999999',
      { headers: { accept: 'text/event-stream' } },
      400,
      'bad_cursor',
    ],
    [
      'a malformed Last-Event-ID',
      '/v1/events',
      { headers: { accept: 'text/event-stream', 'last-event-id': 'a b' } },
      400,
      'bad_last_event_id',
    ],
    [
      'a Last-Event-ID not reached',
      '/v1/events',
      { headers: { accept: 'text/event-stream', 'last-event-id': '999999' } },
      400,
      'bad_last_event_id',
    ],
    ['a wait too long', '/v1/events?wait=61', {}, 400, 'invalid_request'],
    ['a long address', `/v1/tasks?source=${'x'.repeat(9000)}`, {}, 414, 'url_too_long'],
  ])('is refused: %s', async (_, path, init, status, code) => {
    const response = await door.fetch(path, init);
    const problem = await problemIn(response);
    expect([response.status, problem.code]).toEqual([status, code]);
    expect(problem.instance).toBe(response.headers.get('x-request-id'));
    expect((await fetch(`${door.url}/healthz`)).status).toBe(200);
  });

  test('stores nothing', async () => {
    expect((await door.client.tasks()).items).toEqual([]);
    expect((await door.client.sessions()).items).toEqual([]);
    expect(door.box.errors).toEqual([]);
  });
});

describe('the problem document', () => {
  test('names the fields that do not fit, and the names that were probably meant', async () => {
    const problem = await problemIn(
      await door.fetch('/v1/tasks', json({ session: 's', promt: 'x', lane: 'backgruond' })),
    );
    expect(problem.errors).toEqual([
      { path: '/body/prompt', message: 'is missing' },
      { path: '/body/lane', message: 'must be one of "interactive", "background"', hint: 'Did you mean "background"?' },
      { path: '/body/promt', message: 'is not known here', hint: 'Did you mean `prompt`?' },
    ]);
  });

  test('names the methods that a route accepts', async () => {
    const response = await door.fetch('/v1/tasks/x', { method: 'PUT' });
    expect(response.headers.get('allow')?.split(', ').toSorted()).toEqual(['GET', 'HEAD', 'PATCH']);
  });

  test('states how many bytes a body may have', async () => {
    const response = await door.fetch('/v1/tasks', json({ ...good, prompt: 'x'.repeat(1_048_576) }));
    expect(await problemIn(response)).toMatchObject({
      code: 'body_too_large',
      detail: 'The body may have at most 1048576 bytes.',
    });
  });
});

test('HEAD of a stream returns the headers and ends', async () => {
  const response = await door.fetch('/v1/events', { method: 'HEAD', headers: { accept: 'text/event-stream' } });
  expect([response.status, await response.text()]).toEqual([200, '']);
});

describe('a message that is not valid HTTP', () => {
  const auth = `authorization: Bearer ${token}\r\n`;
  test.each<[string, readonly string[], number, string]>([
    ['not HTTP', ['hello there\r\n\r\n'], 400, 'bad_request'],
    ['TLS', ['\u0016\u0003\u0001\u0002\u0000\u0001\u0000'], 400, 'bad_request'],
    ['no Host', ['GET /v1/tasks HTTP/1.1\r\nconnection: close\r\n\r\n'], 400, 'bad_request'],
    ['a path without a slash', ['GET v1/tasks HTTP/1.1\r\nhost: localhost\r\n\r\n'], 400, 'bad_request'],
    [
      'a whole URL as the path',
      ['GET http://localhost/healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'],
      400,
      'bad_request',
    ],
    [
      'two lengths',
      ['POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx'],
      400,
      'bad_request',
    ],
    [
      'length and chunks',
      [
        'POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      400,
      'bad_request',
    ],
    [
      'headers of 17 KiB',
      [`GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(17_000)}\r\n\r\n`],
      431,
      'headers_too_large',
    ],
    [
      'a body larger than it may be, in chunks',
      [
        `POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\n${auth}connection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
        ...Array.from({ length: 20 }, () => `10000\r\n${'x'.repeat(65_536)}\r\n`),
        '0\r\n\r\n',
      ],
      413,
      'body_too_large',
    ],
  ])('is refused: %s', async (_, parts, status, code) => {
    const answer = await exchange(door.port, parts);
    expect([answer.status, problemFrom(answer.body, answer.headers.get('content-type'), answer.status).code]).toEqual([
      status,
      code,
    ]);
  });
});
