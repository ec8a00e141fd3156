/** Every real payload that @octokit/webhooks-examples ships, signed and posted. */
import { describe, expect, test } from 'vitest';
import { githubHook } from '../../src/gateways/github/hook.ts';
import { ignoreReasons } from '../../src/gateways/github/ignored.ts';
import type { HookResponse } from '../../src/protocol/index.ts';
import {
  admissions,
  config,
  example,
  examples,
  expectedOutcomes,
  nameOf,
  post,
  replay,
} from '../support/deliveries.ts';

const all = examples();
describe('every GitHub example payload', () => {
  test('becomes a task, or is ignored with a stated reason, as the table says', async () => {
    const { box, accepted } = admissions();
    const handler = githubHook({ box, config: config() });
    const outcomes = await replay(async ({ event, payload }, index) => {
      const answer = await post(handler, { event, delivery: `delivery-${index}`, payload });
      if (answer.body['status'] === 'ignored') {
        const reason = ignoreReasons[answer.body['reason'] as keyof typeof ignoreReasons];
        expect(reason, `reason of ${event}`).toBeDefined();
        expect(answer.body['detail']).toContain(reason);
      }
      return { ...answer, rule: accepted.at(-1)?.labels?.['rule'] };
    });
    expect(outcomes).toEqual(expectedOutcomes);
    expect(all.length).toBe(726);
  });

  test('becomes a task by a rule that accepts everything, with its facts quoted', async () => {
    const { box, accepted } = admissions();
    const rules = [
      {
        on: '*',
        own: 'take',
        session: 'everything',
        source: 'everything',
        prompt: '{event} by {sender}\n{body}',
        facts: { body: ['comment.body', 'issue.body', 'review.body', 'pull_request.body'] },
      },
    ] as const;
    const handler = githubHook({ box, config: config({ rules }) });
    const events = all.filter(({ event }) => event !== 'ping');
    for (const [index, { event, payload }] of events.entries()) {
      const answer = await post(handler, { event, delivery: `delivery-${index}`, payload });
      expect(answer.status, `${event} ${JSON.stringify(answer.body)}`).toBe(202);
      const [head, ...rest] = (accepted.at(-1)?.prompt ?? '').split('\n');
      expect(head).toMatch(new RegExp(`^${nameOf(event, payload)} by `));
      expect(rest.every((line) => line.startsWith('>') || line === '(not given)')).toBe(true);
    }
    expect(accepted.length).toBe(events.length);
  });

  test('is read from a form like from JSON', async () => {
    const { box, accepted } = admissions();
    const { sign } = await import('@octokit/webhooks-methods');
    const body = new URLSearchParams({ payload: JSON.stringify(example('issue_comment', 'created')) }).toString();
    const signature = await sign(config().secret as string, body);
    const answer = await post(
      githubHook({ box, config: config() }),
      { event: 'issue_comment', delivery: 'form-1', payload: {} },
      (request) => {
        request.rawBody = Buffer.from(body);
        request.headers['content-type'] = 'application/x-www-form-urlencoded';
        request.headers['x-hub-signature-256'] = signature;
      },
    );
    expect(answer.status).toBe(202);
    expect(accepted[0]?.prompt).toContain("> You are totally right! I'll get this fixed right away.");
  });

  test('gets a response in plain JSON', async () => {
    const { box } = admissions();
    const answer: Pick<HookResponse, 'status' | 'body'> = await post(githubHook({ box, config: config() }), {
      event: 'ping',
      delivery: 'ping-1',
      payload: { zen: 'Keep it logically awesome.', hook_id: 7 },
    });
    expect(answer).toMatchObject({ status: 200, body: { status: 'pong', hook: 7 } });
  });
});
