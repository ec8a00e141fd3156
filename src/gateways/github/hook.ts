/**
 * `POST /hooks/github`.
 *
 *  github-hook/1 A body is not received before the headers are whole, nothing of it is parsed before its signature is
 *                verified, and nothing is stored before it is understood.
 *  github-hook/2 One delivery makes at most one task: its idempotency key is `github:` and the delivery id, so that the
 *                admission row itself is the dedupe. There is no second ledger; what was refused or failed leaves no trace
 *                that could suppress a later try.
 *  github-hook/3 202 is answered after `submit` resolved: the task is committed, and the interrupt it fires is on the wire.
 *  github-hook/4 Every verified delivery is answered: a receipt, or the reason why it makes no task.
 *  github-hook/5 A machine does not interrupt: what a bot sends goes to the background lane, unless its rule names a lane.
 *
 * State: none but the compiled rules.
 */
import type { HookDelivery, HookHandler, HookHead, HookResponse } from '../../protocol/hooks.ts';
import { untrustedRights } from '../../core/model/permission.ts';
import type { Signalbox } from '../../runtime/api.ts';
import { ignored, receipt, refuse, unbuildable } from '../shared/answers.ts';
import { parseBody } from '../shared/body.ts';
import { checkedSecrets } from '../shared/config.ts';
import { at, type JsonObject, scalarAt } from '../shared/fields.ts';
import { buildTask } from '../shared/task-template.ts';
import type { Facts } from '../shared/template.ts';
import { GithubConfigSchema, type GithubConfigInput } from './config.ts';
import { isBot, readIdentities } from './identity.ts';
import { ignoreReasons } from './ignored.ts';
import { chooseRule, compileRules } from './rule-list.ts';
import type { Trust } from './rules.ts';
import { signatureCheck, signaturePattern } from './signature.ts';

const { properties: byDefault } = GithubConfigSchema;

/** As GitHub sends them: a snake_case name, and a GUID. */
const eventPattern = /^[a-z0-9_]{1,100}$/;
const deliveryPattern = /^[\w.-]{1,100}$/;

interface GithubHookOptions {
  readonly box: Pick<Signalbox, 'submit'>;
  readonly config: GithubConfigInput;
}

/** Throws `bad_config` where rules do not fit together. */
export function githubHook({ box, config }: GithubHookOptions): HookHandler {
  const head = {
    path: '/hooks/github',
    method: 'POST',
    bodyLimit: config.maxBodyBytes ?? byDefault.maxBodyBytes.default,
  } as const;
  const secrets = checkedSecrets(config.secret, 'github');
  const rules = compileRules(config);
  const choice = {
    identities: readIdentities(config.bot ?? []),
    ignoreBots: config.ignoreBots ?? byDefault.ignoreBots.default,
  };
  const trusted: ReadonlySet<string> = new Set(config.trusted ?? byDefault.trusted.default);
  const untrusted = config.untrusted ?? byDefault.untrusted.default;

  const dispatch = async (request: HookHead, delivery: Delivery): Promise<HookResponse> => {
    const chosen = chooseRule(rules, delivery, choice);
    const name = delivery.action === null ? delivery.event : `${delivery.event}.${delivery.action}`;
    if (chosen.kind === 'ignored') {
      return ignored(name, chosen.reason, chosen.detail);
    }
    const isTrusted = (facts: Facts): boolean =>
      standing(chosen.rule.trust, delivery.body, facts, trusted) === 'trusted';
    const built = buildTask(chosen.task, {
      body: delivery.body,
      given: { event: name, action: delivery.action ?? '', delivery: delivery.id, rule: chosen.rule.name },
      idempotencyKey: `github:${delivery.id}`,
      text: delivery.text,
      rights: (facts) => (untrusted === 'as-trusted' || isTrusted(facts) ? 'trusted' : untrustedRights),
      lane: isBot(delivery.body) ? 'background' : 'interactive',
    });
    if (built.kind !== 'task') {
      return unbuildable(request, built);
    }
    // A rule that says which rights its tasks have takes the deliveries of all authors.
    const isStranger = standing(chosen.rule.trust, delivery.body, built.facts, trusted) === 'stranger';
    return isStranger && untrusted === 'ignore' && chosen.task.spec.rights === undefined
      ? ignored(name, 'untrusted_author', ignoreReasons.untrusted_author)
      : receipt(request, await box.submit(built.request));
  };

  return {
    ...head,
    note: `requests of strangers: ${untrusted}`,
    refuse: refuseHead,
    receive: (request) =>
      received(request, secrets, async (delivery) =>
        delivery.event === 'ping'
          ? { status: 200, body: { status: 'pong', hook: at(delivery.body, 'hook_id') ?? null } }
          : dispatch(request, delivery),
      ),
  };
}

/** `unknown`: nothing in the delivery says whose request it is. */
function standing(
  trust: Trust,
  body: JsonObject,
  facts: Facts,
  trusted: ReadonlySet<string>,
): 'trusted' | 'stranger' | 'unknown' {
  switch (trust.by) {
    case 'member':
      return 'trusted';
    case 'branch': {
      const value = scalarAt(body, trust.field);
      const isOurs = trust.isThis ? value === scalarAt(body, 'repository.id') : true;
      return value !== null && isOurs ? 'trusted' : 'stranger';
    }
    case 'author': {
      const association = facts.get('association')?.value ?? null;
      return association === null ? 'unknown' : trusted.has(association) ? 'trusted' : 'stranger';
    }
  }
}

interface Delivery {
  readonly event: string;
  readonly action: string | null;
  readonly id: string;
  readonly body: JsonObject;
  /** As it was signed. */
  readonly text: string;
}

/** What no body can make right. */
function refuseHead(head: HookHead): HookResponse | null {
  const { headers } = head;
  const signature = headers['x-hub-signature-256'];
  if (signature === undefined || signature === '') {
    return refuse(head, 'missing_signature', { detail: 'The X-Hub-Signature-256 header is missing.' });
  }
  if (!signaturePattern.test(signature)) {
    return refuse(head, 'bad_signature', {
      detail: 'X-Hub-Signature-256 is not `sha256=` and 64 hexadecimal digits in lower case.',
    });
  }
  for (const [name, form] of [
    ['x-github-event', eventPattern],
    ['x-github-delivery', deliveryPattern],
  ] as const) {
    if (!form.test(headers[name] ?? '')) {
      const detail = `The header ${name} is missing or malformed; GitHub always sends it.`;
      return refuse(head, 'missing_header', { detail });
    }
  }
  return null;
}

function received(
  head: HookHead,
  secrets: readonly string[],
  use: (delivery: Delivery) => Promise<HookResponse>,
): HookDelivery {
  const { headers } = head;
  const signature = signatureCheck(headers['x-hub-signature-256'] ?? '', secrets);
  return {
    update: signature.update,
    end: () =>
      signature.isRight()
        ? null
        : refuse(head, 'bad_signature', {
            detail: 'X-Hub-Signature-256 is not the signature of this body under the configured secret.',
          }),
    async handle(bytes) {
      const parsed = parseBody(bytes, headers['content-type'], true);
      if (parsed.kind === 'bad') {
        return refuse(head, parsed.code, { detail: parsed.detail });
      }
      const { body, text } = parsed;
      const action = at(body, 'action');
      return use({
        event: headers['x-github-event'] ?? '',
        action: typeof action === 'string' && action !== '' ? action.slice(0, 100) : null,
        id: headers['x-github-delivery'] ?? '',
        body,
        text,
      });
    },
  };
}
