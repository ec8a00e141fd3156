/** What one peer can take of the server: time, connections, streams. */
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Door } from '../support/door.ts';
import { exchange, openDoor, openSocket, problemFrom, problemIn, token } from '../support/door.ts';

const auth = `authorization: Bearer ${token}\r\n`;

/** Resolves with all that the peer sent, when it has closed. */
function untilClosed(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  return new Promise((resolve) => socket.once('close', () => resolve(Buffer.concat(chunks).toString())));
}

/** Asks for the figures until they have this line. */
async function figures(door: Door, line: string): Promise<void> {
  while (!(await (await door.fetch('/metrics')).text()).includes(line)) {
    await door.client.health();
  }
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
  const hook = {
    path: '/hooks/test',
    method: 'POST',
    bodyLimit: 1000,
    refuse: () => null,
    receive: () => ({
      update: () => {},
      end: () => null,
      handle: async (body: Uint8Array) => ({ status: 202, body: { bytes: body.byteLength } }),
    }),
  } as const;

  /** Held by a caller with a token, who waits for events that do not come. */
  const held = async (port: number): Promise<Socket> => {
    const socket = await openSocket(port);
    const begun = new Promise((resolve) => socket.once('data', resolve));
    socket.write(`GET /v1/events HTTP/1.1\r\nhost: localhost\r\n${auth}accept: text/event-stream\r\n\r\n`);
    await begun;
    return socket;
  };
  const health = 'GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n';

  test('of callers with a token past the limit are answered 503 with Retry-After, and are accepted when others have closed', async () => {
    await using door = await openDoor({ server: { limits: { maxConnections: 2 } } });
    const sockets = [await held(door.port), await held(door.port)];
    const refused = await exchange(door.port, [health]);
    expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('connection')]).toEqual([
      503,
      '1',
      'close',
    ]);
    expect(problemFrom(refused.body, refused.headers.get('content-type'), 503).code).toBe('too_many_connections');
    const gone = sockets.map(untilClosed);
    for (const socket of sockets) {
      socket.end();
    }
    await Promise.all(gone);
    expect((await door.fetch('/healthz')).status).toBe(200);
  });

  test('W04: without a token make room for others, the oldest first, and never one with a token', async () => {
    await using door = await openDoor({ server: { limits: { maxConnections: 3 }, hooks: [hook] } });
    const caller = await held(door.port);
    const silent = await openSocket(door.port);
    const slow = await openSocket(door.port);
    const ends = [untilClosed(silent), untilClosed(slow)];
    slow.write('POST /hooks/test HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n1');
    expect((await exchange(door.port, [health])).status).toBe(200);
    await ends[0];
    const third = await held(door.port);
    const fourth = await held(door.port);
    await ends[1];
    expect((await exchange(door.port, [health])).status).toBe(503);
    expect([caller, third, fourth].map((socket) => socket.readyState)).toEqual(['open', 'open', 'open']);
    third.destroy();
    let answer = await door.fetch('/metrics');
    while (answer.status === 503) {
      answer = await door.fetch('/metrics');
    }
    const figures = await answer.text();
    expect(figures).toContain('signalbox_http_connections_cut_total 2\n');
    caller.destroy();
    fourth.destroy();
  });

  test('W04: short bodies of callers without a token have a bound together, and the oldest is given up', async () => {
    await using door = await openDoor({
      server: { limits: { maxBodiesBytes: 4000, maxBodyBytes: 500 }, hooks: [hook] },
    });
    const post = (body: string): string =>
      `POST /hooks/test HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900\r\nconnection: close\r\n\r\n${body}`;
    const first = exchange(door.port, [post('x'.repeat(600))]);
    await figures(door, 'signalbox_http_body_bytes{caller="none"} 600\n');
    const second = await exchange(door.port, [post('y'.repeat(900))]);
    expect([second.status, second.body]).toEqual([202, '{"bytes":900}']);
    const cut = await first;
    expect([cut.status, cut.headers.get('retry-after')]).toEqual([503, '1']);
    expect(problemFrom(cut.body, cut.headers.get('content-type'), 503).code).toBe('too_many_bodies');
    await figures(door, 'signalbox_http_bodies_cut_total{caller="none"} 1\n');
    await figures(door, 'signalbox_http_body_bytes{caller="none"} 0\n');
    // What a caller with a token sends counts by itself.
    const task = JSON.stringify({ session: 's', prompt: 'p'.repeat(300) });
    const headers = { 'content-type': 'application/json' };
    expect((await door.fetch('/v1/tasks', { method: 'POST', headers, body: task })).status).toBe(201);
  });

  test('W04: long bodies that do not fit together are read one after the other, and all are accepted', async () => {
    await using door = await openDoor({
      server: { limits: { maxBodiesBytes: 1000, maxBodyBytes: 500 }, hooks: [hook] },
    });
    const head = 'POST /hooks/test HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900\r\nconnection: close\r\n\r\n';
    const first = await openSocket(door.port);
    const answer = untilClosed(first);
    first.write(`${head}${'x'.repeat(600)}`);
    await figures(door, 'signalbox_http_body_bytes{caller="none"} 600\n');
    const others = Array.from({ length: 5 }, () => exchange(door.port, [head + 'y'.repeat(900)]));
    await figures(door, 'signalbox_http_bodies_waiting{caller="none"} 5\n');
    await figures(door, 'signalbox_http_body_bytes{caller="none"} 600\n');
    first.write('x'.repeat(300));
    expect(await answer).toContain('{"bytes":900}');
    expect((await Promise.all(others)).map(({ status, body }) => [status, body])).toEqual(
      others.map(() => [202, '{"bytes":900}']),
    );
    await figures(door, 'signalbox_http_bodies_cut_total{caller="none"} 0\n');
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
