/** From SQLite's result codes (https://sqlite.org/rescode.html) to what a caller can do about them. */
import { AppError } from '../../core/errors.ts';

const corrupt = 11;
const constraint = 19;
const notDatabase = 26;

interface SqliteError extends Error {
  readonly code: 'ERR_SQLITE_ERROR';
  /** The extended result code; the primary one is its low byte. */
  readonly errcode: number;
}

export const isSqliteError = (error: unknown): error is SqliteError =>
  error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR' && 'errcode' in error;

/** Passes on what is neither SQLite's nor the file system's. */
export function storeError(error: unknown): unknown {
  if (error instanceof Error && 'syscall' in error) {
    return failed(error.message, error);
  }
  if (!isSqliteError(error)) {
    return error;
  }
  const primary = error.errcode & 0xff;
  if (primary === corrupt || primary === notDatabase) {
    return damaged(error.message, error);
  }
  if (primary === constraint) {
    return refused(error);
  }
  return failed(`${error.message} (${error.errcode})`, error);
}

const failed = (what: string, cause: unknown): AppError =>
  new AppError({
    code: 'store_failed',
    message: `the database refused: ${what}`,
    cause,
  });

/** The last line of defence, a key or a trigger: the checks before it should have seen this. */
const refused = (error: SqliteError): AppError =>
  new AppError({
    code: 'tape_conflict',
    message: `the database refused a write that breaks a rule: ${error.message} (${error.errcode})`,
    cause: error,
  });

export const damaged = (what: string, cause?: unknown): AppError =>
  new AppError({
    code: 'store_damaged',
    message: `the database file is damaged: ${what}`,
    cause,
  });
