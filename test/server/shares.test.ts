/** A full daemon, source or session over HTTP: each sender reads what is full and when to come back. */
import { describe, expect, test } from 'vitest';
import { ApiError } from '../../src/client/index.ts';
import { githubHook } from '../../src/gateways/github/hook.ts';
import { recordedDeliveries } from '../../src/gateways/github/recorded/index.ts';
import { signDelivery } from '../../src/gateways/github/signature.ts';
import { signStandardDelivery, standardHooks } from '../../src/gateways/standard-webhooks/hook.ts';
import type { RuntimeLimits } from '../../src/runtime/index.ts';
import { openBox } from '../support/box.ts';
import { config, sharedSecret } from '../support/deliveries.ts';
import { openDoor, problemIn } from '../support/door.ts';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const [comment, , check] = recordedDeliveries;

async function openFull(limits: Partial<RuntimeLimits>) {
  const one = await openBox({ limits });
  const hooks = [
    githubHook({ box: one.box, config: config() }),
    ...standardHooks({ box: one.box, config: { alerts: { secret, session: 'alerts', prompt: '{payload}' } } }),
  ];
  const door = await openDoor({ server: { hooks } }, { box: one, port: 0 });
  const deliver = async (path: string, sent: { readonly headers: object; readonly body: string }): Promise<Response> =>
    fetch(door.url + path, { method: 'POST', headers: { ...sent.headers }, body: sent.body });
  return {
    one,
    door,
    github: async (event: string, delivery: string, payload: unknown) =>
      deliver('/hooks/github', await signDelivery({ event, delivery, payload, secret: sharedSecret })),
    alert: async (id: string) =>
      deliver(
        '/hooks/alerts',
        signStandardDelivery({ secret, id, sentAt: new Date(), payload: { type: 'disk.full' } }),
      ),
    [Symbol.asyncDispose]: () => door[Symbol.asyncDispose](),
  };
}

const refusalIn = async (response: Response) => ({
  ...(await problemIn(response)),
  header: response.headers.get('retry-after'),
});

describe('G08: a daemon that is full', () => {
  test('tells each sender what is full, how full, and when to come back, and takes the repeat of what it has', async () => {
    await using full = await openFull({ maxOpenTasks: 2 });
    const { one, door } = full;
    await one.background({ session: 's' });
    expect((await full.github(comment.event, 'd-1', comment.payload)).status).toBe(202);
    const refused = {
      status: 429,
      code: 'daemon_full',
      detail: 'The daemon has 2 open tasks; 2 is the limit. Retry in 30 s.',
      retryable: true,
      retryAfterMs: 30_000,
      header: '30',
    };
    expect(await refusalIn(await full.github(check.event, 'd-2', check.payload))).toMatchObject(refused);
    expect(await refusalIn(await full.alert('msg_1'))).toMatchObject(refused);
    const submitted = await door.fetch('/v1/tasks', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ session: 'other', prompt: 'p' }),
    });
    expect(await refusalIn(submitted)).toMatchObject(refused);
    const error: unknown = await door.client
      .submit({ session: 'other', prompt: 'p' })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: 'daemon_full', retryable: true, retryAfterMs: 30_000 });
    const again = await full.github(comment.event, 'd-1', comment.payload);
    expect([again.status, await again.json()]).toMatchObject([202, { duplicate: true }]);
  });

  test('refuses a source that is full, and says which sources are large', async () => {
    await using full = await openFull({ maxOpenPerSource: 1 });
    expect((await full.github(comment.event, 'd-1', comment.payload)).status).toBe(202);
    // Another part of the same repository.
    expect(await refusalIn(await full.github(check.event, 'd-2', check.payload))).toMatchObject({
      code: 'source_full',
      detail: 'The source "github:Codertocat/Hello-World" has 1 open task; 1 is the limit. Retry in 30 s.',
    });
    expect((await full.alert('msg_1')).status).toBe(202);
    expect(await full.door.client.openTasks()).toEqual({
      open: 2,
      limit: 40_000,
      sourceLimit: 1,
      sources: [
        { source: 'github:Codertocat/Hello-World', open: 1 },
        { source: 'hook:alerts', open: 1 },
      ],
    });
    const metrics = await full.door.client.metrics();
    expect(metrics).toContain('signalbox_open_tasks 2');
    expect(metrics).toContain('signalbox_open_tasks_by_source{source="hook:alerts"} 1');
    expect(metrics).toContain('signalbox_refused_source_full_total 1');
  });

  test('refuses a session that is full in the same words', async () => {
    await using full = await openFull({ maxOpen: 1 });
    await full.one.background({ session: 'alerts' });
    expect(await refusalIn(await full.alert('msg_1'))).toMatchObject({
      status: 429,
      code: 'queue_full',
      detail: 'The session "alerts" has 1 open task; 1 is the limit. Retry in 30 s.',
      header: '30',
    });
  });
});
