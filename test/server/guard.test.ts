/** Who is let in: tokens, names, addresses. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostChecker, isLoopback } from '../../src/server/guard.ts';
import { operations, routes, fillPath } from '../../src/protocol/index.ts';
import type { Route } from '../../src/protocol/index.ts';
import type { Door } from '../support/door.ts';
import { exchange, openDoor, problemFrom, problemIn, token } from '../support/door.ts';

const unsigned = { update: () => {}, end: () => null };

let door: Door;
beforeAll(async () => {
  door = await openDoor({
    server: {
      hooks: [
        {
          path: '/hooks/test',
          method: 'POST',
          bodyLimit: 100,
          refuse: ({ headers }) =>
            headers['x-refuse'] === undefined ? null : { status: 401, body: { refused: headers['x-refuse'] } },
          receive: ({ headers, remote }) => ({
            ...unsigned,
            handle: (bytes) => {
              const body = { bytes: Buffer.from(bytes).toString('hex'), signature: headers['x-signature'], remote };
              return Promise.resolve({ status: 202, body, headers: { 'x-own': 'yes' } });
            },
          }),
        },
        {
          path: '/hooks/broken',
          method: 'POST',
          bodyLimit: 100,
          refuse: () => null,
          receive: () => ({ ...unsigned, handle: () => Promise.reject(new Error('a secret of the daemon')) }),
        },
      ],
    },
  });
});
afterAll(() => door[Symbol.asyncDispose]());

describe('a token', () => {
  const guarded = operations
    .map((operation): [string, Route] => [operation, routes[operation]])
    .filter(([, route]) => route.scope !== null);

  test.each(guarded)('is required by %s', async (_, { method, path }) => {
    for (const authorization of [undefined, 'Bearer wrong', `Basic ${token}`, `Bearer ${token}x`, token, 'Bearer ']) {
      const response = await fetch(door.url + fillPath(path, { id: 'x', key: 'x', name: 'x' }), {
        method,
        headers: authorization === undefined ? {} : { authorization },
      });
      expect((await problemIn(response)).code).toBe('unauthorized');
      expect(response.headers.get('www-authenticate')).toContain('Bearer');
    }
  });

  test.each(['/healthz', '/readyz', '/openapi.json'])('is not required by %s', async (path) => {
    expect((await fetch(door.url + path)).status).toBe(200);
  });

  test('is accepted with its scheme in any case', async () => {
    const response = await fetch(`${door.url}/v1/tasks`, { headers: { authorization: `bEARER  ${token} ` } });
    expect(response.status).toBe(200);
  });
});

describe('the Host header', () => {
  const get = (host: string, path = '/healthz') =>
    exchange(door.port, [`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`]);

  test.each(['localhost', 'LOCALHOST:1234', '127.0.0.1', '127.0.0.1:80', '127.9.9.9', '[::1]:80', 'localhost.'])(
    'may be %s',
    async (host) => {
      expect((await get(host)).status).toBe(200);
    },
  );

  test.each([
    'evil.example',
    'evil.example:80',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '192.168.0.1',
    '',
    '[::1',
    'localhost:80:80',
    'a b',
  ])('may not be %j, to which a page in a browser could have pointed', async (host) => {
    const answer = await get(host);
    expect([answer.status, problemFrom(answer.body, answer.headers.get('content-type'), answer.status).code]).toEqual([
      421,
      'wrong_host',
    ]);
  });

  test('may be any listed name, and any name where the address is not a loopback one', () => {
    const listed = hostChecker('127.0.0.1', ['signalbox.example', '[2001:db8::1]']);
    expect([listed('signalbox.example:443'), listed('[2001:db8::1]:80'), listed('other.example')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(hostChecker('0.0.0.0', [])('anything.example')).toBe(true);
  });
});

describe('an address', () => {
  test.each([
    ['127.0.0.1', true],
    ['127.1.2.3', true],
    ['::1', true],
    ['[::1]', true],
    ['localhost', true],
    ['::ffff:127.0.0.1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.168.1.1', false],
    ['127.0.0.1.example.org', false],
    ['localhost.example.org', false],
  ])('%s is a loopback address: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });

  test('that others can reach needs a token', async () => {
    const open = openDoor({ server: { tokens: [], listen: { host: '0.0.0.0', port: 0 } } });
    await expect(open).rejects.toMatchObject({ code: 'token_required' });
  });

  test('that is in use, or does not belong to this machine, is reported', async () => {
    await expect(openDoor({ server: { listen: { host: '127.0.0.1', port: door.port } } })).rejects.toMatchObject({
      code: 'address_in_use',
    });
    await expect(openDoor({ server: { listen: { host: '192.0.2.1', port: 0 } } })).rejects.toMatchObject({
      code: 'listen_failed',
    });
  });
});

describe('a hook', () => {
  const post = (path: string, body: string | Uint8Array, headers: { [name: string]: string } = {}) =>
    fetch(door.url + path, { method: 'POST', body, headers });

  test('gets the bytes as they came, and needs no token of the daemon', async () => {
    const response = await post('/hooks/test', new Uint8Array([0xff, 0x00, 0x0a]), {
      'X-Signature': 'abc',
      'content-type': 'text/odd',
    });
    expect([response.status, response.headers.get('x-own')]).toEqual([202, 'yes']);
    expect(await response.json()).toEqual({ bytes: 'ff000a', signature: 'abc', remote: '127.0.0.1' });
  });

  test('is reached by any name, as behind a tunnel', async () => {
    const answer = await exchange(door.port, [
      'POST /hooks/test HTTP/1.1\r\nhost: tunnel.example\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
    ]);
    expect(answer.status).toBe(202);
  });

  test('is refused by its headers before a byte of its body has come', async () => {
    const answer = await exchange(door.port, [
      'POST /hooks/test HTTP/1.1\r\nhost: localhost\r\nx-refuse: why\r\ncontent-length: 100\r\nconnection: close\r\n\r\n',
    ]);
    expect([answer.status, answer.body]).toEqual([401, '{"refused":"why"}']);
  });

  test('has its own limit of the body', async () => {
    expect((await post('/hooks/test', 'x'.repeat(100))).status).toBe(202);
    expect((await problemIn(await post('/hooks/test', 'x'.repeat(101)))).code).toBe('body_too_large');
  });

  test('answers a body of 30 MB with a problem, and not with a reset', async () => {
    const response = await post('/hooks/test', new Uint8Array(30_000_000));
    expect((await problemIn(response)).code).toBe('body_too_large');
  });

  test('that throws is answered 500 with the id of its log line, and the daemon keeps running', async () => {
    const response = await post('/hooks/broken', '{}');
    const problem = await problemIn(response);
    expect([response.status, problem.code]).toEqual([500, 'internal']);
    expect(JSON.stringify(problem)).not.toContain('secret');
    expect(door.logged).toContainEqual({
      level: 'error',
      fields: {
        err: expect.objectContaining({ message: 'a secret of the daemon' }) as unknown,
        requestId: problem.instance,
      },
      message: 'a request failed',
    });
    expect((await fetch(`${door.url}/healthz`)).status).toBe(200);
  });
});
