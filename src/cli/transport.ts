/**
 * One request, one answer, one connection. A command asks once and ends, so what counts is the time until it has asked:
 * to a daemon on plain HTTP the request is written as HTTP/1.0, whose answer ends where the connection ends and needs no
 * parser (1.5 ms to load and run, against 10 for `node:http` and 25 for `fetch`). TLS, which stands before a proxy, goes by
 * `node:https`. Everything that follows events uses the client.
 */
import { AppError } from '../core/errors.ts';
import { builtin } from './builtin.ts';

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  /** Names and values of our own making: no line breaks. */
  readonly headers: Readonly<{ [name: string]: string }>;
  readonly body: string | null;
}

export interface HttpResponse {
  readonly status: number;
  readonly body: string;
}

/** How long a connection may stay silent. No call waits for events, so only a daemon that hangs stays silent so long. */
const silenceMs = 60_000;
/** No answer of ours comes near it: a page has at most 500 events. */
const answerMaxBytes = 512 * 1024 * 1024;

/** Rejects with `unreachable` when nobody answers, and with `bad_response` when it is not HTTP what comes. */
export function send(request: HttpRequest): Promise<HttpResponse> {
  return request.url.protocol === 'https:' ? sendTls(request) : sendPlain(request);
}

function sendPlain({ method, url, headers, body }: HttpRequest): Promise<HttpResponse> {
  const { connect } = builtin('node:net');
  const bytes = Buffer.from(body ?? '');
  const lines = Object.entries({
    host: url.host,
    connection: 'close',
    'content-length': String(bytes.length),
    ...headers,
  });
  const head = `${method} ${url.pathname}${url.search} HTTP/1.0\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 80), noDelay: true });
    const parts: Buffer[] = [];
    let length = 0;
    socket.setTimeout(silenceMs, () => socket.destroy(new Error(`silent for ${silenceMs / 1000} s`)));
    socket.on('error', (error) => reject(unreachable(url, error)));
    socket.on('data', (part) => {
      parts.push(part);
      length += part.length;
      if (length > answerMaxBytes) socket.destroy(new Error('the answer does not end'));
    });
    socket.on('end', () => {
      const response = parseAnswer(Buffer.concat(parts));
      if (response === null)
        reject(length === 0 ? unreachable(url, new Error('the connection was closed')) : badAnswer(url));
      else resolve(response);
    });
    socket.write(bytes.length === 0 ? head : Buffer.concat([Buffer.from(head), bytes]));
  });
}

/** Null: it is no whole answer. Where a length is given the body must have it: a connection can break in the middle. */
export function parseAnswer(answer: Buffer): HttpResponse | null {
  const end = answer.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const head = answer.subarray(0, end).toString('latin1');
  const status = /^HTTP\/1\.[01] ([1-5]\d\d)(?: |\r|$)/.exec(head)?.[1];
  const length = /^content-length:\s*(\d+)\s*$/im.exec(head)?.[1];
  const body = answer.subarray(end + 4);
  if (status === undefined || (length !== undefined && Number(length) !== body.length)) return null;
  // A server that answers HTTP/1.0 in chunks does not keep to it.
  return /^transfer-encoding:/im.test(head) ? null : { status: Number(status), body: body.toString('utf8') };
}

async function sendTls({ method, url, headers, body }: HttpRequest): Promise<HttpResponse> {
  const { request } = builtin('node:https');
  return new Promise((resolve, reject) => {
    const length = body === null ? {} : { 'content-length': Buffer.byteLength(body) };
    const outgoing = request(url, { method, headers: { ...headers, ...length }, agent: false }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (part: string) => (text += part));
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: text }));
      incoming.on('error', (error) => reject(unreachable(url, error)));
    });
    outgoing.setTimeout(silenceMs, () => outgoing.destroy(new Error(`silent for ${silenceMs / 1000} s`)));
    outgoing.on('error', (error) => reject(unreachable(url, error)));
    outgoing.end(body ?? undefined);
  });
}

function unreachable(url: URL, error: Error): AppError {
  return new AppError({
    code: 'unreachable',
    message: `no daemon answers at ${url.origin}: ${error.message}`,
    retryable: true,
    cause: error,
  });
}

const badAnswer = (url: URL): AppError =>
  new AppError({ code: 'bad_response', message: `what ${url.origin} answered is not HTTP, or not whole` });
