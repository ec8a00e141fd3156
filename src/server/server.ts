/**
 * The HTTP server.
 *
 * Owns: the listening socket, its connections, the open streams. Called by the daemon (`listen`, `close`). Calls: the
 * `Signalbox` it was given, the hooks. It holds no state of tasks or sessions.
 *  server/1 Every request that could be parsed is answered once: by its endpoint, or with a problem document.
 *  server/2 What an endpoint throws ends its own request only.
 *  server/3 Nothing of a request is acted on before Host, token and shape have been checked.
 *  server/4 After `close` resolves there is no connection, stream or timer left.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { AppError } from '../core/errors.ts';
import { makeOpenApi, problem } from '../protocol/index.ts';
import type { Clock } from '../runtime/clock.ts';
import { systemClock } from '../runtime/clock.ts';
import type { StoreHealth } from '../store/port.ts';
import { BodyBudget } from './body-budget.ts';
import { Connections } from './connections.ts';
import type { Services } from './context.ts';
import type { Endpoint } from './endpoint.ts';
import { addRoutes, hookEndpoint } from './endpoint.ts';
import { Streams } from './events/streams.ts';
import { hostChecker, isLoopback } from './guard.ts';
import type { ServerFigures } from './metrics.ts';
import { renderMetrics } from './metrics.ts';
import type { Logger, ServerLimits, ServerOptions } from './options.ts';
import { defaultServerLimits, silentLogger } from './options.ts';
import { ProblemError, problemOf, sendProblem, writeBareProblem } from './respond.ts';
import { checkScope } from './rights.ts';
import { Router } from './router.ts';
import { type Caller, Tokens } from './tokens.ts';

// Not by an import: that would also run the module's lazy getters and load `fetch`, half of the time to a ready daemon.
const { createServer: createHttpServer } = process.getBuiltinModule('node:http');

const urlLengthMax = 8192;
/**
 * Connections past the limit that are still accepted, as a multiple of it: to be answered 503, or because the one that made
 * room has not closed yet. Node drops those that come past these.
 */
const acceptedOverLimit = 1;
/**
 * Connections that the system holds until they are accepted. One that comes past these tries again after a second, so a crowd that arrives at
 * once would keep callers with a token waiting. Linux allows 4,096 (`net.core.somaxconn`).
 */
const backlog = 4096;
/** How long a request waits for recovery to finish. GitHub gives a delivery 10 s. */
const readyWaitMs = 8000;

export interface SignalboxServer {
  /** Where it can be reached from this machine; known once `listen` has resolved. */
  readonly url: string;
  /** Throws `token_required`, `address_in_use` or `listen_failed`. */
  listen(): Promise<{ readonly url: string; readonly host: string; readonly port: number }>;
  /** Streams get `bye`, running requests `graceMs` (default 5,000 ms) to finish. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

export function createServer(options: ServerOptions): SignalboxServer {
  return new HttpDoor(options);
}

class HttpDoor implements SignalboxServer {
  readonly #options: ServerOptions;
  readonly #limits: ServerLimits;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #http: Server;
  readonly #router = new Router<Endpoint>();
  readonly #streams: Streams;
  readonly #tokens: Tokens;
  readonly #isOurName: (host: string | undefined) => boolean;
  readonly #requestId: () => string;
  readonly #responses = new WeakMap<Duplex, ServerResponse>();
  readonly #connections: Connections;
  /** Of callers with a token and of those without, so that these cannot use up what those need. */
  readonly #bodies: { readonly known: BodyBudget; readonly strangers: BodyBudget };
  readonly #requests = new Map<string, number>();
  #ready = false;
  #closing: Promise<void> | null = null;
  #url = '';

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#limits = { ...defaultServerLimits, ...options.limits };
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.#requestId = options.requestIds ?? requestIds();
    this.#isOurName = hostChecker(options.listen.host, options.listen.hosts ?? []);
    const { signalbox } = options;
    this.#tokens = new Tokens({
      own: options.tokens,
      store: signalbox.store,
      clock: this.#clock,
      agentOf: (token) => signalbox.agentOf(token),
    });
    this.#streams = new Streams({ signalbox, clock: this.#clock, limits: this.#limits, logger: this.#logger });
    const hooks = options.hooks ?? [];
    this.#connections = new Connections(this.#limits.maxConnections);
    const budget = (...bodyLimits: readonly number[]): BodyBudget =>
      new BodyBudget({ bytes: this.#limits.maxBodiesBytes, longest: Math.max(0, ...bodyLimits), clock: this.#clock });
    this.#bodies = {
      known: budget(this.#limits.maxBodyBytes),
      strangers: budget(...hooks.map(({ bodyLimit }) => bodyLimit)),
    };
    addRoutes(this.#router, this.#services(), this.#limits.maxBodyBytes);
    for (const hook of hooks) {
      this.#router.add(hook.method, hook.path, hookEndpoint(hook));
    }
    this.#http = this.#makeHttp();
    signalbox.ready.then(
      () => (this.#ready = true),
      (error: unknown) => this.#logger.error({ err: error }, 'the runtime did not become ready'),
    );
  }

  get url(): string {
    return this.#url;
  }

  async listen(): Promise<{ readonly url: string; readonly host: string; readonly port: number }> {
    const { host, port } = this.#options.listen;
    if (this.#options.tokens.length === 0 && !isLoopback(host)) {
      throw new AppError({
        code: 'token_required',
        message: `other machines can reach ${host}, and no token is set`,
      });
    }
    await this.#tokens.load();
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      this.#http.listen({ host, port, backlog }, resolve);
    });
    const address = this.#http.address() as AddressInfo;
    this.#url = `http://${address.family === 'IPv6' ? `[${reachable(address.address)}]` : reachable(address.address)}:${address.port}`;
    return { url: this.#url, host: address.address, port: address.port };
  }

  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    return (this.#closing ??= this.#close(options.graceMs ?? 5000));
  }

  async #close(graceMs: number): Promise<void> {
    this.#streams.close();
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    this.#http.closeIdleConnections();
    this.#connections.closeUnused();
    const stop = this.#clock.timer(graceMs, () => this.#http.closeAllConnections());
    await closed;
    stop();
  }

  #makeHttp(): Server {
    const limits = this.#limits;
    const http = createHttpServer({
      maxHeaderSize: limits.maxHeaderBytes,
      requestTimeout: limits.requestTimeoutMs,
      headersTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: Math.max(50, Math.min(5000, limits.requestTimeoutMs / 2)),
      // What a connection holds for a peer that does not read, before its stream waits; and of a body before it is read.
      highWaterMark: 16_384,
      // A missing Host is answered here, with a problem document.
      requireHostHeader: false,
    });
    http.maxConnections = limits.maxConnections * (1 + acceptedOverLimit);
    http.on('request', (request, response) => void this.#onRequest(request, response));
    http.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#onClientError(error, socket));
    http.on('connection', (socket) => this.#connections.arrived(socket));
    http.on('drop', () => this.#connections.dropped());
    return http;
  }

  #services(): Services {
    const { signalbox, version = '0.0.0', hangs = null, outgoing = { wake() {} } } = this.#options;
    let openapi: string | null = null;
    return {
      signalbox,
      hangs,
      outgoing,
      now: () => this.#clock.wall(),
      tokens: this.#tokens,
      streams: this.#streams,
      checkReady: () => this.#checkReady(),
      openapi: () => (openapi ??= JSON.stringify(makeOpenApi(version))),
      metrics: async () => renderMetrics(await signalbox.stats(), this.#serverFigures()),
    };
  }

  #checkReady(): StoreHealth | null {
    if (!this.#ready || this.#closing !== null) {
      throw new ProblemError('not_ready');
    }
    const { problem = null, health = null } = this.#options.storage ?? {};
    if (problem !== null) {
      throw problem;
    }
    return health;
  }

  #serverFigures(): ServerFigures {
    const { size: streams, waiting, counts } = this.#streams;
    return {
      requests: this.#requests,
      storage: this.#options.storage ?? null,
      logDropped: this.#options.logDropped?.() ?? 0,
      connections: this.#connections.size,
      connectionsRefused: this.#connections.refused,
      connectionsCut: this.#connections.cut,
      bodyBytes: { token: this.#bodies.known.used, none: this.#bodies.strangers.used },
      bodiesWaiting: { token: this.#bodies.known.waiting, none: this.#bodies.strangers.waiting },
      bodiesCut: { token: this.#bodies.known.cuts, none: this.#bodies.strangers.cuts },
      streams,
      longPolls: waiting,
      streamEvents: counts.events,
      streamBytes: counts.bytes,
      streamsEnded: counts.ended,
    };
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = this.#requestId();
    const began = this.#clock.now();
    let name = 'none';
    this.#responses.set(request.socket, response);
    this.#connections.requested(request.socket, request);
    response.setHeader('x-request-id', requestId);
    response.on('close', () => this.#onAnswered(name, request, response, requestId, began));
    try {
      const { endpoint, values, search, caller } = this.#route(request);
      name = endpoint.name;
      this.#checkReachable(endpoint, request);
      if (caller !== null) {
        this.#connections.known(request.socket);
      }
      const budget = caller !== null ? this.#bodies.known : this.#bodies.strangers;
      const arrival = { request, response, values, search, requestId, budget, caller };
      if (endpoint.refuse?.(arrival) === true) {
        return;
      }
      if (!endpoint.early && !this.#ready) {
        await this.#untilReady();
      }
      if (caller !== null) {
        this.#tokens.opened(caller, response);
      }
      await endpoint.serve(arrival);
    } catch (error) {
      this.#answerError(error, response, requestId);
    }
  }

  /**
   * A commit that was under way when a server was lost waits for it to come back, and so do the commits behind it: a request that
   * would wait with them is told at once that nothing of it is stored.
   */
  #checkReachable({ name }: Endpoint, { method }: IncomingMessage): void {
    const { problem = null } = this.#options.storage ?? {};
    if (problem?.code === 'store_unreachable' && method !== 'GET' && name !== 'takeHang') {
      throw problem;
    }
  }

  /** Everything that is checked before a byte of the body is read. */
  #route(request: IncomingMessage): {
    readonly endpoint: Endpoint;
    readonly values: readonly string[];
    readonly search: string;
    /** Null: one who has shown no token, where none is needed. */
    readonly caller: Caller | null;
  } {
    if (this.#closing !== null) {
      throw new ProblemError('closing', {}, { connection: 'close' });
    }
    if (this.#connections.isOverLimit(request.socket)) {
      const detail = `At most ${this.#limits.maxConnections} connections may be open.`;
      throw new ProblemError('too_many_connections', { detail }, { connection: 'close' });
    }
    const url = request.url ?? '';
    if (url.length > urlLengthMax) {
      throw new ProblemError('url_too_long', { detail: `It may have at most ${urlLengthMax} characters.` });
    }
    if (!url.startsWith('/')) {
      throw new ProblemError('bad_request', { detail: 'The request line names no path.' });
    }
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const found = this.#router.find(request.method ?? '', path);
    const hook = found.kind === 'found' && found.target.hook;
    const { host, authorization } = request.headers;
    if (host === undefined && request.httpVersion !== '1.0') {
      throw new ProblemError('bad_request', { detail: 'The Host header is missing.' });
    }
    // A hook comes through whatever name a tunnel has, and its signature is what is trusted.
    if (!hook && !this.#isOurName(host)) {
      throw new ProblemError('wrong_host');
    }
    if (found.kind === 'no-path') {
      throw new ProblemError(path.startsWith('/hooks/') ? 'unknown_hook' : 'not_found');
    }
    if (found.kind === 'no-method') {
      throw methodNotAllowed(request.method ?? '', found.allow);
    }
    const caller = this.#callerOf(found.target, authorization);
    return { endpoint: found.target, values: found.values, search: mark < 0 ? '' : url.slice(mark + 1), caller };
  }

  #callerOf({ route }: Endpoint, authorization: string | undefined): Caller | null {
    if (route === null) {
      return authorization === undefined ? null : this.#tokens.callerOf(authorization);
    }
    const caller = this.#tokens.callerOf(authorization);
    if (caller === null) {
      throw new ProblemError('unauthorized', {
        detail:
          authorization === undefined
            ? 'The Authorization header is missing.'
            : 'The token in the Authorization header is wrong, was revoked, or its time is up.',
      });
    }
    checkScope(route, caller);
    return caller;
  }

  async #untilReady(): Promise<void> {
    let stop = (): void => {};
    const timeout = new Promise<void>((resolve) => (stop = this.#clock.timer(readyWaitMs, resolve)));
    await Promise.race([this.#options.signalbox.ready, timeout]).catch(() => {});
    stop();
    if (!this.#ready) {
      throw new ProblemError('not_ready');
    }
  }

  #answerError(error: unknown, response: ServerResponse, requestId: string): void {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const document = problemOf(error, requestId);
    if (document.status >= 500 && !(error instanceof ProblemError)) {
      this.#logger.error({ err: error, requestId }, 'a request failed');
    }
    try {
      sendProblem(response, document, error instanceof ProblemError ? error.headers : {});
    } catch (failure) {
      this.#logger.error({ err: failure, requestId }, 'an answer could not be written');
      response.destroy();
    }
  }

  #onAnswered(
    name: string,
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
    began: number,
  ): void {
    const status = response.headersSent ? String(response.statusCode) : 'gone';
    const key = `${name} ${status}`;
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1);
    this.#connections.answered(request.socket);
    const path = (request.url ?? '').split('?', 1)[0]?.slice(0, 300);
    this.#logger.debug(
      { requestId, method: request.method, path, name, status, ms: this.#clock.now() - began },
      'request',
    );
    if (this.#closing !== null) {
      this.#clock.soon(() => this.#http.closeIdleConnections());
    }
  }

  /** What Node could not parse, or gave up on. */
  #onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    const response = this.#responses.get(socket);
    const answering = response !== undefined && !response.writableFinished;
    if (!socket.writable || error.code === 'ECONNRESET' || (answering && response.headersSent)) {
      socket.destroy();
      return;
    }
    const code =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? 'headers_too_large'
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? 'request_timeout'
          : 'bad_request';
    const detail = code === 'bad_request' ? `It could not be parsed (${error.code ?? 'unknown'}).` : undefined;
    writeBareProblem(
      socket,
      problem(code, { instance: this.#requestId(), ...(detail === undefined ? {} : { detail }) }),
    );
  }
}

function methodNotAllowed(method: string, allow: readonly string[]): ProblemError {
  const list = allow.join(', ');
  return new ProblemError(
    'method_not_allowed',
    { detail: `The route supports ${list}, not ${method}.` },
    { allow: list },
  );
}

function requestIds(): () => string {
  const prefix = randomBytes(6).toString('base64url');
  let count = 0;
  return () => `${prefix}-${(++count).toString(36)}`;
}

/** The address to call where the daemon listens on all addresses. */
function reachable(address: string): string {
  return address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): AppError {
  const inUse = error.code === 'EADDRINUSE';
  return new AppError({
    code: inUse ? 'address_in_use' : 'listen_failed',
    message: inUse
      ? `${host}:${port} is in use`
      : `the daemon cannot listen on ${host}:${port} (${error.code ?? error.message})`,
    cause: error,
  });
}
