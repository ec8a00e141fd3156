/** The real server over the real runtime on SQLite, on a free loopback port, with a client and with bare sockets. */
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Client, ClientOptions } from '../../src/client/index.ts';
import { ApiError, createClient } from '../../src/client/index.ts';
import type { ServerOptions } from '../../src/server/options.ts';
import { createServer, type SignalboxServer } from '../../src/server/server.ts';
import type { Signalbox, SignalboxOptions } from '../../src/runtime/index.ts';
import type { Problem } from '../../src/protocol/index.ts';
import { errorEntry, isErrorCode, ProblemSchema, validate } from '../../src/protocol/index.ts';
import type { Box } from './box.ts';
import { openBox } from './box.ts';

export const token = 'a-token-for-tests-of-the-door';

interface DoorOptions {
  readonly server?: Partial<Omit<ServerOptions, 'signalbox'>>;
  readonly box?: Partial<SignalboxOptions>;
  readonly client?: Partial<ClientOptions>;
  /** What the server gets instead of the runtime itself. */
  readonly around?: (signalbox: Signalbox) => Signalbox;
}

/** Headers as an object, so that they can be merged. */
export type Init = Omit<RequestInit, 'headers'> & { readonly headers?: Readonly<{ [name: string]: string }> };

export interface Door extends AsyncDisposable {
  readonly box: Box;
  readonly server: SignalboxServer;
  readonly url: string;
  readonly port: number;
  readonly client: Client;
  readonly logged: { readonly level: string; readonly fields: object; readonly message: string }[];
  /** `fetch` with the token; headers given here go before. */
  fetch(path: string, init?: Init): Promise<Response>;
  /** Writes bytes on a connection of its own and reads until the other side closes it. */
  raw(...parts: readonly (string | Uint8Array)[]): Promise<RawAnswer>;
  /** Ends server and runtime, and starts both again on the same port and the same file. */
  restart(): Promise<Door>;
}

export async function openDoor(
  options: DoorOptions = {},
  again?: { readonly box: Box; readonly port: number },
): Promise<Door> {
  const box = again?.box ?? (await openBox(options.box));
  const logged: Door['logged'] = [];
  const log = (level: string) => (fields: object, message: string) => void logged.push({ level, fields, message });
  const server = createServer({
    signalbox: options.around?.(box.box) ?? box.box,
    tokens: [token],
    version: '1.2.3',
    logger: { debug: () => {}, info: log('info'), warn: log('warn'), error: log('error') },
    ...options.server,
    listen: { host: '127.0.0.1', port: again?.port ?? 0, ...options.server?.listen },
  });
  const { url, port } = await server.listen();
  return {
    box,
    server,
    url,
    port,
    logged,
    client: createClient({ baseUrl: url, token, ...options.client }),
    fetch: (path, init = {}) =>
      fetch(url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } }),
    raw: (...parts) => exchange(port, parts),
    restart: async () => {
      await server.close({ graceMs: 2000 });
      return openDoor(options, { box: await box.reopen(), port });
    },
    [Symbol.asyncDispose]: async () => {
      await server.close({ graceMs: 0 });
      await box[Symbol.asyncDispose]();
      // A box that was opened again leaves its folder to us.
      rmSync(box.folder, { recursive: true, force: true });
    },
  };
}

/** A runtime whose reads of tapes and feeds go through `via`. */
export function reading(signalbox: Signalbox, via: <T>(answer: Promise<T>) => Promise<T>): Signalbox {
  return new Proxy(signalbox, {
    get(target, name) {
      if (name === 'tape') {
        return (...args: Parameters<Signalbox['tape']>) => via(target.tape(...args));
      }
      if (name === 'feed') {
        return (...args: Parameters<Signalbox['feed']>) => via(target.feed(...args));
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Reads answer up to four rounds of the event loop late, as those of a store on another machine do. */
export function answeringLate(signalbox: Signalbox, random: () => number): Signalbox {
  return reading(signalbox, async (answer) => {
    const value = await answer;
    for (let rounds = Math.floor(random() * 5); rounds > 0; rounds--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    return value;
  });
}

/** A client's timer whose waits are twenty times shorter than in life. */
export const hastyTimer = (ms: number, fire: () => void): (() => void) => {
  const timer = setTimeout(fire, ms / 20);
  return () => clearTimeout(timer);
};

interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export function openSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => resolve(socket));
    socket.once('error', reject);
  });
}

export async function exchange(port: number, parts: readonly (string | Uint8Array)[]): Promise<RawAnswer> {
  const socket = await openSocket(port);
  const chunks: Buffer[] = [];
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A reset after the answer is the peer's way to stop an upload.
  socket.on('error', () => {});
  for (const part of parts) {
    socket.write(part);
  }
  await closed;
  return parseAnswer(Buffer.concat(chunks).toString());
}

function parseAnswer(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [line = '', ...lines] = head.split('\r\n');
  const headers = new Map(
    lines.map((each) => [each.slice(0, each.indexOf(':')).toLowerCase(), each.slice(each.indexOf(':') + 1).trim()]),
  );
  return { status: Number(line.split(' ')[1]), headers, body: rest.join('\r\n\r\n') };
}

/** The problem document of an answer. Anything else fails the test, as does a title or hint that the table does not have. */
export async function problemIn(response: Response): Promise<Problem> {
  return problemFrom(await response.text(), response.headers.get('content-type'), response.status);
}

export function problemFrom(body: string, type: string | null | undefined, status: number): Problem {
  if (type !== 'application/problem+json') {
    throw new Error(`no problem document: ${status} ${type ?? ''} ${body.slice(0, 300)}`);
  }
  const checked = validate(ProblemSchema, JSON.parse(body));
  if (!checked.ok) {
    throw new Error(`not a problem document: ${JSON.stringify(checked.findings)} in ${body}`);
  }
  if (checked.value.status !== status) {
    throw new Error(`status ${status} and a document of ${checked.value.status}`);
  }
  const { code, title, hint } = checked.value;
  const entry = errorEntry(code);
  if (!isErrorCode(code) || title !== entry.title || hint !== entry.hint) {
    throw new Error(`${body} differs from the table: ${JSON.stringify(entry)}`);
  }
  return checked.value;
}

/** Code of the refusal that a call of the client meets. */
export const refusalOf = async (call: Promise<unknown>): Promise<string> => {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return error instanceof ApiError ? error.code : `not refused: ${String(error)}`;
};
