/** What the answer to a push request, or its absence, says of it. */
import type { SendResult } from '../../runtime/outbox/door.ts';

/** Of no later request of the same message another answer is to be expected. */
const forever: ReadonlySet<number> = new Set([400, 405, 410, 411, 413, 414, 415, 422, 431]);
/** The receiver takes nothing at present: it wants fewer, has another secret, is not there, or is down. */
const nothing: ReadonlySet<number> = new Set([401, 403, 404, 429, 503]);

/** Before a byte of the request had left. */
const notSent: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

const wordsMax = 200;

export interface PushAnswer {
  readonly status: number;
  readonly retryAfter: string | null;
  /** The beginning of its body. */
  readonly words: string;
}

/** `at`: wall clock, ms; a date in `Retry-After` is meant from there. */
export function resultOf({ status, retryAfter, words }: PushAnswer, at: number): SendResult {
  if (status >= 200 && status <= 299) {
    return { kind: 'posted', reference: null };
  }
  const line = words.replaceAll(/\s+/g, ' ').trim().slice(0, wordsMax);
  const problem = `the receiver answered ${status}${line === '' ? '' : `: ${line}`}`;
  if (status >= 300 && status <= 399) {
    return { kind: 'impossible', problem: `${problem} (no redirect is followed: configure the new address)` };
  }
  if (forever.has(status)) {
    return { kind: 'impossible', problem };
  }
  const kind = status >= 500 ? 'unknown' : 'refused';
  return { kind, problem, retryAfterMs: waitOf(retryAfter, at), wholeScope: nothing.has(status) };
}

/** Seconds, or a date. */
function waitOf(retryAfter: string | null, at: number): number | null {
  if (retryAfter === null) {
    return null;
  }
  const ms = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - at;
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

const codeOf = (error: unknown): string | null =>
  error instanceof Error
    ? 'code' in error && typeof error.code === 'string'
      ? error.code
      : codeOf(error.cause)
    : null;

/** No answer came. */
export function resultOfError(error: unknown, aborted: boolean): SendResult {
  const again = { retryAfterMs: null, wholeScope: true };
  if (aborted) {
    return { kind: 'unknown', problem: 'the receiver did not answer in time', ...again };
  }
  const code = codeOf(error);
  return code !== null && notSent.has(code)
    ? { kind: 'refused', problem: `the receiver cannot be reached (${code})`, ...again }
    : { kind: 'unknown', problem: `the answer of the receiver was lost (${code ?? 'unknown'})`, ...again };
}
