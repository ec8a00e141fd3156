/** HTTP over `node:http`, which a command has loaded in 3 ms; the global `fetch` takes 25. */
import { AppError } from '../core/errors.ts';
import { builtin } from './builtin.ts';

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<{ [name: string]: string }>;
  readonly body: string | null;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<{ [name: string]: string | string[] | undefined }>;
  /** The body as it comes, decoded; must be read. */
  readonly body: AsyncIterable<string>;
}

/** How long an answer may take to begin. A long poll or a wait for a commit under load stays far below it. */
const answerDeadlineMs = 90_000;

/** Rejects with `unreachable` when nobody answers. */
export function send(request: HttpRequest): Promise<HttpResponse> {
  const { url, method, headers, body } = request;
  const http = builtin(url.protocol === 'https:' ? 'node:https' : 'node:http');
  return new Promise((resolve, reject) => {
    const length = body === null ? {} : { 'content-length': Buffer.byteLength(body) };
    const options = { method, headers: { ...headers, ...length }, agent: false } as const;
    const outgoing = http.request(url, options, (incoming) => {
      incoming.setEncoding('utf8');
      outgoing.setTimeout(0);
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: incoming });
    });
    outgoing.setTimeout(answerDeadlineMs, () =>
      outgoing.destroy(new Error(`no answer within ${answerDeadlineMs / 1000} s`)),
    );
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

export async function textOf(body: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const part of body) text += part;
  return text;
}
