/** How an error of the command line is printed. */
import { AppError } from '../core/errors.ts';
import type { Command } from './command.ts';
import { harmless, harmlessJson } from './output/paint.ts';

/** The codes of a usage error are made here: only an answer of the daemon needs the translation, and its code. */
async function translated(error: AppError, command: Command): Promise<AppError> {
  if (error.code === 'usage') {
    return error;
  }
  const { inCommandWords } = await import('./request-error.ts');
  return inCommandWords(error, command);
}

function document(error: object): string {
  const json = JSON.stringify({ error });
  return `${process.stderr.isTTY ? harmlessJson(json) : json}\n`;
}

const toStandardError = (text: string): void => void process.stderr.write(text);

/** Prints what went wrong and what to do next; with `--json` as a document. Both on standard error. */
export async function report(
  thrown: unknown,
  command: Command | null,
  json: boolean,
  print: (text: string) => void = toStandardError,
): Promise<number> {
  const error = thrown instanceof AppError && command !== null ? await translated(thrown, command) : thrown;
  const { errorEntry } = await import('../core/error-codes.ts');
  if (!(error instanceof AppError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    print(json ? document({ code: 'internal', message: text }) : `signalbox: a defect: ${harmless(text)}\n`);
    return errorEntry('internal').exit;
  }
  const entry = errorEntry(error.code);
  if (json) {
    const { ApiError } = await import('../client/errors.ts');
    const { code, message, hint, retryable } = error;
    const wait = error instanceof ApiError && error.retryAfterMs !== null ? { retryAfterMs: error.retryAfterMs } : {};
    print(document({ code, message, hint, retryable, ...wait }));
  } else {
    print(`signalbox: ${harmless(error.message)}\n${harmless(error.hint)}\n`);
  }
  return entry.exit;
}
