/** Whatever is rightly signed is answered: nothing that a sender can write makes the door throw. */
import fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { githubHook } from '../../src/gateways/github/hook.ts';
import { signStandardDelivery, standardHooks } from '../../src/gateways/standard-webhooks/hook.ts';
import { builtinRules } from '../../src/gateways/github/rules.ts';
import { admissions, config, example, sharedSecret, send } from '../support/deliveries.ts';

const events = Object.values(builtinRules).map(({ event, action }) => [event, action ?? ''] as const);

/** Replaces the value at a random place of a real payload by anything. */
const spoiled = fc
  .tuple(fc.constantFrom(...events), fc.infiniteStream(fc.nat()), fc.jsonValue())
  .map(([[event, action], places, value]) => {
    const root: unknown = example(event, action);
    let node = root;
    for (const place of places) {
      if (typeof node !== 'object' || node === null) {
        break;
      }
      const names = Object.keys(node);
      const name = names[place % Math.max(1, names.length)];
      if (name === undefined) {
        break;
      }
      const child = (node as { [name: string]: unknown })[name];
      if (typeof child !== 'object' || child === null || place % 3 === 0) {
        (node as { [name: string]: unknown })[name] = value;
        break;
      }
      node = child;
    }
    return { event, body: JSON.stringify(root) };
  });

const anything = fc.record({
  event: fc.oneof(
    fc.constantFrom(...events.map(([event]) => event), 'ping', 'push'),
    fc.stringMatching(/^[a-z_]{1,20}$/),
  ),
  body: fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .record({ action: fc.jsonValue(), repository: fc.jsonValue(), sender: fc.jsonValue(), comment: fc.jsonValue() })
      .map((body) => JSON.stringify(body)),
    fc.constantFrom(
      '{"__proto__":{"action":"created"}}',
      '['.repeat(100_000),
      `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`,
      '{"action":"created","action":"x"}',
    ),
  ),
});

test('the GitHub hook accepts, ignores with a reason or refuses with a reason any body with a valid signature', async () => {
  const { box } = admissions();
  const rules = [{ on: '*.whole', own: 'take', session: 's', source: 's', prompt: '{event}' }] as const;
  const handler = githubHook({ box, config: config({ rules }) });
  let counter = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(anything, spoiled), async ({ event, body }) => {
      const rawBody = Buffer.from(body);
      const signature = `sha256=${createHmac('sha256', sharedSecret).update(rawBody).digest('hex')}`;
      counter += 1;
      const answer = await send(handler, {
        headers: { 'x-github-event': event, 'x-github-delivery': `d-${counter}`, 'x-hub-signature-256': signature },
        rawBody,
      });
      if (answer.status === 200) {
        expect(answer.body['status'] === 'pong' || typeof answer.body['reason'] === 'string').toBe(true);
      } else if (answer.status === 202) {
        expect(answer.body['task']).toMatch(/^task-/);
      } else {
        expect([400, 401]).toContain(answer.status);
      }
      if (answer.status === 401) {
        expect(body).toBe('');
      }
    }),
    { numRuns: 1000 },
  );
});

test('the Standard Webhooks hook accepts, ignores or refuses any signed body, each with a reason', async () => {
  const { box } = admissions();
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const [handler] = standardHooks({
    box,
    config: { any: { secret, session: '{kind}', facts: { kind: ['type', 'data.type'] }, prompt: '{payload}' } },
  });
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.jsonValue(), fc.record({ type: fc.string({ unit: 'binary' }) })), async (payload) => {
      const { headers, body } = signStandardDelivery({ secret, id: 'msg', sentAt: new Date(), payload });
      const answer = await send(handler!, { headers, rawBody: Buffer.from(body) });
      expect([202, 400, 401]).toContain(answer.status);
    }),
    { numRuns: 300 },
  );
});
