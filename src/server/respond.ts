/** Writes answers: JSON, problem documents, and the bare ones for requests that never became one. */
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { AppError } from '../core/errors.ts';
import type { FixedHintCode, Problem, ProblemParts } from '../protocol/index.ts';
import { errorCodes, isErrorCode, problem, retryAfterS } from '../protocol/index.ts';

type Headers = Readonly<{ [name: string]: string }>;

const always = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

export function send(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: Headers = {},
): void {
  const body = Buffer.from(text);
  response.writeHead(status, { ...always, 'content-type': type, 'content-length': body.length, ...headers });
  response.end(body);
}

export function sendJson(response: ServerResponse, status: number, value: unknown, headers?: Headers): void {
  send(response, status, 'application/json; charset=utf-8', JSON.stringify(value), headers);
}

export function sendProblem(response: ServerResponse, document: Problem, headers: Headers = {}): void {
  send(response, document.status, 'application/problem+json', JSON.stringify(document), {
    ...problemHeaders(document),
    ...headers,
  });
}

function problemHeaders(document: Problem): Headers {
  if (document.status === 401) {
    return { 'www-authenticate': 'Bearer realm="signalbox"' };
  }
  if (document.status === 503 || document.status === 429) {
    return { 'retry-after': document.retryAfterMs === undefined ? '1' : retryAfterS(document.retryAfterMs) };
  }
  return {};
}

/** Throw it to answer with the document of `code`; carries what the document needs beyond an `AppError`. */
export class ProblemError extends AppError {
  override readonly name: string = 'ProblemError';
  readonly parts: ProblemParts;
  readonly headers: Headers;

  constructor(code: FixedHintCode, parts: ProblemParts = {}, headers: Headers = {}) {
    super({ code, message: parts.detail ?? errorCodes[code].title });
    this.parts = parts;
    this.headers = headers;
  }
}

/**
 * The problem that the peer gets for an error. Only an `AppError` with a code of the table is sent as it is. The message of any
 * other error may contain secrets, so it goes to the log and the peer gets the request id.
 */
export function problemOf(error: unknown, instance: string): Problem {
  if (error instanceof ProblemError && isErrorCode(error.code)) {
    return problem(error.code, { ...error.parts, instance });
  }
  if (error instanceof AppError && isErrorCode(error.code)) {
    return problem(error.code, {
      detail: error.message,
      instance,
      ...(error.retryable ? { retryable: true } : {}),
    });
  }
  return problem('internal', { detail: 'The request could not be served because of a defect.', instance });
}

/** For bytes that Node could not parse as a request: there is no response object. */
export function writeBareProblem(socket: Duplex, document: Problem): void {
  const body = JSON.stringify(document);
  socket.end(
    `HTTP/1.1 ${document.status} ${document.title}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n${body}`,
  );
}
