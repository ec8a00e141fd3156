/**
 * Why a turn of Claude Code failed. It reports an API failure as a result of subtype `success` with the error's text in place of
 * an answer. The signs are `is_error`, `terminal_reason`, `api_error_status`, and the name in the synthetic assistant message
 * before it. All of them were recorded (test/agents/fixtures/claude/api-*.ndjson).
 */
import { fieldsAt, head, listAt, numberAt, textAt, type Fields } from '../child/fields.ts';
import { type FailureClass, type ProviderFailure, classOfStatus } from '../failures.ts';

/** A failure that was reported before the turn's result. */
export interface ApiError {
  readonly name: string | null;
  readonly status: number | null;
  readonly message: string;
}

const messageMax = 2_000;

/** The names of `SDKAssistantMessageError`. `unknown`, and a name that is not listed, say nothing. */
const named: { readonly [name: string]: FailureClass } = {
  authentication_failed: 'auth',
  oauth_org_not_allowed: 'auth',
  account_on_hold: 'auth',
  verification_required: 'auth',
  cloud_credential_error: 'auth',
  billing_error: 'quota',
  rate_limit: 'rate_limit',
  overloaded: 'overloaded',
  model_not_found: 'model',
  server_error: 'server_error',
  invalid_request: 'invalid_request',
};

/** Values of `terminal_reason` that name a class by themselves. */
const reasons: { readonly [reason: string]: FailureClass } = {
  prompt_too_long: 'context',
  blocking_limit: 'context',
  rapid_refill_breaker: 'context',
  budget_exhausted: 'quota',
};

const tooLong = /prompt is too long|context (?:window|length|limit)|too many tokens|exceeds? the (?:maximum|context)/i;
const usedUp =
  /usage limit|hit your .*limit|limit reached|credit balance|out of credits|billing|quota|spend(?:ing)? limit/i;
const unreachable =
  /ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|socket|network|fetch failed|connection|unable to connect|timed? ?out/i;

function classify(name: string | null, status: number | null, reason: string | null, message: string): FailureClass {
  const stated = reason === null ? undefined : reasons[reason];
  if (stated !== undefined) {
    return stated;
  }
  if (tooLong.test(message)) {
    return 'context';
  }
  // A used-up quota comes as 400, 402, 403 or 429.
  if (usedUp.test(message) && (status === null || status < 500)) {
    return 'quota';
  }
  // A status is exact where the name is broad: an overload is `server_error` by name and 529 by status.
  if (status !== null) {
    return name === 'billing_error' ? 'quota' : classOfStatus(status);
  }
  const byName = name === null ? undefined : named[name];
  // A stream that was cut off has the name `server_error`, although no server answered.
  if (byName !== undefined && !(byName === 'server_error' && unreachable.test(message))) {
    return byName;
  }
  if (unreachable.test(message)) {
    return 'network';
  }
  return 'unknown';
}

/** The failure that a synthetic assistant message reports; null: the message is an answer. */
export function apiErrorOf(frame: Fields): ApiError | null {
  const name = textAt(frame, 'error');
  if (name === null && frame['is_api_error_message'] !== true) {
    return null;
  }
  const text = listAt(fieldsAt(frame, 'message'), 'content')
    .map((block) => textAt(block, 'text') ?? '')
    .join('');
  return { name, status: numberAt(frame, 'api_error_status'), message: head(text, messageMax) };
}

/** `resetMs`: until the provider lifts its limit, where it has said so. */
export function failureOf(result: Fields, before: ApiError | null, resetMs: number | null): ProviderFailure {
  const errors = result['errors'];
  const lines = Array.isArray(errors) ? errors.filter((one) => typeof one === 'string') : [];
  const reason = textAt(result, 'terminal_reason');
  const said = textAt(result, 'result') ?? '';
  const message = head(said !== '' ? said : (before?.message ?? lines.join('\n')), messageMax);
  const status = numberAt(result, 'api_error_status') ?? before?.status ?? null;
  const kind =
    textAt(result, 'stop_reason') === 'refusal' ? 'refused' : classify(before?.name ?? null, status, reason, message);
  const limited = kind === 'rate_limit' || kind === 'quota';
  return {
    class: kind,
    retryAfterMs: limited ? resetMs : null,
    status,
    message: message === '' ? `ended: ${reason ?? textAt(result, 'subtype') ?? 'no reason given'}` : message,
  };
}

/** Claude Code's own back-off, measured: half a second, doubled each time up to 32 s, plus up to a quarter at random. */
const ownBackoffMs = (attempt: number): number => Math.min(32_000, 500 * 2 ** (attempt - 1)) * 1.25;

/** Claude Code retries by itself. A pause longer than its own back-off is the provider's: only that one is passed on. */
export function retryOf(frame: Fields): ProviderFailure {
  const status = numberAt(frame, 'error_status');
  const name = textAt(frame, 'error');
  const attempt = numberAt(frame, 'attempt') ?? 1;
  const delayMs = numberAt(frame, 'retry_delay_ms');
  // Without a status there was no answer: the connection broke, or the wait timed out.
  const kind = status === null && (name === null || name === 'unknown') ? 'network' : classify(name, status, null, '');
  return {
    class: kind,
    retryAfterMs: delayMs !== null && delayMs > ownBackoffMs(attempt) ? delayMs : null,
    status,
    message: `Claude Code retries: ${name ?? 'unknown'}, attempt ${attempt} of ${numberAt(frame, 'max_retries') ?? '?'}`,
  };
}

/** The limits of a subscription, as far as Claude Code reports them. Owned by one process. */
export class UsageLimits {
  readonly #wall: () => number;
  #resetsAtMs: number | null = null;

  constructor(wall: () => number) {
    this.#wall = wall;
  }

  /** `rate_limit_info` of a `rate_limit_event`; its times are in seconds. */
  take(info: Fields): void {
    const seconds = numberAt(info, 'resetsAt');
    this.#resetsAtMs = info['status'] === 'rejected' && seconds !== null ? seconds * 1_000 : null;
  }

  /** Ms until the provider answers again; null: it has not said so, or the time is over. */
  resetMs(): number | null {
    const rest = (this.#resetsAtMs ?? 0) - this.#wall();
    return rest > 0 ? rest : null;
  }
}
