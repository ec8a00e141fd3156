/**
 * What is thrown anywhere in Signalbox. An expected outcome is a value in a return type; an AppError is for the rest.
 * `code` is stable and listed in `docs/errors.md`; `hint` says what to do next; `retryable` says whether the same call
 * may succeed later without a change.
 */
export interface AppErrorOptions {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

export class AppError extends Error {
  override readonly name: string = 'AppError';
  readonly code: string;
  readonly hint: string;
  readonly retryable: boolean;

  constructor(options: AppErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.hint = options.hint ?? '';
    this.retryable = options.retryable ?? false;
  }
}

/** A broken invariant is a bug of ours, never of the caller's: it is thrown in production too. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) {
    throw new AppError({
      code: 'invariant_broken',
      message: `invariant broken: ${message}`,
      hint: 'This is a defect in Signalbox. The session is parked; please report it with the tape of the session.',
    });
  }
}
