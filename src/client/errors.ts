/** What a call can fail with. */
import { AppError } from '../core/errors.ts';
import type { Problem } from '../protocol/problem.ts';
import { ProblemSchema } from '../protocol/problem.ts';

/** The server refused; `code`, `hint` and `retryable` are the problem's, and the message is its detail. */
export class ApiError extends AppError {
  override readonly name: string = 'ApiError';
  override readonly code: string;
  override readonly hint: string;
  readonly status: number;
  readonly problem: Problem;
  /** When to retry; null: the server does not say. */
  readonly retryAfterMs: number | null;

  constructor(problem: Problem) {
    const { code, detail, hint, retryable } = problem;
    // A newer daemon may send a code that this version does not know.
    super({ code: 'bad_response', message: detail, retryable });
    this.code = code;
    this.hint = hint;
    this.status = problem.status;
    this.problem = problem;
    this.retryAfterMs = problem.retryAfterMs ?? null;
  }
}

/** Why `fetch`, or the reading of what it began, failed: `bad_response` or `unreachable`. */
export function failed(baseUrl: string, cause: unknown): AppError {
  if (cause instanceof SyntaxError) {
    return badResponse(baseUrl, 200, 'no JSON');
  }
  // Node says so; browsers do not say so much.
  const inner = cause instanceof Error ? cause.cause : undefined;
  return inner instanceof Error && inner.name === 'HTTPParserError'
    ? notHttp(baseUrl, cause)
    : unreachable(baseUrl, cause);
}

function notHttp(baseUrl: string, cause: unknown): AppError {
  return new AppError({
    code: 'bad_response',
    message: `the answer of ${baseUrl} is not HTTP`,
    cause,
  });
}

/** `unreachable`: no daemon answered. Retryable. */
export function unreachable(baseUrl: string, cause: unknown): AppError {
  return new AppError({
    code: 'unreachable',
    message: `no answer from ${baseUrl}${reasonOf(cause)}`,
    cause,
  });
}

/** Fetch says "fetch failed" and keeps the reason one level down. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return inner instanceof Error && inner.message !== '' ? ` (${inner.message})` : '';
}

/** `aborted`: the caller's signal. */
export function aborted(signal: AbortSignal): AppError {
  return new AppError({ code: 'aborted', message: 'the caller aborted the call', cause: signal.reason });
}

/** `bad_response`: something answered that is not Signalbox. */
export function badResponse(baseUrl: string, status: number, what: string): AppError {
  return new AppError({
    code: 'bad_response',
    message: `${baseUrl} answered ${status} with ${what}`,
    retryable: status >= 502,
  });
}

/** The error of an answer outside 2xx. */
export async function errorOf(baseUrl: string, response: Response): Promise<AppError> {
  const text = await response.text().catch(() => '');
  // Loaded with the first refusal: a command that is answered needs no validator.
  const { validate } = await import('../protocol/validate.ts');
  try {
    const checked = validate(ProblemSchema, JSON.parse(text));
    if (checked.ok) {
      return new ApiError(checked.value);
    }
  } catch {
    // Not JSON: it falls through to what that means.
  }
  return badResponse(baseUrl, response.status, 'no problem document');
}
