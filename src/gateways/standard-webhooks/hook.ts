/**
 * `POST /hooks/{name}`: any source that signs as Standard Webhooks says (github.com/standard-webhooks/standard-webhooks):
 * `webhook-id`, `webhook-timestamp` and `webhook-signature`, HMAC-SHA-256 over id, timestamp and the body's bytes.
 * Secrets are read by the library `standardwebhooks` of the same project.
 *
 *  standard-webhooks-hook/1 The id is signed, so it is the idempotency key, `hook:NAME:ID`: a replay, whenever it comes, is
 *                           the first task again.
 *  standard-webhooks-hook/2 A delivery whose timestamp is more than 300 s away from this machine's wall clock is refused
 *                           (the tolerance of the library).
 *  standard-webhooks-hook/3 As for GitHub: nothing is stored unless the answer says so, and the answer comes after the
 *                           commit.
 *
 * State: none but the compiled templates.
 */
import { Webhook } from 'standardwebhooks';
import { untrustedRights } from '../../core/model/permission.ts';
import type { ErrorCode } from '../../core/error-codes.ts';
import type { HookDelivery, HookHandler, HookHead, HookResponse } from '../../protocol/hooks.ts';
import type { Signalbox } from '../../runtime/api.ts';
import { ignored, receipt, refuse, unbuildable } from '../shared/answers.ts';
import { parseBody } from '../shared/body.ts';
import { failing, readConditions } from '../shared/conditions.ts';
import { checkedSecrets } from '../shared/config.ts';
import { BodySignature } from '../shared/signature.ts';
import { readStandardSecret } from '../shared/standard-secret.ts';
import { buildTask, compileTask } from '../shared/task-template.ts';
import { HookConfigSchema, type HookConfigInput, type HooksConfigInput } from './config.ts';

/** What may stand in an idempotency key, with room for `hook:` and the longest name. */
const idPattern = /^[!-~]{1,120}$/;
const timestampPattern = /^[0-9]{1,12}$/;
/** A signature in the list: `v1,` and the base64 of 32 bytes. Others are of no kind that is known here. */
const signaturePattern = /(?<=^| )v1,([A-Za-z0-9+/]{43}=)(?= |$)/g;
/** Seconds that a timestamp may be away from this machine's clock. */
const toleranceS = 300;
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
  const keys = checkedSecrets(secret, where).map((one) => readStandardSecret(one, where));
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
    receive: (request) =>
      received(request, keys, async (bytes, id) => {
        const parsed = parseBody(bytes, request.headers['content-type'], false);
        if (parsed.kind === 'bad') {
          return refuse(request, parsed.code, { detail: parsed.detail });
        }
        const condition = failing(when, parsed.body, new Set());
        if (condition !== null) {
          return ignored(name, condition.otherwise, `A condition on ${String(condition.field)} does not hold.`);
        }
        const built = buildTask(task, {
          body: parsed.body,
          given: { hook: name, id, payload: parsed.text },
          idempotencyKey: `hook:${name}:${id}`,
          text: parsed.text,
          // The signature says which system sent it, not whose words it carries.
          rights: () => untrustedRights,
          // Nor does it say whether somebody waits; who knows that nobody does writes `lane: 'background'`.
          lane: 'interactive',
        });
        return built.kind === 'task' ? receipt(request, await box.submit(built.request)) : unbuildable(request, built);
      }),
  };
}

/** What no body can make right. */
function refuseHead(head: HookHead): HookResponse | null {
  const no = (code: ErrorCode, detail: string): HookResponse => refuse(head, code, { detail });
  const signature = head.headers['webhook-signature'] ?? '';
  if (signature === '') {
    return no('missing_signature', 'There is no webhook-signature header.');
  }
  if (signaturesIn(signature).length === 0) {
    return no('bad_signature', 'webhook-signature has no signature of the form `v1,` and the base64 of 32 bytes.');
  }
  if (!idPattern.test(head.headers['webhook-id'] ?? '')) {
    return no('missing_header', 'webhook-id is missing, has blanks, or more than 120 characters.');
  }
  const timestamp = head.headers['webhook-timestamp'] ?? '';
  if (!timestampPattern.test(timestamp)) {
    return no('missing_header', 'webhook-timestamp is missing or is not a number of seconds.');
  }
  if (Math.abs(Math.floor(Date.now() / 1000) - Number(timestamp)) > toleranceS) {
    return no('stale_timestamp', `webhook-timestamp is more than ${toleranceS} s away from the time of this machine.`);
  }
  return null;
}

const signaturesIn = (header: string): readonly string[] =>
  [...header.matchAll(signaturePattern)].map((match) => match[1] ?? '');

function received(
  head: HookHead,
  keys: readonly Uint8Array[],
  use: (bytes: Uint8Array, id: string) => Promise<HookResponse>,
): HookDelivery {
  const { headers } = head;
  const id = headers['webhook-id'] ?? '';
  const signature = new BodySignature(keys, `${id}.${headers['webhook-timestamp'] ?? ''}.`);
  const given = signaturesIn(headers['webhook-signature'] ?? '');
  return {
    update: (bytes) => signature.update(bytes),
    end: () =>
      signature.isOneOf(given, 'base64')
        ? null
        : refuse(head, 'bad_signature', {
            detail: 'webhook-signature has no signature of this id, time and body under the configured secret.',
          }),
    handle: (bytes) => use(bytes, id),
  };
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
