/**
 * How ACP agents report a failed request to their model, in the classes of all dialects. The protocol has one code for it,
 * "authentication required". All else is each agent's own: a number that is the HTTP status, a word in `data`, or a sentence.
 */
import { head, textAt } from '../child/fields.ts';
import { isFields } from '../child/json-lines.ts';
import type { RpcError } from '../child/json-rpc.ts';
import { rpcCodes } from '../child/json-rpc.ts';
import type { FailureClass, ProviderFailure } from '../failures.ts';
import { classOfStatus } from '../failures.ts';
import { messageInBody } from '../shared/response-body.ts';
import { acpCodes } from './wire.ts';

const messageMax = 2_000;

/**
 * Words that agents put into `data` of an error: `errorKind` of claude-agent-acp (those of Claude Code, and its own),
 * `errorName` of opencode.
 */
const byWord: { readonly [word: string]: FailureClass } = {
  authentication_failed: 'auth',
  oauth_org_not_allowed: 'auth',
  verification_required: 'auth',
  cloud_credential_error: 'auth',
  billing_error: 'quota',
  account_on_hold: 'quota',
  rate_limit: 'rate_limit',
  overloaded: 'overloaded',
  server_error: 'server_error',
  invalid_request: 'invalid_request',
  model_not_found: 'model',
  max_output_tokens: 'output_limit',
  transport_lost: 'network',
  ProviderAuthError: 'auth',
  ProviderModelNotFoundError: 'model',
  ContextOverflowError: 'context',
  MessageOutputLengthError: 'output_limit',
};

/** The first that fits counts. The words are the providers', which most agents pass on. */
const byText: readonly (readonly [RegExp, FailureClass])[] = [
  [/context (?:length|window|limit)|maximum context|prompt is too long|too many (?:input )?tokens/i, 'context'],
  [/insufficient[_ ]quota|exceeded your current quota|credit balance|billing|usage limit|out of credits/i, 'quota'],
  [/rate[_ -]?limit|too many requests|resource[_ ]exhausted/i, 'rate_limit'],
  [/overloaded|at capacity|high demand/i, 'overloaded'],
  [
    /unauthori[sz]ed|unauthenticated|authentication|failed to authenticate|api[_ ]key (?:not|is)|invalid[_ ]api[_ ]key|incorrect api key|not logged in|log ?in (?:again|required)/i,
    'auth',
  ],
  [/model\b.{0,80}\b(?:not found|does not exist|not available|not supported)|unknown model|model_not_found/i, 'model'],
  [
    /ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|socket hang up|fetch failed|error sending request|error (?:decoding|reading) (?:a )?(?:response )?body|unexpected EOF|cannot connect|connection (?:was )?(?:closed|reset|refused|dropped|error|lost)|network error|stream (?:closed|disconnected|ended)|terminated|premature close|timed? ?out/i,
    'network',
  ],
  [
    /no response was returned|internal server error|bad gateway|service unavailable|server_error|\bapi_error\b/i,
    'server_error',
  ],
  [/invalid[_ ]request|bad request|invalid argument/i, 'invalid_request'],
];

/** A status in a sentence that quotes the provider's answer: `429 …`, `API Error: 529 …`, `(HTTP 401)`, `status 500`. */
const statusInText = /(?:^|\berror:?\s*|\bHTTP\s*|\bstatus(?: code)?:?\s*|"code":\s*)([45]\d\d)\b/i;

export function failureOfError(error: RpcError): ProviderFailure {
  const said = wordsOf(error);
  if (error.code === acpCodes.authRequired) {
    return failure('auth', null, said);
  }
  const data = isFields(error.data) ? error.data : {};
  const word = textAt(data, 'errorKind') ?? textAt(data, 'errorName');
  const named = word === null ? undefined : byWord[word];
  if (named !== undefined) {
    return failureOfWord(named, said);
  }
  // Gemini CLI: the code is the status, and 500 where it has none.
  const status = error.code >= 400 && error.code < 600 ? error.code : null;
  if (status !== null && status !== 500) {
    return failure(classOfCode(status, said), status, said);
  }
  const found = failureOfText(said);
  if (status !== null && found.class === 'unknown') {
    return failure('server_error', status, said);
  }
  if (found.class === 'unknown' && error.code === rpcCodes.invalidParams) {
    return failure('invalid_request', null, said);
  }
  return found;
}

/** claude-agent-acp calls a 529 and a broken connection `server_error` too; its message says which it was. */
function failureOfWord(named: FailureClass, said: string): ProviderFailure {
  const told = failureOfText(said);
  return named === 'server_error' && told.class !== 'unknown' ? told : { ...told, class: named };
}

/** Of an agent that gives only a sentence. */
export function failureOfText(text: string): ProviderFailure {
  const status = statusIn(text);
  if (status !== null) {
    return failure(classOfCode(status, text), status, text);
  }
  return failure(byText.find(([words]) => words.test(text))?.[1] ?? 'unknown', null, text);
}

export function failure(kind: FailureClass, status: number | null, message: string): ProviderFailure {
  return { class: kind, status, retryAfterMs: waitIn(message), message: head(message, messageMax) };
}

/** A 400 may be a conversation that is too long. A 429 without a time to wait may be a quota that is used up. */
function classOfCode(status: number, text: string): FailureClass {
  const words = byText.find(([pattern]) => pattern.test(text))?.[1];
  if (status === 400 && words === 'context') {
    return 'context';
  }
  if (status === 429 && words === 'quota' && waitIn(text) === null) {
    return 'quota';
  }
  return classOfStatus(status);
}

const statusIn = (text: string): number | null => {
  const found = statusInText.exec(text)?.[1];
  return found === undefined ? null : Number(found);
};

/** The message, with the details in `data` where they say more: Gemini CLI's message may be "Internal error". */
function wordsOf({ message, data }: RpcError): string {
  const details = isFields(data) ? (textAt(data, 'details') ?? textAt(data, 'message')) : null;
  const said = messageInBody(message) ?? message;
  return details === null || said.includes(details) ? said : `${said}: ${details}`;
}

/** "Please retry in 33.5s", "try again in 2 minutes", `retryDelay: "12s"`. */
function waitIn(text: string): number | null {
  const found = /(?:retry|try again) (?:in|after) (\d+(?:\.\d+)?)\s*(ms|m|h|s)?|"retryDelay":\s*"(\d+)s"/i.exec(text);
  if (found === null) {
    return null;
  }
  const [, amount, unit = 's', delay] = found;
  const scale = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit.toLowerCase()] ?? 1_000;
  const ms = delay === undefined ? Number(amount) * scale : Number(delay) * 1_000;
  return Number.isFinite(ms) && ms > 0 ? Math.ceil(ms) : null;
}
