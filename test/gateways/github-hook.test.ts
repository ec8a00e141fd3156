/** The door itself: signatures, bodies, deduplication, identity. */
import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/core/errors.ts';
import { githubHook } from '../../src/gateways/github/hook.ts';
import { recordedDeliveries } from '../../src/gateways/github/recorded/index.ts';
import { problem } from '../../src/protocol/index.ts';
import type { Signalbox } from '../../src/runtime/api.ts';
import { admissions, config, example, post, sharedSecret } from '../support/deliveries.ts';

const comment = (): { [name: string]: unknown } => example('issue_comment', 'created');
const delivery = (id: string) => ({ event: 'issue_comment', delivery: id, payload: comment() });

type Change = Parameters<typeof post>[2];

describe('G03: a delivery that is not signed, whole and readable is refused, and nothing is stored', () => {
  const flip = (bytes: Uint8Array): Uint8Array =>
    bytes.map((byte, index) => (index === bytes.length - 5 ? byte ^ 1 : byte));
  const cases: readonly (readonly [title: string, status: number, code: string, change: Change])[] = [
    ['no signature', 401, 'missing_signature', ({ headers }) => delete headers['x-hub-signature-256']],
    ['an empty signature', 401, 'missing_signature', ({ headers }) => (headers['x-hub-signature-256'] = '')],
    [
      'only the old SHA-1 signature',
      401,
      'missing_signature',
      ({ headers }) => {
        headers['x-hub-signature'] = 'sha1=0000';
        delete headers['x-hub-signature-256'];
      },
    ],
    [
      'a truncated signature',
      401,
      'bad_signature',
      ({ headers }) => (headers['x-hub-signature-256'] = headers['x-hub-signature-256']?.slice(0, -1)),
    ],
    [
      'a signature in upper case',
      401,
      'bad_signature',
      ({ headers }) => (headers['x-hub-signature-256'] = headers['x-hub-signature-256']?.toUpperCase()),
    ],
    [
      'two signatures joined',
      401,
      'bad_signature',
      ({ headers }) => (headers['x-hub-signature-256'] += `, ${headers['x-hub-signature-256']}`),
    ],
    [
      'zeros for a signature',
      401,
      'bad_signature',
      ({ headers }) => (headers['x-hub-signature-256'] = `sha256=${'0'.repeat(64)}`),
    ],
    ['one changed bit', 401, 'bad_signature', (request) => (request.rawBody = flip(request.rawBody))],
    ['a body cut short', 401, 'bad_signature', (request) => (request.rawBody = request.rawBody.subarray(0, -1))],
    [
      'an added blank',
      401,
      'bad_signature',
      (request) => (request.rawBody = Buffer.concat([request.rawBody, Buffer.from(' ')])),
    ],
    ['no body', 401, 'bad_signature', (request) => (request.rawBody = new Uint8Array())],
    ['no event name', 400, 'missing_header', ({ headers }) => delete headers['x-github-event']],
    ['a malformed event name', 400, 'missing_header', ({ headers }) => (headers['x-github-event'] = 'issue comment')],
    ['no delivery id', 400, 'missing_header', ({ headers }) => delete headers['x-github-delivery']],
    ['a delivery id with a line end', 400, 'missing_header', ({ headers }) => (headers['x-github-delivery'] = 'a\nb')],
    [
      'a type that is not read',
      415,
      'unsupported_media_type',
      ({ headers }) => (headers['content-type'] = 'text/plain'),
    ],
    [
      'JSON declared as a form',
      400,
      'bad_json',
      ({ headers }) => (headers['content-type'] = 'application/x-www-form-urlencoded'),
    ],
  ];
  test.each(cases)('the hook refuses a delivery with %s', async (_title, status, code, change) => {
    const { box, accepted } = admissions();
    const answer = await post(githubHook({ box, config: config() }), delivery('d-1'), change);
    expect(answer).toMatchObject({ status, body: { code, status } });
    expect(answer.body['hint']).not.toBe('');
    expect(answer.headers?.['content-type']).toBe('application/problem+json');
    expect(accepted).toEqual([]);
  });

  const signed = async (
    text: string | Uint8Array,
  ): Promise<{ status: number; body: { readonly [name: string]: unknown } }> => {
    const { box, accepted } = admissions();
    const { createHmac } = await import('node:crypto');
    const rawBody = Buffer.from(text);
    const answer = await post(githubHook({ box, config: config() }), delivery('d-1'), (request) => {
      request.rawBody = rawBody;
      request.headers['x-hub-signature-256'] =
        `sha256=${createHmac('sha256', sharedSecret).update(rawBody).digest('hex')}`;
    });
    expect(accepted).toEqual([]);
    return answer;
  };

  test.each([
    ['not JSON', '{"action":'],
    ['a list', '[1]'],
    ['a text', '"hello"'],
    ['null', 'null'],
    ['blank', ' '],
  ])('the hook refuses a signed body that is %s', async (_title, text) => {
    expect(await signed(text)).toMatchObject({ status: 400, body: { code: 'bad_json' } });
  });

  test('the hook checks the signature over the bytes, and refuses broken UTF-8 that a lenient decoder would accept', async () => {
    const { box, accepted } = admissions();
    const payload = comment();
    Object.assign(payload['comment'] as object, { body: '\uFFFD' });
    const { status } = await post(
      githubHook({ box, config: config() }),
      { event: 'issue_comment', delivery: 'd-1', payload },
      (request) => {
        const text = Buffer.from(request.rawBody).toString('latin1');
        request.rawBody = Buffer.from(text.replace('\u00ef\u00bf\u00bd', '\u00ff'), 'latin1');
        expect(Buffer.from(request.rawBody).toString('utf8')).toBe(Buffer.from(text, 'latin1').toString('utf8'));
      },
    );
    expect(status).toBe(401);
    expect(accepted).toEqual([]);
  });

  test('the hook refuses a signature of another body', async () => {
    const { box, accepted } = admissions();
    const handler = githubHook({ box, config: config() });
    let stolen: string | undefined;
    await post(handler, delivery('d-1'), ({ headers }) => (stolen = headers['x-hub-signature-256']));
    const answer = await post(
      handler,
      { event: 'issues', delivery: 'd-2', payload: example('issues', 'opened') },
      ({ headers }) => {
        headers['x-hub-signature-256'] = stolen;
      },
    );
    expect(answer).toMatchObject({ status: 401, body: { code: 'bad_signature' } });
    expect(accepted.length).toBe(1);
  });

  test('the limit of a body is 25 MB, and configurable', () => {
    const { box } = admissions();
    expect(githubHook({ box, config: config() }).bodyLimit).toBe(25 * 1024 * 1024);
    expect(githubHook({ box, config: config({ maxBodyBytes: 1000 }) }).bodyLimit).toBe(1000);
  });

  test.each([
    ['issue.number', (payload: { [name: string]: unknown }) => delete (payload['issue'] as { number?: number }).number],
    [
      'comment.user.login',
      (payload: { [name: string]: unknown }) => ((payload['comment'] as { user: unknown }).user = null),
    ],
    ['repository.name', (payload: { [name: string]: unknown }) => delete payload['repository']],
  ])('the hook refuses a delivery without a required field: %s', async (path, remove) => {
    const { box, accepted } = admissions();
    const payload = comment();
    remove(payload);
    const answer = await post(githubHook({ box, config: config() }), {
      event: 'issue_comment',
      delivery: 'd-1',
      payload,
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body['detail']).toContain(path);
    expect(accepted).toEqual([]);
  });
});

describe('secrets of the hook', () => {
  test('verify a signature by any of them, and by no other secret', async () => {
    const { box } = admissions();
    const handler = githubHook({ box, config: config({ secret: ['the new secret', 'the old secret'] }) });
    expect((await post(handler, { ...delivery('d-1'), secret: 'the new secret' })).status).toBe(202);
    expect((await post(handler, { ...delivery('d-2'), secret: 'the old secret' })).status).toBe(202);
    expect((await post(handler, { ...delivery('d-3'), secret: 'another secret' })).status).toBe(401);
  });

  test.each(['\n', '\r\n', '\n\n'])('lose the line break that a file has at its end: %j', async (end) => {
    const handler = githubHook({
      box: admissions().box,
      config: config({ secret: ['another one', `the secret${end}`] }),
    });
    expect((await post(handler, { ...delivery('d-1'), secret: 'the secret' })).status).toBe(202);
  });

  test.each([
    ['two\nsecrets in one', /github\.secret has a line break/],
    [' a blank before', /github\.secret begins or ends with a blank/],
    ['a blank after ', /github\.secret begins or ends with a blank/],
    ['short\n\n\n\n', /github\.secret has fewer than 8 characters/],
  ])('are refused at the start if no sender can have meant them: %j', (secret, message) => {
    const start = () => githubHook({ box: admissions().box, config: config({ secret }) });
    expect(start).toThrow(expect.objectContaining({ code: 'bad_config', message: expect.stringMatching(message) }));
  });
});

describe('G01: one delivery becomes one task', () => {
  test('the idempotency key is the delivery id, and a second delivery gets the first task', async () => {
    const { box, accepted } = admissions();
    const handler = githubHook({ box, config: config() });
    const [first, again] = await Promise.all([post(handler, delivery('d-1')), post(handler, delivery('d-1'))]);
    expect(first).toMatchObject({
      status: 202,
      body: { status: 'accepted', task: 'task-1', session: 'github:Codertocat/Hello-World', duplicate: false },
    });
    expect(again).toMatchObject({ status: 202, body: { task: 'task-1', duplicate: true } });
    expect(accepted.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['github:d-1']);
  });

  test('an attempt that the store failed, or that was refused, does not suppress the next one', async () => {
    const working = admissions();
    const answers: Signalbox['submit'][] = [
      () => Promise.reject(new AppError({ code: 'store_failed', message: 'disk full', retryable: true })),
      () => Promise.resolve({ kind: 'refused', code: 'queue_full', hint: 'Wait.' }),
      () => Promise.resolve({ kind: 'refused', code: 'closing', hint: '' }),
    ];
    const handler = githubHook({
      box: { submit: (request) => (answers.shift() ?? working.box.submit)(request) },
      config: config(),
    });
    await expect(post(handler, delivery('d-1'))).rejects.toMatchObject({ code: 'store_failed' });
    const full = await post(handler, delivery('d-1'));
    expect(full).toMatchObject({ status: problem('queue_full').status, body: { code: 'queue_full' } });
    expect(Number(full.headers?.['retry-after'])).toBeGreaterThan(0);
    const closing = await post(handler, delivery('d-1'));
    expect(closing).toMatchObject({ status: 503, body: { code: 'closing' } });
    expect(await post(handler, delivery('d-1'))).toMatchObject({ status: 202, body: { duplicate: false } });
    expect(working.accepted.length).toBe(1);
  });

  test('a delivery that makes no task does not call the runtime', async () => {
    const handler = githubHook({ box: { submit: () => Promise.reject(new Error('asked')) }, config: config() });
    expect(await post(handler, { event: 'push', delivery: 'd-1', payload: example('star', 'created') })).toMatchObject({
      status: 200,
    });
  });
});

describe('G06: the agent’s own events are known by identity', () => {
  const own = (
    bot: readonly (string | number)[],
    change: (payload: { [name: string]: unknown }) => void = () => {},
  ) => {
    const payload = comment();
    change(payload);
    return post(githubHook({ box: admissions().box, config: config({ bot }) }), {
      event: 'issue_comment',
      delivery: 'd-1',
      payload,
    });
  };
  const reason = { status: 200, body: { status: 'ignored', reason: 'own_event' } };

  test.each([
    ['its login', 'codertocat'],
    ['its login with an @', '@Codertocat'],
    ['its id', 21_031_067],
    ['its id as text', '21031067'],
  ])('the bot is known by %s', async (_title, bot) => {
    expect(await own([bot])).toMatchObject(reason);
  });

  test('the bot is known by the app that wrote the event', async () => {
    const through = (payload: { [name: string]: unknown }): void => {
      (payload['comment'] as { [name: string]: unknown })['performed_via_github_app'] = { id: 99 };
    };
    expect(await own(['app:99'], through)).toMatchObject(reason);
    expect((await own(['app:98'], through)).status).toBe(202);
    const bySomebodyElse = (payload: { [name: string]: unknown }): void => {
      through(payload);
      Object.assign(payload['sender'] as object, { id: 1, login: 'somebody' });
    };
    expect((await own(['app:99'], bySomebodyElse)).status).toBe(202);
  });

  test('the bot is not known by text: a person who writes the same gets an answer', async () => {
    expect((await own(['signalbox[bot]'])).status).toBe(202);
  });

  test('a person who edits a comment of the bot is not the bot', async () => {
    const { box, accepted } = admissions();
    const rules = [{ on: 'issue_comment.edited', prompt: '{sender} edited', source: 'edits' }] as const;
    const payload = example('issue_comment', 'edited');
    (payload['sender'] as { [name: string]: unknown })['login'] = 'somebody';
    (payload['sender'] as { [name: string]: unknown })['id'] = 1;
    expect(
      await post(githubHook({ box, config: config({ bot: ['Codertocat'], rules }) }), {
        event: 'issue_comment',
        delivery: 'd-1',
        payload,
      }),
    ).toMatchObject({ status: 202 });
    expect(accepted[0]?.prompt).toBe('somebody edited');
  });

  test('a failed check of the bot’s own push is a task', async () => {
    const { box, accepted } = admissions();
    const [, , check] = recordedDeliveries;
    expect(
      await post(githubHook({ box, config: config({ bot: ['Codertocat'] }) }), { ...check, delivery: 'd-1' }),
    ).toMatchObject({ status: 202 });
    expect(accepted[0]?.labels?.['rule']).toBe('check-failed');
  });

  test('other bots are accepted by default', async () => {
    const bots = (ignoreBots: boolean) => {
      const payload = comment();
      (payload['sender'] as { [name: string]: unknown })['type'] = 'Bot';
      return post(githubHook({ box: admissions().box, config: config({ ignoreBots }) }), {
        event: 'issue_comment',
        delivery: 'd-1',
        payload,
      });
    };
    expect((await bots(false)).status).toBe(202);
    expect(await bots(true)).toMatchObject({ status: 200, body: { reason: 'bot_event' } });
  });
});
