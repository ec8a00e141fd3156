/** How an error of the command line is printed. */
import { AppError } from '../core/errors.ts';
import { harmless } from './output/paint.ts';

/** Prints what went wrong and what to do next; with `--json` as a document. Both on standard error. */
export async function report(error: unknown, json: boolean): Promise<number> {
  const { errorEntry } = await import('../core/error-codes.ts');
  if (!(error instanceof AppError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(
      json ? `${JSON.stringify({ error: { code: 'internal', message: text } })}\n` : `signalbox: a defect: ${text}\n`,
    );
    return errorEntry('internal').exit;
  }
  const entry = errorEntry(error.code);
  if (json) {
    const { code, message, hint, retryable } = error;
    process.stderr.write(`${JSON.stringify({ error: { code, message, hint, retryable } })}\n`);
  } else {
    process.stderr.write(`signalbox: ${harmless(error.message)}\n${harmless(error.hint)}\n`);
  }
  return entry.exit;
}
