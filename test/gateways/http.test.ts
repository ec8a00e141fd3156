/** The whole way: HTTP, the gateways, the runtime, SQLite. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { githubHook } from '../../src/gateways/github/hook.ts';
import { recordedDeliveries } from '../../src/gateways/github/recorded/index.ts';
import { signDelivery } from '../../src/gateways/github/signature.ts';
import { signStandardDelivery, standardHooks } from '../../src/gateways/standard-webhooks/hook.ts';
import { openBox, type Box } from '../support/box.ts';
import { config, expectedOutcomes, replay, sharedSecret } from '../support/deliveries.ts';
import { openDoor, problemIn, type Door } from '../support/door.ts';

const standardSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

let one: Box;
let door: Door;
let failing = false;

beforeAll(async () => {
  one = await openBox({
    faults: {
      at: (point) => {
        if (failing && point === 'store.after-write') {
          throw new Error('the disk is full');
        }
      },
    },
  });
  const hooks = [
    githubHook({ box: one.box, config: config() }),
    ...standardHooks({
      box: one.box,
      config: { alerts: { secret: standardSecret, session: 'alerts', prompt: '{type}\n{payload}' } },
    }),
  ];
  door = await openDoor({ server: { hooks } }, { box: one, port: 0 });
});
afterAll(() => door[Symbol.asyncDispose]());

interface Sent {
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** Without a bearer token, as GitHub does. */
const postTo = (path: string, { headers, body }: Sent): Promise<Response> =>
  fetch(door.url + path, { method: 'POST', headers, body });

const stored = async (): Promise<number> => {
  const stats = await one.box.store.stats();
  return Object.values(stats.tasks).reduce((sum, count) => sum + count, 0);
};

const [comment] = recordedDeliveries;

describe('webhooks over HTTP', () => {
  test('give every example payload the outcome of the table', async () => {
    const before = await stored();
    const outcomes = await replay(async ({ event, payload }, index) => {
      const response = await postTo(
        '/hooks/github',
        await signDelivery({ event, delivery: `http-${index}`, payload, secret: sharedSecret }),
      );
      const body = (await response.json()) as { readonly [name: string]: unknown };
      const task = response.status === 202 ? await one.box.task(String(body['task'])) : null;
      return { status: response.status, body, rule: task?.payload.labels['rule'] };
    });
    expect(outcomes).toEqual(expectedOutcomes);
    const tasks = Object.values(expectedOutcomes)
      .flatMap((row) => Object.entries(row))
      .filter(([outcome]) => outcome.startsWith('task: '));
    expect(await stored()).toBe(before + tasks.reduce((sum, [, count]) => sum + count, 0));
  });

  test.each<[string, number, string, (sent: Sent) => Sent]>([
    [
      'no signature',
      401,
      'missing_signature',
      ({ headers: { 'x-hub-signature-256': _none, ...headers }, body }) => ({ headers, body }),
    ],
    ['a changed body', 401, 'bad_signature', ({ headers, body }) => ({ headers, body: `${body} ` })],
    [
      'no delivery id',
      400,
      'missing_header',
      ({ headers: { 'x-github-delivery': _none, ...headers }, body }) => ({ headers, body }),
    ],
    ['30 MB', 413, 'body_too_large', ({ headers }) => ({ headers, body: 'x'.repeat(30 * 1024 * 1024) })],
  ])('G03: refuse a delivery with %s', async (_title, status, code, change) => {
    const before = await stored();
    const sent = await signDelivery({ ...comment, delivery: 'bad-1', secret: sharedSecret });
    const response = await postTo('/hooks/github', change(sent));
    expect(await problemIn(response)).toMatchObject({ status, code });
    expect(await stored()).toBe(before);
  });

  test('W04: accept rightly signed bodies of the largest size, also when they come at once', async () => {
    const limit = 26_214_400;
    const sends = await Promise.all(
      ['large-1', 'large-2', 'large-3'].map(async (delivery) => {
        const signed = async (padding: string) =>
          signDelivery({
            ...comment,
            payload: { ...(comment.payload as object), padding },
            delivery,
            secret: sharedSecret,
          });
        return signed('x'.repeat(limit - Buffer.byteLength((await signed('')).body)));
      }),
    );
    const answers = await Promise.all(
      sends.map(async (sent) => {
        expect(Buffer.byteLength(sent.body)).toBe(limit);
        const response = await postTo('/hooks/github', sent);
        return [response.status, ((await response.json()) as { readonly status: unknown }).status];
      }),
    );
    expect(answers).toEqual(sends.map(() => [202, 'accepted']));
  });

  test('G01: answer 5xx when the store fails, and the redelivery makes the task', async () => {
    const sent = await signDelivery({ ...comment, delivery: 'again-1', secret: sharedSecret });
    failing = true;
    const failed = await postTo('/hooks/github', sent);
    failing = false;
    expect(failed.status).toBeGreaterThanOrEqual(500);
    await problemIn(failed);
    const redelivered = await postTo('/hooks/github', sent);
    expect(redelivered.status).toBe(202);
    expect(await redelivered.json()).toMatchObject({ status: 'accepted', duplicate: false });
    const third = await postTo('/hooks/github', sent);
    expect(await third.json()).toMatchObject({ status: 'accepted', duplicate: true });
  });

  test('give another source its own address and signature', async () => {
    const sent = signStandardDelivery({
      secret: standardSecret,
      id: 'msg_1',
      sentAt: new Date(),
      payload: { type: 'disk.full' },
    });
    const response = await postTo('/hooks/alerts', sent);
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ session: 'alerts', duplicate: false });
    expect(await problemIn(await postTo('/hooks/alerts', { headers: {}, body: '{}' }))).toMatchObject({
      status: 401,
      code: 'missing_signature',
    });
    expect(await problemIn(await postTo('/hooks/nobody', sent))).toMatchObject({ status: 404, code: 'unknown_hook' });
  });
});
