/** What one peer can take of the server: time, connections, streams. */
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { exchange, openDoor, openSocket, problemFrom, problemIn, token } from '../support/door.ts';

const auth = `authorization: Bearer ${token}\r\n`;

/** Resolves with all that the peer sent, when it has closed. */
function untilClosed(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  return new Promise((resolve) => socket.once('close', () => resolve(Buffer.concat(chunks).toString())));
}

describe('a time limit', () => {
  test('answers 408 to a request that does not arrive, whether its head or its body is late', async () => {
    await using door = await openDoor({ server: { limits: { requestTimeoutMs: 100 } } });
    const heads = [
      'GET /healthz HTTP/1.1\r\nhost: localhost\r\n',
      `POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\n${auth}content-type: application/json\r\ncontent-length: 100\r\n\r\n{"session"`,
    ];
    for (const head of heads) {
      const answer = await exchange(door.port, [head]);
      expect([answer.status, problemFrom(answer.body, answer.headers.get('content-type'), answer.status).code]).toEqual(
        [408, 'request_timeout'],
      );
    }
  });

  test('leaves nothing of a peer that disconnects in the middle of its body', async () => {
    await using door = await openDoor();
    const socket = await openSocket(door.port);
    socket.write(
      `POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\n${auth}content-type: application/json\r\ncontent-length: 100\r\n\r\n{"session"`,
    );
    const closed = untilClosed(socket);
    socket.destroy();
    await closed;
    expect((await door.client.tasks()).items).toEqual([]);
    expect(door.logged).toEqual([]);
  });
});

describe('connections', () => {
  test('past the limit are answered 503 with Retry-After, and are accepted when others have closed', async () => {
    await using door = await openDoor({ server: { limits: { maxConnections: 2 } } });
    const held = [await openSocket(door.port), await openSocket(door.port)];
    const refused = await exchange(door.port, ['GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n']);
    expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('connection')]).toEqual([
      503,
      '1',
      'close',
    ]);
    expect(problemFrom(refused.body, refused.headers.get('content-type'), 503).code).toBe('too_many_connections');
    const gone = held.map(untilClosed);
    for (const socket of held) {
      socket.end();
    }
    await Promise.all(gone);
    expect((await door.fetch('/healthz')).status).toBe(200);
  });
});

describe('event streams', () => {
  test('and waiting long polls past the limit are answered 503', async () => {
    await using door = await openDoor({ server: { limits: { maxStreams: 2 } } });
    const abort = new AbortController();
    const stream = await door.fetch('/v1/events', { headers: { accept: 'text/event-stream' }, signal: abort.signal });
    expect(stream.status).toBe(200);
    const second = await door.fetch('/v1/events', { headers: { accept: 'text/event-stream' }, signal: abort.signal });
    expect(second.status).toBe(200);
    const third = await door.fetch('/v1/events', { headers: { accept: 'text/event-stream' } });
    expect([third.status, third.headers.get('retry-after'), (await problemIn(third)).code]).toEqual([
      503,
      '1',
      'too_many_streams',
    ]);
    expect((await problemIn(await door.fetch('/v1/events?wait=10'))).code).toBe('too_many_streams');
    expect((await door.fetch('/v1/events')).status).toBe(200);
    abort.abort();
  });

  test('cannot be pipelined behind another answer', async () => {
    await using door = await openDoor();
    const poll = `GET /v1/events?wait=1 HTTP/1.1\r\nhost: localhost\r\n${auth}\r\n`;
    const stream = `GET /v1/events HTTP/1.1\r\nhost: localhost\r\n${auth}accept: text/event-stream\r\nconnection: close\r\n\r\n`;
    const socket = await openSocket(door.port);
    const closed = untilClosed(socket);
    socket.write(poll + stream);
    const text = await closed;
    expect(text).toContain('HTTP/1.1 200');
    expect(text).toContain('cannot be pipelined');
  });
});

describe('closing the server', () => {
  test('lets a running request finish, refuses new ones on old connections, and leaves no connection', async () => {
    await using door = await openDoor();
    const socket = await openSocket(door.port);
    const text = untilClosed(socket);
    socket.write(`GET /v1/events?wait=20 HTTP/1.1\r\nhost: localhost\r\n${auth}\r\n`);
    // Answered on another connection, so the one above has been taken up.
    while (!(await (await door.fetch('/metrics')).text()).includes('signalbox_http_long_polls 1')) {
      await door.client.health();
    }
    await door.server.close();
    expect(await text).toContain('"items":[]');
    await expect(door.client.health()).rejects.toMatchObject({ code: 'unreachable', retryable: true });
  });

  test('does not wait for a connection that never sent a request', async () => {
    await using door = await openDoor();
    const closed = untilClosed(await openSocket(door.port));
    await door.client.health();
    // Longer than the test may take.
    await door.server.close({ graceMs: 600_000 });
    await closed;
  });

  test('does not wait longer than its grace for a peer that does nothing', async () => {
    await using door = await openDoor();
    const socket = await openSocket(door.port);
    const closed = untilClosed(socket);
    socket.write('POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n');
    await door.client.health();
    await door.server.close({ graceMs: 20 });
    await closed;
  });
});
