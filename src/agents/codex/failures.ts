/**
 * How Codex reports a failed request to its model, in the classes of all dialects. Measured with 0.169.0:
 *
 *  - `codexErrorInfo` is a word, or an object of one member with the HTTP status. While Codex tries again the object is
 *    always `responseStreamDisconnected`, whatever happened; a broken stream ends as `other`.
 *  - A plain 400 ends as `other`, with the body of the response as message.
 *  - Codex obeys `Retry-After` and does not pass it on. A time to wait is in the message, or is the reset of a usage window.
 */
import { type Fields, isFields } from '../child/json-lines.ts';
import { type FailureClass, type ProviderFailure, classOfStatus } from '../failures.ts';
import { fieldsAt, numberAt, textAt } from '../child/fields.ts';
import { messageInBody } from '../shared/response-body.ts';

const byWord: { readonly [word: string]: FailureClass } = {
  contextWindowExceeded: 'context',
  sessionBudgetExceeded: 'quota',
  usageLimitExceeded: 'quota',
  rateLimitExceeded: 'rate_limit',
  flexUnavailable: 'overloaded',
  serverOverloaded: 'overloaded',
  policyCapacityUnavailable: 'overloaded',
  modelNotFound: 'model',
  inferenceHookDenied: 'refused',
  cyberPolicy: 'refused',
  misalignmentPolicyViolation: 'refused',
  tooManyDenials: 'refused',
  internalServerError: 'server_error',
  unauthorized: 'auth',
  badRequest: 'invalid_request',
  httpConnectionFailed: 'network',
  responseStreamConnectionFailed: 'network',
  responseStreamDisconnected: 'network',
  responseTooManyFailedAttempts: 'network',
};

/**
 * `error`: a `TurnError`. `before`: the last retried failure of the turn, since the end of a broken stream does not say.
 * `resetMs`: when a usage window that is full opens again, if known.
 */
export function failureOf(error: Fields, before: ProviderFailure | null, resetMs: number | null): ProviderFailure {
  const message = textAt(error, 'message') ?? 'no message';
  const details = textAt(error, 'additionalDetails');
  const { word, status } = infoOf(error['codexErrorInfo']);
  const said = details === null || message.includes(details) ? message : `${message} (${details})`;
  const of = (kind: FailureClass, known: number | null, text = said): ProviderFailure => {
    const limited = kind === 'quota' || kind === 'rate_limit';
    return { class: kind, retryAfterMs: waitIn(said) ?? (limited ? resetMs : null), status: known, message: text };
  };
  if (status !== null) {
    return of(classOfStatus(status), status);
  }
  const named = word === null ? undefined : byWord[word];
  if (named !== undefined) {
    return of(retriedFor(named, details), null);
  }
  const refused = messageInBody(message);
  if (refused !== null) {
    return of('invalid_request', 400, refused);
  }
  if (/^stream disconnected/i.test(message)) {
    return of('network', null);
  }
  return before !== null && word === 'other' ? { ...before, message: said } : of('unknown', null);
}

/** While Codex retries, it calls every failure without a status a lost stream; the details say more. */
function retriedFor(named: FailureClass, details: string | null): FailureClass {
  if (named !== 'network' || details === null) {
    return named;
  }
  if (/^rate limit exceeded/i.test(details)) {
    return 'rate_limit';
  }
  return /high demand/i.test(details) ? 'server_error' : named;
}

function infoOf(info: unknown): { readonly word: string | null; readonly status: number | null } {
  if (typeof info === 'string') {
    return { word: info, status: null };
  }
  const [entry] = isFields(info) ? Object.entries(info) : [];
  if (entry === undefined) {
    return { word: null, status: null };
  }
  const [word, value] = entry;
  return { word, status: isFields(value) ? numberAt(value, 'httpStatusCode') : null };
}

const units: readonly (readonly [RegExp, number])[] = [
  [/^(?:ms|milli)/i, 1],
  [/^s/i, 1_000],
  [/^m/i, 60_000],
  [/^h/i, 3_600_000],
  [/^d/i, 86_400_000],
];

/** "Please try again in 1.5s", "try again in 2 hours 5 minutes". */
function waitIn(message: string): number | null {
  const said = /try again in ((?:\d+(?:\.\d+)?\s*[a-z]+[\s,]*(?:and\s+)?)+)/i.exec(message)?.[1];
  if (said === undefined) {
    return null;
  }
  let ms = 0;
  for (const [, amount = '', unit = ''] of said.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)) {
    ms += Number(amount) * (units.find(([name]) => name.test(unit))?.[1] ?? 0);
  }
  return ms === 0 ? null : Math.ceil(ms);
}

/**
 * The account's usage windows, as far as Codex reported them. An update may leave a window out, which still holds then.
 * Owned by one agent.
 */
export class UsageWindows {
  readonly #resets = new Map<string, number>();

  /** `rateLimits` of `account/rateLimits/updated`. */
  take(limits: Fields): void {
    for (const name of ['primary', 'secondary']) {
      const window = fieldsAt(limits, name);
      const used = numberAt(window, 'usedPercent');
      const resetsAt = numberAt(window, 'resetsAt');
      if (used === null) {
        continue;
      }
      if (used >= 100 && resetsAt !== null) {
        this.#resets.set(name, resetsAt * 1_000);
      } else {
        this.#resets.delete(name);
      }
    }
  }

  /** Until every full window has opened again; null: none is known to be full. `now`: wall-clock ms. */
  waitMs(now: number): number | null {
    const waits = [...this.#resets.values()].map((at) => at - now).filter((ms) => ms > 0);
    return waits.length === 0 ? null : Math.max(...waits);
  }
}
