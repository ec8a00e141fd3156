/** A question that is asked again until there is an answer. */
import { AppError } from '../core/errors.ts';
import { ApiError } from './errors.ts';
import type { Http } from './http.ts';

/** Milliseconds between two tries while the daemon does not answer: doubled from the first to the last. */
const retry = { firstMs: 250, lastMs: 5_000 } as const;

/** Asks until there is an answer: the daemon may restart meanwhile. What it refuses for good is thrown. */
export async function persist<T>(http: Http, signal: AbortSignal | undefined, ask: () => Promise<unknown>): Promise<T> {
  for (let waitMs: number = retry.firstMs; ; waitMs = Math.min(waitMs * 2, retry.lastMs)) {
    try {
      return (await ask()) as T;
    } catch (error) {
      if (!(error instanceof AppError) || !error.retryable) {
        throw error;
      }
      await http.pause(error instanceof ApiError ? (error.retryAfterMs ?? waitMs) : waitMs, signal);
    }
  }
}
