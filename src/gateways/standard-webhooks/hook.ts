/**
 * `POST /hooks/{name}`: any source that signs as Standard Webhooks says (github.com/standard-webhooks/standard-webhooks):
 * `webhook-id`, `webhook-timestamp` and `webhook-signature`, HMAC-SHA-256 over id, timestamp and the body's bytes.
 * Verified by the library `standardwebhooks` of the same project, which compares in constant time.
 *
 *  standard-webhooks-hook/1 The id is signed, so it is the idempotency key, `hook:NAME:ID`: a replay, whenever it comes, is
 *                           the first task again.
 *  standard-webhooks-hook/2 A delivery whose timestamp is more than 300 s away from this machine's wall clock is refused
 *                           (the library's tolerance).
 *  standard-webhooks-hook/3 As for GitHub: nothing is stored unless the answer says so, and the answer comes after the
 *                           commit.
 *
 * State: none but the compiled templates.
 */
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { AppError } from '../../core/errors.ts';
import { untrustedRights } from '../../core/model/permission.ts';
import type { ErrorCode } from '../../core/error-codes.ts';
import type { HookHandler, HookHead, HookRequest, HookResponse } from '../../protocol/hooks.ts';
import type { Signalbox } from '../../runtime/api.ts';
import { ignored, receipt, refuse, unbuildable } from '../shared/answers.ts';
import { exactText, parseBody } from '../shared/body.ts';
import { failing, readConditions } from '../shared/conditions.ts';
import { checkedSecrets } from '../shared/config.ts';
import { buildTask, compileTask } from '../shared/task-template.ts';
import { HookConfigSchema, type HookConfigInput, type HooksConfigInput } from './config.ts';

/** What may stand in an idempotency key, with room for `hook:` and the longest name. */
const idPattern = /^[!-~]{1,120}$/;
const timestampPattern = /^[0-9]{1,12}$/;
/** Of at least one signature in the list: `v1,` and the base64 of 32 bytes. The library looks at no others. */
const signaturePattern = /(?:^| )v1,[A-Za-z0-9+/]{43}=(?: |$)/;
const givenFacts = ['hook', 'id', 'payload'] as const;

interface StandardHooksOptions {
  readonly box: Pick<Signalbox, 'submit'>;
  /** By name. */
  readonly config: HooksConfigInput;
}

/** One handler for each configured source. Throws `bad_config` for a secret of the wrong form, or a template that asks for what is not there. */
export function standardHooks({ box, config }: StandardHooksOptions): readonly HookHandler[] {
  return Object.entries(config).map(([name, source]) => standardHook(box, name, source));
}

function standardHook(box: Pick<Signalbox, 'submit'>, name: string, config: HookConfigInput): HookHandler {
  const where = `hooks.${name}`;
  const { secret, if: wanted, unless, quoteMax, maxBodyBytes, ...template } = config;
  const webhooks = checkedSecrets(secret, where).map((one) => readSecret(one, where));
  const when = readConditions(
    { ...(wanted === undefined ? {} : { if: wanted }), ...(unless === undefined ? {} : { unless }) },
    where,
  );
  const task = compileTask(
    { ...template, facts: { type: 'type', ...template.facts }, blocks: ['payload', ...(template.blocks ?? [])] },
    {
      where,
      given: givenFacts,
      defaults: { session: '', source: 'hook:{hook}', labels: { hook: '{hook}', delivery: '{id}', type: '{type}' } },
      quoteMax,
    },
  );
  const bodyLimit = maxBodyBytes ?? HookConfigSchema.properties.maxBodyBytes.default;
  return {
    path: `/hooks/${name}`,
    method: 'POST',
    bodyLimit,
    refuse: refuseHead,
    async handle(request) {
      const verified = verify(request, webhooks, bodyLimit);
      if (verified.kind === 'refused') {
        return verified.response;
      }
      const parsed = parseBody(verified.text, request.headers['content-type'], false);
      if (parsed.kind === 'bad') {
        return refuse(request, parsed.code, { detail: parsed.detail });
      }
      const condition = failing(when, parsed.body, new Set());
      if (condition !== null) {
        return ignored(name, condition.otherwise, `A condition on ${String(condition.field)} does not hold.`);
      }
      const built = buildTask(task, {
        body: parsed.body,
        given: { hook: name, id: verified.id, payload: verified.text },
        idempotencyKey: `hook:${name}:${verified.id}`,
        text: verified.text,
        // The signature says which system sent it, not whose words it carries.
        rights: () => untrustedRights,
        // Nor does it say whether somebody waits; who knows that nobody does writes `lane: 'background'`.
        lane: 'interactive',
      });
      return built.kind === 'task' ? receipt(request, await box.submit(built.request)) : unbuildable(request, built);
    },
  };
}

function readSecret(secret: string, where: string): Webhook {
  try {
    return new Webhook(secret);
  } catch (cause) {
    throw new AppError({
      code: 'bad_config',
      message: `${where}.secret is not a Standard Webhooks secret`,
      hint: 'It is `whsec_` and base64, or the base64 alone; the sender shows it.',
      cause,
    });
  }
}

type Verified =
  | { readonly kind: 'verified'; readonly id: string; readonly text: string }
  | { readonly kind: 'refused'; readonly response: HookResponse };

/** What no body can make right. */
function refuseHead(head: HookHead): HookResponse | null {
  const no = (code: ErrorCode, detail: string): HookResponse => refuse(head, code, { detail });
  const signature = head.headers['webhook-signature'] ?? '';
  if (signature === '') {
    return no('missing_signature', 'There is no webhook-signature header.');
  }
  if (!signaturePattern.test(signature)) {
    return no('bad_signature', 'webhook-signature has no signature of the form `v1,` and the base64 of 32 bytes.');
  }
  if (!idPattern.test(head.headers['webhook-id'] ?? '')) {
    return no('missing_header', 'webhook-id is missing, has blanks, or more than 120 characters.');
  }
  // The library reads the digits at its beginning and would sign those; only digits are what was meant.
  if (!timestampPattern.test(head.headers['webhook-timestamp'] ?? '')) {
    return no('missing_header', 'webhook-timestamp is missing or is not a number of seconds.');
  }
  return null;
}

function verify(request: HookRequest, webhooks: readonly Webhook[], limit: number): Verified {
  const { headers, rawBody } = request;
  const no = (code: ErrorCode, detail: string): Verified => ({
    kind: 'refused',
    response: refuse(request, code, { detail }),
  });
  const refused = refuseHead(request);
  if (refused !== null) {
    return { kind: 'refused', response: refused };
  }
  if (rawBody.byteLength > limit) {
    return no('body_too_large', `The body has ${rawBody.byteLength} bytes; ${limit} are the limit.`);
  }
  const id = headers['webhook-id'] ?? '';
  const timestamp = headers['webhook-timestamp'] ?? '';
  const signature = headers['webhook-signature'] ?? '';
  const text = exactText(rawBody);
  if (text === null) {
    return no('bad_signature', 'The body is not UTF-8, so no signature of its text can fit.');
  }
  const signed = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
  for (const webhook of webhooks) {
    try {
      webhook.verify(text, signed, { jsonParse: false });
      return { kind: 'verified', id, text };
    } catch (error) {
      if (!(error instanceof WebhookVerificationError)) {
        throw error;
      }
      if (error.message.startsWith('Message timestamp')) {
        return no('stale_timestamp', `${error.message}: more than 300 s away.`);
      }
    }
  }
  return no(
    'bad_signature',
    'webhook-signature has no signature of this id, time and body under the configured secret.',
  );
}

/** A delivery as a Standard Webhooks sender makes it; for tests and for trying a hook by hand. */
export function signStandardDelivery(delivery: {
  readonly secret: string;
  readonly id: string;
  readonly sentAt: Date;
  readonly payload: unknown;
}): { readonly headers: { readonly [name: string]: string }; readonly body: string } {
  const body = JSON.stringify(delivery.payload);
  return {
    headers: {
      'content-type': 'application/json',
      'webhook-id': delivery.id,
      'webhook-timestamp': String(Math.floor(delivery.sentAt.getTime() / 1000)),
      'webhook-signature': new Webhook(delivery.secret).sign(delivery.id, delivery.sentAt, body),
    },
    body,
  };
}
