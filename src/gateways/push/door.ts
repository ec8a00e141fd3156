/**
 * A receiver of signed messages: one POST for each, by Standard Webhooks (github.com/standard-webhooks/standard-webhooks), with
 * `webhook-id`, `webhook-timestamp` and `webhook-signature` from the library of that project.
 *
 *  push-door/1 A message has one id, whatever becomes of its requests: the receiver knows a second copy by it. So what is not known to have
 *              arrived is sent again.
 *  push-door/2 Messages of one task are sent in order, those of several tasks beside each other.
 *  push-door/3 One request is one request: no redirect is followed, nothing is retried here.
 *
 * State: none but its part of the configuration.
 */
import { createHash } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { AppError } from '../../core/errors.ts';
import { globOf } from '../../core/glob.ts';
import type { Door, FeedEvent, OutboxIntent, OutgoingMessage, SendResult } from '../../runtime/outbox/door.ts';
import { isDecisionOf } from '../../runtime/outbox/decide.ts';
import { checkedSecrets } from '../shared/config.ts';
import { readStandardSecret } from '../shared/standard-secret.ts';
import { resultOf, resultOfError } from './answer.ts';
import type { NotifyConfig, NotifyTarget, PushEvent } from './config.ts';
import { payloadOf } from './payload.ts';

/** Which event of a tape each of them is. */
const tapeTypes: { readonly [E in PushEvent]: FeedEvent['type'] | null } = {
  final: 'final',
  'permission-requested': 'permission-requested',
  hang: 'hang-reported',
  throttled: 'throttled',
  unclear: null,
};

/** Standard Webhooks advises 15 to 30 s. */
const timeoutMs = 20_000;
const answerBytes = 1_024;

/** One for each receiver. Throws `bad_config`. */
export function pushDoors(config: NotifyConfig): readonly Door[] {
  const doors = config.map((target, index) => pushDoor(target, `notify[${index}]`));
  const names = doors.map(({ name }) => name);
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twice >= 0) {
    throw new AppError({
      code: 'bad_config',
      message: `notify[${twice}] is the same receiver as notify[${names.indexOf(names[twice] ?? '')}]`,
      hint: 'Make one entry of the two, or give each its own `name`.',
    });
  }
  return doors;
}

function pushDoor({ on, url, secret, sessions, name }: NotifyTarget, where: string): Door {
  const address = addressOf(url, where);
  const webhooks = checkedSecrets(secret, where).map((one) => {
    readStandardSecret(one, where);
    return new Webhook(one);
  });
  const door = `push:${name ?? defaultName(address)}`;
  const patterns = sessions?.map(globOf) ?? null;
  const isFor = (session: string): boolean => patterns === null || patterns.some((one) => one.test(session));
  const kinds = new Map(on.flatMap((kind) => (tapeTypes[kind] === null ? [] : [[tapeTypes[kind], kind] as const])));
  const intent = ({ session, task, seq }: Pick<OutboxIntent, 'session' | 'task' | 'seq'>, id: string) => ({
    id: idOf(door, id),
    door,
    address: `${door} ${task ?? session}`,
    scope: door,
    session,
    task,
    seq,
  });
  return {
    name: door,
    types: new Set<string>(kinds.keys()),
    repeats: { by: 'key' },
    timeoutMs,
    plan: (events) =>
      events.flatMap((event, index): readonly OutboxIntent[] => {
        const type = kinds.get(event.type);
        if (type === undefined || !isFor(event.session) || isDecidedByPolicy(events, index)) {
          return [];
        }
        const { session, task, seq, at } = event;
        return [{ ...intent(event, [session, task ?? '', seq].join('\n')), type, at, data: null }];
      }),
    planUnclear: (row, problem, at) =>
      on.includes('unclear') && isFor(row.session)
        ? [
            {
              ...intent(row, `unclear\n${row.id}\n${row.attempts}`),
              type: 'unclear',
              at,
              data: { reply: row.id, door: row.door, address: row.address, problem },
            },
          ]
        : [],
    send: (message, at, signal) => post({ address, webhooks }, message, at, signal),
  };
}

function addressOf(url: string, where: string): URL {
  const address = URL.parse(url);
  if (address === null || address.username !== '' || address.password !== '') {
    throw new AppError({
      code: 'bad_config',
      message: `${where}.url is not the URL of a receiver`,
      hint: 'Write `https://host/path`. A name or a password in it is not sent: the signature says who sends.',
    });
  }
  return address;
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Without the path, which may be a secret. */
const defaultName = ({ hostname, href }: URL): string =>
  `${hostname}-${createHash('sha256').update(href).digest('hex').slice(0, 8)}`;

const idOf = (door: string, what: string): string => `msg_${digestOf(`${door}\n${what}`).slice(0, 32)}`;

/** It waits for no person. The two events are of one commit. */
function isDecidedByPolicy(events: readonly FeedEvent[], index: number): boolean {
  const event = events[index];
  return event !== undefined && events.slice(index + 1, index + 3).some((next) => isDecisionOf(next, event));
}

interface Receiver {
  readonly address: URL;
  readonly webhooks: readonly Webhook[];
}

async function post(
  { address, webhooks }: Receiver,
  message: OutgoingMessage,
  at: number,
  signal: AbortSignal,
): Promise<SendResult> {
  const { id } = message.row;
  const body = payloadOf(message);
  const sentAt = new Date(at);
  try {
    const response = await fetch(address, {
      method: 'POST',
      redirect: 'manual',
      signal,
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'signalbox',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at / 1_000)),
        'webhook-signature': webhooks.map((webhook) => webhook.sign(id, sentAt, body)).join(' '),
      },
    });
    const words = response.ok ? await discard(response) : await beginning(response);
    return resultOf({ status: response.status, retryAfter: response.headers.get('retry-after'), words }, at);
  } catch (error) {
    return resultOfError(error, signal.aborted);
  }
}

/** What it says besides is of no use, and may be long. */
async function discard(response: Response): Promise<string> {
  await response.body?.cancel();
  return '';
}

async function beginning(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    while (reader !== undefined && bytes < answerBytes) {
      const { done, value } = await reader.read();
      if (done) {
        break;
      }
      parts.push(value);
      bytes += value.length;
    }
    await reader?.cancel();
  } catch {
    // The status is what counts.
  }
  return Buffer.concat(parts).subarray(0, answerBytes).toString('utf8');
}
