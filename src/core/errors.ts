/**
 * What is thrown anywhere in Signalbox. An expected outcome is a value in a return type; an AppError is for the rest.
 * `code` is stable and listed in `docs/errors.md`; `hint` says what to do next; `retryable` says whether the same call
 * may succeed later without a change.
 */
import { errorCodes, type ErrorEntry, type FixedHintCode, type OwnHintCode } from './error-codes.ts';

interface Common {
  readonly message: string;
  readonly cause?: unknown;
  /** Only where this case differs from the table. */
  readonly retryable?: boolean;
}

/** The hint is the table's, except for the codes that say so. */
export type AppErrorOptions =
  | (Common & { readonly code: FixedHintCode })
  | (Common & { readonly code: OwnHintCode; readonly hint?: string });

export class AppError extends Error {
  override readonly name: string = 'AppError';
  /** One of `ErrorCode`; from a newer daemon it may be one that this version does not know. */
  readonly code: string;
  readonly hint: string;
  readonly retryable: boolean;

  constructor(options: AppErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    const entry: ErrorEntry = errorCodes[options.code];
    const own = entry.ownHint === true && 'hint' in options ? (options.hint ?? '') : '';
    this.code = options.code;
    this.hint = own === '' ? entry.hint : own;
    this.retryable = options.retryable ?? entry.retryable ?? false;
  }
}

/** A broken invariant is a bug of ours, never of the caller's: it is thrown in production too. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) {
    throw new AppError({ code: 'invariant_broken', message: `invariant broken: ${message}` });
  }
}
