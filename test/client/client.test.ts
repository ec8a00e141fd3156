/** The client against the real server, and against things that are none. */
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { EventType } from '../../src/core/model/events.ts';
import { errorCodes } from '../../src/core/error-codes.ts';
import type { AppError, ReadEvent } from '../../src/client/index.ts';
import { ApiError, createClient } from '../../src/client/index.ts';
import { hastyTimer, openDoor, token } from '../support/door.ts';
import { dataOf } from '../support/events.ts';

interface Peer extends AsyncDisposable {
  readonly url: string;
  readonly requests: { readonly url: string; readonly headers: IncomingMessage['headers'] }[];
}

/** A server that answers by a script: each connection of a stream the next part. */
async function peer(answer: (request: IncomingMessage, response: ServerResponse, nth: number) => void): Promise<Peer> {
  const requests: { readonly url: string; readonly headers: IncomingMessage['headers'] }[] = [];
  const server: Server = createServer((request, response) => {
    requests.push({ url: request.url ?? '', headers: request.headers });
    answer(request, response, requests.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const event = (seq: number, type: EventType = 'output'): string =>
  `id: ${seq}\ndata: ${JSON.stringify({ session: 's', task: 't', seq, at: 0, type, data: dataOf(type) })}\n\n`;
const stream = (response: ServerResponse, text: string): void =>
  void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(text);

async function collect(events: AsyncIterable<ReadEvent>): Promise<number[]> {
  const seqs: number[] = [];
  for await (const { seq } of events) {
    seqs.push(seq);
  }
  return seqs;
}

const thrown = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => null,
    (error: unknown) => error,
  );

describe('a call', () => {
  test('that is refused throws the problem’s code and hint', async () => {
    await using door = await openDoor();
    const error = await thrown(door.client.task('nobody'));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      code: 'unknown_task',
      status: 404,
      retryable: false,
      hint: errorCodes.unknown_task.hint,
      problem: { title: errorCodes.unknown_task.title },
    });
  });

  test('with a wrong token, or without one, is unauthorized', async () => {
    await using door = await openDoor();
    for (const wrong of ['wrong', null]) {
      expect(await thrown(createClient({ baseUrl: door.url, token: wrong }).tasks())).toMatchObject({
        code: 'unauthorized',
      });
    }
  });

  test('without a daemon is unreachable, and retryable', async () => {
    await using none = await peer(() => {});
    const { url } = none;
    await none[Symbol.asyncDispose]();
    const error = await thrown(createClient({ baseUrl: url }).health());
    expect(error).toMatchObject({ code: 'unreachable', retryable: true });
    expect((error as AppError).message).toContain('ECONNREFUSED');
  });

  test('to another program is a bad response', async () => {
    await using page = await peer((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    );
    await using gateway = await peer((_, response) =>
      response.writeHead(502, { 'content-type': 'text/html' }).end('<html>'),
    );
    await using moved = await peer((_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end());
    expect(await thrown(createClient({ baseUrl: page.url }).health())).toMatchObject({
      code: 'bad_response',
      retryable: false,
    });
    expect(await thrown(createClient({ baseUrl: gateway.url }).health())).toMatchObject({
      code: 'bad_response',
      retryable: true,
    });
    expect(await thrown(createClient({ baseUrl: moved.url, token }).health())).toMatchObject({ code: 'unreachable' });
  });

  test('to a server that breaks off its JSON, or speaks no HTTP, is a bad response', async () => {
    await using broken = await peer((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":'),
    );
    await using ssh = await peer((request) => request.socket.end('SSH-2.0-OpenSSH\r\n'));
    for (const { url } of [broken, ssh]) {
      expect(await thrown(createClient({ baseUrl: url }).health())).toMatchObject({ code: 'bad_response' });
    }
  });

  test('with an argument that no address can hold is refused before it is sent', async () => {
    await using other = await peer((_, response) => response.end());
    const client = createClient({ baseUrl: other.url });
    for (const name of ['', '.', '..']) {
      expect(await thrown(client.session(name))).toMatchObject({ code: 'bad_id' });
      expect(await thrown(client.cancel(name))).toMatchObject({ code: 'bad_id' });
    }
    expect(other.requests).toEqual([]);
  });

  test('without an answer fails at its deadline', async () => {
    await using silent = await peer(() => {});
    expect(await thrown(createClient({ baseUrl: silent.url, timeoutMs: 20 }).health())).toMatchObject({
      code: 'unreachable',
      retryable: true,
    });
    const abort = new AbortController();
    const call = thrown(createClient({ baseUrl: silent.url }).health({ signal: abort.signal }));
    abort.abort();
    expect(await call).toMatchObject({ code: 'aborted' });
    expect(await thrown(createClient({ baseUrl: silent.url }).health({ signal: AbortSignal.abort() }))).toMatchObject({
      code: 'aborted',
    });
  });

  test('keeps a prefix of the address, escapes keys, sends the token', async () => {
    await using mirror = await peer((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
    );
    const client = createClient({ baseUrl: `${mirror.url}/box/`, token: 'secret' });
    await client.session('a:b/c d?#%é');
    await client.tasks({ status: ['queued', 'running'], limit: 3 });
    await client.submit({ session: 's', prompt: 'p' }, { idempotencyKey: 'k' });
    expect(mirror.requests.map(({ url }) => url)).toEqual([
      '/box/v1/sessions/a%3Ab%2Fc%20d%3F%23%25%C3%A9',
      '/box/v1/tasks?status=queued%2Crunning&limit=3',
      '/box/v1/tasks',
    ]);
    expect(mirror.requests[2]?.headers).toMatchObject({
      authorization: 'Bearer secret',
      'idempotency-key': 'k',
      'content-type': 'application/json',
    });
  });
});

describe('a client that follows a tape', () => {
  const options = { timer: hastyTimer, random: () => 0 };

  test('continues after the last event that came, however the stream broke', async () => {
    const parts: ((response: ServerResponse) => void)[] = [
      (response) => stream(response, `retry: 1\n\n: hello\n\n${event(1)}${event(2)}id: 3\ndata: {"half`),
      (response) =>
        void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event(3), () => response.destroy()),
      (response) => stream(response, `${event(4)}event: cut\ndata: {"reason":"slow_reader"}\n\n`),
      (response) => stream(response, `${event(5)}event: bye\ndata: {"reason":"closing"}\n\n`),
      (response) => response.destroy(),
      (response) =>
        void response
          .writeHead(503, { 'content-type': 'application/problem+json' })
          .end('{"type":"x","title":"x","status":503,"detail":"d","code":"closing","hint":"h","retryable":true}'),
      (response) => void response.writeHead(502).end('bad gateway'),
      (response) => stream(response, ''),
      // A server that repeats what was read already.
      (response) => stream(response, `${event(4)}${event(5)}${event(6)}${event(7, 'final')}${event(8)}`),
    ];
    await using server = await peer((_, response, nth) => parts[nth]?.(response));
    const breaks: string[] = [];
    const seqs = await collect(
      createClient({ baseUrl: server.url, ...options }).follow('t', { onBreak: ({ code }) => void breaks.push(code) }),
    );
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(server.requests.map(({ headers }) => headers['last-event-id'])).toEqual([
      '0',
      '2',
      '3',
      '4',
      '5',
      '5',
      '5',
      '5',
      '5',
    ]);
    expect(breaks).toEqual([
      'unreachable',
      'unreachable',
      'unreachable',
      'unreachable',
      'unreachable',
      'closing',
      'bad_response',
      'unreachable',
    ]);
  });

  test('yields events of a later version as unknown, and continues', async () => {
    const later = { session: 's', task: 't', seq: 2, at: 0, type: 'reply-posted', data: { url: 'u' } };
    const odd = { ...later, seq: 3, type: 'turn-ended', data: { turn: 'three' } };
    const sent = [later, odd].map((one) => `id: ${one.seq}\ndata: ${JSON.stringify(one)}\n\n`).join('');
    await using server = await peer((_, response) => stream(response, `${event(1)}${sent}${event(4, 'final')}`));
    const read: ReadEvent[] = [];
    for await (const one of createClient({ baseUrl: server.url, ...options }).follow('t')) {
      read.push(one);
    }
    expect(read.map(({ kind, type }) => [kind, type])).toEqual([
      ['known', 'output'],
      ['unknown', null],
      ['unknown', null],
      ['known', 'final'],
    ]);
    expect(read[1]).toEqual({ ...later, kind: 'unknown', type: null, name: 'reply-posted' });
    expect(read[2]).toMatchObject({ name: 'turn-ended', data: odd.data });
  });

  test('ends with a final that a later version changed', async () => {
    const final = { session: 's', task: 't', seq: 1, at: 0, type: 'final', data: { status: 'postponed' } };
    await using server = await peer((_, response) => stream(response, `id: 1\ndata: ${JSON.stringify(final)}\n\n`));
    expect(await collect(createClient({ baseUrl: server.url, ...options }).follow('t'))).toEqual([1]);
    expect(server.requests).toHaveLength(1);
  });

  test('requests events again rather than leave a gap', async () => {
    await using server = await peer((_, response, nth) =>
      stream(response, nth === 0 ? event(1) + event(3) : event(2) + event(3, 'final')),
    );
    expect(await collect(createClient({ baseUrl: server.url, ...options }).follow('t'))).toEqual([1, 2, 3]);
  });

  test('treats silence as a dead connection', async () => {
    await using server = await peer((_, response, nth) => {
      if (nth === 0) {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event(1));
      } else {
        stream(response, event(2, 'final'));
      }
    });
    expect(await collect(createClient({ baseUrl: server.url, silenceMs: 400, ...options }).follow('t'))).toEqual([
      1, 2,
    ]);
  });

  test('ends at once where the tape has ended, and begins at the given seq', async () => {
    await using server = await peer((_, response) => response.writeHead(204).end());
    expect(await collect(createClient({ baseUrl: server.url, ...options }).follow('t', { after: 7 }))).toEqual([]);
    expect(server.requests.map(({ headers }) => headers['last-event-id'])).toEqual(['7']);
  });

  test('ends with an error that a retry would not change', async () => {
    await using door = await openDoor();
    expect(await thrown(collect(door.client.follow('nobody')))).toMatchObject({ code: 'unknown_task' });
    expect(await thrown(collect(createClient({ baseUrl: door.url, token: 'wrong' }).follow('nobody')))).toMatchObject({
      code: 'unauthorized',
    });
    await using page = await peer((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    );
    expect(await thrown(collect(createClient({ baseUrl: page.url }).follow('t')))).toMatchObject({
      code: 'bad_response',
    });
    const { url } = page;
    await page[Symbol.asyncDispose]();
    expect(await thrown(collect(createClient({ baseUrl: url }).follow('t')))).toMatchObject({ code: 'unreachable' });
  });

  test('ends when its signal aborts: while it reads, and while it waits to retry', async () => {
    await using door = await openDoor();
    const { task } = await door.client.submit({ session: 's', prompt: 'p' });
    const reading = new AbortController();
    const first = (async () => {
      for await (const { type } of door.client.follow(task, { signal: reading.signal })) {
        if (type === 'turn-started') {
          reading.abort();
        }
      }
    })();
    expect(await thrown(first)).toMatchObject({ code: 'aborted' });

    await using broken = await peer((_, response, nth) =>
      nth === 0 ? stream(response, event(1)) : response.destroy(),
    );
    const waiting = new AbortController();
    const patient = createClient({
      baseUrl: broken.url,
      timer: (ms, fire) => (ms > 10_000 ? hastyTimer(ms, fire) : () => {}),
    });
    const second = collect(
      patient.follow('t', { signal: waiting.signal, onBreak: () => queueMicrotask(() => waiting.abort()) }),
    );
    expect(await thrown(second)).toMatchObject({ code: 'aborted' });
  });

  test('leaves no stream open when its reader stops', async () => {
    await using door = await openDoor();
    const { task } = await door.client.submit({ session: 's', prompt: 'p' });
    for await (const { seq } of door.client.follow(task)) {
      if (seq === 1) {
        break;
      }
    }
    while (!(await door.client.metrics()).includes('signalbox_http_streams 0')) {
      await door.client.health();
    }
  });
});

describe('a client that follows a feed', () => {
  test('from the present loses no event, though its first connection breaks before the first event', async () => {
    await using door = await openDoor();
    const before = await door.client.submit({ session: 's', prompt: 'p' });
    (await door.box.stage.turn()).finish();
    await door.box.ended(before.task);
    let attempts = 0;
    const client = createClient({
      baseUrl: door.url,
      token,
      timer: hastyTimer,
      fetch: async (input, init) => {
        const streaming = String(new Headers(init?.headers).get('accept')).includes('event-stream');
        if (streaming && ++attempts === 1) {
          // Open, and gone before anything came; meanwhile something happens.
          const response = await fetch(input, init);
          await response.body?.cancel();
          await door.client.submit({ session: 's', prompt: 'q' });
          return new Response(new ReadableStream({ start: (controller) => controller.close() }), {
            headers: { 'content-type': 'text/event-stream' },
          });
        }
        return fetch(input, init);
      },
    });
    for await (const first of client.followSession('s', { after: 'now' })) {
      expect(first).toMatchObject({ seq: 1, type: 'queued' });
      expect(first.task).not.toBe(before.task);
      break;
    }
    expect(attempts).toBe(2);
  });
});
