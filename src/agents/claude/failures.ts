/**
 * Why a turn of Claude Code failed. It reports an API failure as a result of subtype `success` with the error's text in place of
 * an answer; what tells is `is_error`, `terminal_reason`, `api_error_status`, and the name in the synthetic assistant message
 * before it. All of them were recorded (test/agents/fixtures/claude/api-*.ndjson).
 */
import { fieldsAt, head, listAt, numberAt, textAt } from '../child/fields.ts';
import type { Fields } from '../child/json-lines.ts';
import { type FailureClass, type ProviderFailure, classOfStatus } from '../failures.ts';

/** What a turn has said of a failure before its result. */
export interface ApiError {
  readonly name: string | null;
  readonly status: number | null;
  readonly message: string;
}

const messageMax = 2_000;

/** The names of `SDKAssistantMessageError`. `unknown` and what is not listed tell nothing. */
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

/** Reasons why a turn stopped that are a class by themselves. */
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
  const told = name === null ? undefined : named[name];
  // A stream that broke off is `server_error` by name; nothing was answered.
  if (told !== undefined && !(told === 'server_error' && unreachable.test(message))) {
    return told;
  }
  if (unreachable.test(message)) {
    return 'network';
  }
  return 'unknown';
}

/** The synthetic assistant message that stands for an API failure; null: it is an answer. */
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

/** `resetMs`: until the provider's limit is lifted, where it has told. */
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

/** Claude Code's own back-off, measured: half a second, doubled each time up to 32 s, and up to a quarter more by chance. */
const ownBackoffMs = (attempt: number): number => Math.min(32_000, 500 * 2 ** (attempt - 1)) * 1.25;

/** It tries again by itself. A pause longer than its own back-off is the provider's wish: only that is passed on. */
export function retryOf(frame: Fields): ProviderFailure {
  const status = numberAt(frame, 'error_status');
  const name = textAt(frame, 'error');
  const attempt = numberAt(frame, 'attempt') ?? 1;
  const delayMs = numberAt(frame, 'retry_delay_ms');
  // Without a status there was no answer: a connection that broke, or a wait that was given up.
  const kind = status === null && (name === null || name === 'unknown') ? 'network' : classify(name, status, null, '');
  return {
    class: kind,
    retryAfterMs: delayMs !== null && delayMs > ownBackoffMs(attempt) ? delayMs : null,
    status,
    message: `Claude Code tries again: ${name ?? 'unknown'}, attempt ${attempt} of ${numberAt(frame, 'max_retries') ?? '?'}`,
  };
}
