/** One request to one route. */
import { AppError } from '../core/errors.ts';
import { fillPath, writeQuery } from '../protocol/query.ts';
import type { Operation } from '../protocol/routes.ts';
import { routes } from '../protocol/routes.ts';
import { aborted, badResponse, errorOf, failed } from './errors.ts';

export interface ClientOptions {
  /** Address of the daemon, for example `http://127.0.0.1:7070`; a path is kept as a prefix. */
  readonly baseUrl: string;
  /** Left out for a daemon that asks for none. */
  readonly token?: string | null;
  readonly fetch?: typeof fetch;
  /** An answer must have begun in this time, beside what a long poll waits. Milliseconds, default 30,000. */
  readonly timeoutMs?: number;
  /** A stream that is silent for this long is taken for dead; the server sends a heartbeat every 15 s. Default 45,000. */
  readonly silenceMs?: number;
  /** From 0 to below 1; spreads the reconnects of many readers. */
  readonly random?: () => number;
  /** Calls `fire` once after `ms`; the returned function cancels it. */
  readonly timer?: (ms: number, fire: () => void) => () => void;
}

export interface CallParts {
  readonly params?: { readonly [name: string]: string };
  readonly query?: { readonly [name: string]: unknown };
  readonly body?: unknown;
  readonly headers?: { readonly [name: string]: string };
  readonly signal?: AbortSignal | undefined;
  readonly accept?: string;
}

const defaultTimer = (ms: number, fire: () => void): (() => void) => {
  const timer = setTimeout(fire, ms);
  return () => clearTimeout(timer);
};

/** A URL has no empty segment to give, and takes `.` and `..` for other places. */
function checkSegments(params: CallParts['params'] = {}): void {
  for (const [name, value] of Object.entries(params)) {
    if (/^\.{0,2}$/.test(value)) {
      throw new AppError({
        code: 'bad_id',
        message: `${JSON.stringify(value)} is not the ${name === 'key' ? 'key of a session' : `${name} of a task`}`,
      });
    }
  }
}

export class Http {
  readonly baseUrl: string;
  readonly timer: (ms: number, fire: () => void) => () => void;
  readonly #token: string | null;
  readonly #fetch: typeof fetch;
  readonly #timeoutMs: number;

  constructor(options: ClientOptions) {
    this.baseUrl = options.baseUrl.replace(/\/+$/, '');
    this.timer = options.timer ?? defaultTimer;
    this.#token = options.token ?? null;
    this.#fetch = options.fetch ?? fetch;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
  }

  /** The JSON that the route answers. Throws `ApiError`, or an `AppError` `unreachable`, `bad_response`, `aborted`. */
  async json(operation: Operation, parts: CallParts = {}): Promise<unknown> {
    const response = await this.send(operation, parts);
    const type = response.headers.get('content-type') ?? '';
    if (!type.startsWith('application/json')) {
      throw badResponse(this.baseUrl, response.status, type || 'no content type');
    }
    return this.#guarded(parts.signal, () => response.json());
  }

  async text(operation: Operation, parts: CallParts = {}): Promise<string> {
    const response = await this.send(operation, parts);
    return this.#guarded(parts.signal, () => response.text());
  }

  /** The response of a request that was answered with 2xx; its body is still to be read. */
  async send(operation: Operation, parts: CallParts): Promise<Response> {
    const { method, path } = routes[operation];
    checkSegments(parts.params);
    const url = this.baseUrl + fillPath(path, parts.params) + writeQuery(parts.query);
    const headers: { [name: string]: string } = { accept: parts.accept ?? 'application/json', ...parts.headers };
    if (this.#token !== null) {
      headers['authorization'] = `Bearer ${this.#token}`;
    }
    const init: RequestInit = { method, headers, redirect: 'error' };
    if (parts.body !== undefined) {
      headers['content-type'] = 'application/json';
      init.body = JSON.stringify(parts.body);
    }
    const waited = Number(parts.query?.['wait'] ?? 0) * 1000;
    const response = await this.#begin(url, init, this.#timeoutMs + waited, parts.signal);
    if (!response.ok) {
      throw await errorOf(this.baseUrl, response);
    }
    return response;
  }

  /** Throws `aborted` as soon as the signal says so. */
  pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        stop();
        if (signal !== undefined) {
          reject(aborted(signal));
        }
      };
      const stop = this.timer(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      if (signal?.aborted === true) {
        onAbort();
      } else {
        signal?.addEventListener('abort', onAbort, { once: true });
      }
    });
  }

  async #begin(url: string, init: RequestInit, timeoutMs: number, signal: AbortSignal | undefined): Promise<Response> {
    const late = new AbortController();
    const stop = this.timer(timeoutMs, () => late.abort(new Error(`nothing in ${timeoutMs} ms`)));
    try {
      return await this.#guarded(signal, () =>
        this.#fetch(url, {
          ...init,
          signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
        }),
      );
    } finally {
      stop();
    }
  }

  async #guarded<T>(signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
    try {
      signal?.throwIfAborted();
      return await run();
    } catch (error) {
      if (signal?.aborted === true) {
        throw aborted(signal);
      }
      throw error instanceof AppError ? error : failed(this.baseUrl, error);
    }
  }
}
