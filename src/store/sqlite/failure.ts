/** From SQLite's result codes (https://sqlite.org/rescode.html) to what a caller can do about them. */
import { AppError } from '../../core/errors.ts';

const corrupt = 11;
const notDatabase = 26;

interface SqliteError extends Error {
  readonly code: 'ERR_SQLITE_ERROR';
  /** The extended result code; the primary one is its low byte. */
  readonly errcode: number;
}

export const isSqliteError = (error: unknown): error is SqliteError =>
  error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR' && 'errcode' in error;

/** Passes on what is not SQLite's. */
export function storeError(error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  const primary = error.errcode & 0xff;
  if (primary === corrupt || primary === notDatabase) return damaged(error.message, error);
  return new AppError({
    code: 'store_failed',
    message: `the database refused: ${error.message} (${error.errcode})`,
    hint: 'Nothing was written. See that the disk of the data folder has space and works, then try again.',
    retryable: true,
    cause: error,
  });
}

export const damaged = (what: string, cause?: unknown): AppError =>
  new AppError({
    code: 'store_damaged',
    message: `the database file is damaged: ${what}`,
    hint: 'It was left as it is. Restore it from a backup, or move it away to begin with an empty one.',
    cause,
  });
