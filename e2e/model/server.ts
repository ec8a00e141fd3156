/**
 * The fake model API: a real HTTP server on loopback that speaks the dialects of the agents' CLIs, and does what the prompts
 * say (directives.ts). It answers calls that nobody expects as well: titles, classifiers, counts of tokens, lists of models.
 *
 * Owns: the server and its timers. Invariants:
 *  model-server/1 Each request is logged before anything is answered, and ends in the log exactly once: `ended` or
 *                 `closed`; a silent one when its client goes.
 *  model-server/2 A directive that means nothing is answered with an error and never with text.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Asked, Fields } from './conversation.ts';
import { fieldsOf } from './conversation.ts';
import { anthropic } from './dialects/anthropic.ts';
import { chat } from './dialects/chat.ts';
import type { Dialect } from './dialects/dialect.ts';
import { fakeMessage } from './dialects/dialect.ts';
import { gemini } from './dialects/gemini.ts';
import { responses } from './dialects/responses.ts';
import type { HttpFailure, Planned, Rule } from './directives.ts';
import { BadDirective, nameOf, plan } from './directives.ts';
import type { Exchange } from './exchange.ts';
import { fill } from './fill.ts';
import type { ModelEvent } from './log.ts';
import { ModelLog } from './log.ts';
import { stream } from './stream.ts';

interface ModelOptions {
  /** Default: any free one. */
  readonly port?: number;
  /** For prompts that carry no directive. More may be added later by `rule`. */
  readonly rules?: readonly Rule[];
  readonly onEvent?: (event: ModelEvent) => void;
  /** Milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
  /** Default: UUIDs. */
  readonly ids?: () => string;
  /** Told each request whole, for those who want to see what a program really sends. */
  readonly onBody?: (path: string, body: Fields) => void;
}

export interface Model extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly url: string;
  readonly port: number;
  readonly log: ModelLog;
  rule(rule: Rule): void;
}

const dialects: readonly Dialect[] = [anthropic, responses, chat, gemini];

class FakeModel implements Model {
  readonly log: ModelLog;
  port = 0;
  readonly #options: ModelOptions;
  readonly #rules: Rule[];
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  /** How often each flaky text has failed. */
  readonly #failed = new Map<string, number>();
  #count = 0;

  constructor(options: ModelOptions) {
    this.#options = options;
    this.#rules = [...(options.rules ?? [])];
    this.log = new ModelLog(options.onEvent ?? (() => {}));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  rule(rule: Rule): void {
    this.#rules.unshift(rule);
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port ?? 0, '127.0.0.1', resolve);
    });
    this.port = (this.#server.address() as AddressInfo).port;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const no = ++this.#count;
    const { method = 'GET' } = request;
    const path = new URL(request.url ?? '/', 'http://model').pathname;
    let body: Fields;
    try {
      body = fieldsOf(JSON.parse((await textOf(request)) || '{}'));
    } catch {
      // Gone before it had said all, or no JSON.
      this.#add(no, { type: 'other', method, path, status: 400 });
      response.writeHead(400).end();
      return;
    }
    this.#options.onBody?.(path, body);
    const dialect = method === 'POST' ? dialects.find((one) => one.matches(path)) : undefined;
    if (dialect === undefined) {
      this.#other(no, method, path, response);
      return;
    }
    const log: Exchange['log'] = (event) => this.#add(no, event);
    const asked = dialect.read(path, body);
    this.#play({ no, dialect, asked, response, id: (prefix) => prefix + this.#id(), log }, method, path);
  }

  #id(): string {
    return this.#options.ids?.() ?? randomUUID().replaceAll('-', '').slice(0, 24);
  }

  #add(no: number, event: Parameters<Exchange['log']>[0]): void {
    this.log.add({ at: (this.#options.now ?? (() => performance.now()))(), no, ...event });
  }

  /** What is no request for an answer. */
  #other(no: number, method: string, path: string, response: ServerResponse): void {
    const found = otherAnswer(method, path);
    const status = found === null ? 404 : 200;
    this.#add(no, { type: 'other', method, path, status });
    json(
      response,
      status,
      found ?? { error: { type: 'not_found_error', message: `fake: no route ${method} ${path}` } },
    );
  }

  #play(exchange: Exchange, method: string, path: string): void {
    const { asked, log } = exchange;
    let planned: Planned;
    try {
      planned = this.#plan(asked);
    } catch (error) {
      if (!(error instanceof BadDirective)) {
        throw error;
      }
      log({ type: 'request', method, path, asked, plays: `bad directive: ${error.message}`, step: 0, cue: '' });
      refuse(exchange, { status: 400, error: 'invalid_request_error', retryAfter: null }, error.message);
      return;
    }
    const { play, step, cue } = planned;
    log({ type: 'request', method, path, asked, plays: asked.schema === null ? nameOf(play) : 'schema', step, cue });
    if (play.kind === 'status') {
      refuse(exchange, play);
    } else if (play.kind === 'flaky') {
      this.#flaky(exchange, play, cue);
    } else {
      stream(exchange, play);
    }
  }

  #plan({ schema, items }: Asked): Planned {
    if (schema !== null) {
      return { play: { kind: 'text', text: JSON.stringify(fill(schema)) }, step: 0, cue: '' };
    }
    return plan(items, this.#rules);
  }

  #flaky(exchange: Exchange, play: HttpFailure & { readonly times: number }, cue: string): void {
    const before = this.#failed.get(cue) ?? 0;
    if (before < play.times) {
      this.#failed.set(cue, before + 1);
      refuse(exchange, play);
    } else {
      stream(exchange, { kind: 'text', text: `recovered after ${play.times}` });
    }
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  request.setEncoding('utf8');
  let text = '';
  for await (const part of request) {
    text += String(part);
  }
  return text;
}

function otherAnswer(method: string, path: string): Fields | null {
  if (path.endsWith('/count_tokens')) {
    return { input_tokens: 42 };
  }
  if (path.endsWith(':countTokens')) {
    return { totalTokens: 42 };
  }
  if (path.endsWith('/v1beta/models')) {
    return { models: [{ name: 'models/fake-model', displayName: 'Fake' }] };
  }
  if (path.endsWith('/models')) {
    const model = {
      id: 'fake-model',
      type: 'model',
      object: 'model',
      display_name: 'Fake',
      created: 0,
      owned_by: 'fake',
    };
    return { object: 'list', data: [model], has_more: false };
  }
  return method === 'HEAD' || path === '/' ? {} : null;
}

function json(response: ServerResponse, status: number, body: unknown, headers: { [name: string]: string } = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function refuse({ dialect, response, id, log }: Exchange, failure: HttpFailure, message?: string): void {
  const { status, error, retryAfter } = failure;
  log({ type: 'ended', how: 'refused', pieces: 0 });
  const headers = retryAfter === null ? {} : { 'retry-after': String(retryAfter) };
  json(response, status, dialect.error(status, error, message ?? fakeMessage(error), id), headers);
}

export async function startModel(options: ModelOptions = {}): Promise<Model> {
  const model = new FakeModel(options);
  await model.listen();
  return model;
}
