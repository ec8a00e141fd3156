/** The push door: the contract of all doors, and what is its own. */
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { functionDriver } from '../../src/agents/index.ts';
import type { Door, FeedEvent } from '../../src/runtime/outbox/door.ts';
import { pushDoors } from '../../src/gateways/push/door.ts';
import { doorContract } from './contract.ts';
import { FakeReceiver, secret } from './receiver.ts';
import { openWorld } from './world.ts';

doorContract('push', () => FakeReceiver.open());

const minuteMs = 60_000;

describe('push', () => {
  test('signs the whole body, names the task and its sender, and keeps one id over all requests of a message', async () => {
    await using receiver = await FakeReceiver.open();
    await using world = await openWorld(receiver.doors);
    receiver.fault = (request) => (request === 1 ? { kind: 'lost' } : null);
    const task = await world.box.send({ session: 'a', prompt: 'hello', source: 'chat', labels: { room: 'x' } });
    await world.box.ended(task);
    await world.pass(minuteMs);
    expect([receiver.requests, receiver.copies]).toEqual([2, 1]);
    const { headers, body } = receiver.last;
    expect(new Webhook(secret).verify(body, { ...headers })).toEqual(receiver.payloads[0]);
    expect(receiver.payloads).toMatchObject([
      {
        type: 'final',
        data: {
          session: 'a',
          task,
          source: 'chat',
          labels: { room: 'x' },
          event: { status: 'completed', answer: { text: 'hello' } },
        },
      },
    ]);
  });

  test('G12 gives merged tasks their answer each', async () => {
    await using receiver = await FakeReceiver.open();
    await using world = await openWorld(receiver.doors);
    const how = { session: 'a', whenBusy: 'collect', source: 'chat' } as const;
    const tasks = [await world.box.send({ ...how, prompt: 'one' }), await world.box.send({ ...how, prompt: 'two' })];
    await Promise.all(tasks.map((task) => world.box.ended(task)));
    await world.pass(minuteMs);
    expect(receiver.posts.map(({ task }) => task).toSorted()).toEqual(tasks.toSorted());
    expect(receiver.posts.every(({ text }) => text.includes('one') && text.includes('two'))).toBe(true);
  });

  test('tells of a message of another door whose outcome is not known', async () => {
    await using receiver = await FakeReceiver.open(['unclear']);
    const [push] = receiver.doors;
    const other: Door = {
      ...(pushDoors([{ on: ['final'], url: 'http://127.0.0.1:1/', secret }])[0] as Door),
      repeats: { by: 'never' },
      send: () =>
        Promise.resolve({ kind: 'unknown', problem: 'the answer was lost', retryAfterMs: null, wholeScope: false }),
    };
    await using world = await openWorld([push as Door, other]);
    await world.tasks(1);
    await world.pass(minuteMs);
    expect(receiver.payloads).toMatchObject([{ type: 'unclear', data: { event: { problem: 'the answer was lost' } } }]);
    expect(await world.states()).toEqual(['unclear', 'posted']);
  });

  test('tells of what waits for a person, hangs and is throttled, and only of its sessions', () => {
    const [door] = pushDoors([
      { on: ['permission-requested', 'hang', 'throttled'], url: 'https://example.org/', secret, sessions: ['a:*'] },
    ]);
    let position = 0;
    const event = (session: string, type: string, data: object, task: string | null = null) =>
      ({ session, task, seq: 1, at: 5, type, data, position: String((position += 1)) }) as unknown as FeedEvent;
    const asked = (request: string) => event('a:1', 'permission-requested', { turn: 1, request }, 't');
    const rows = door?.plan([
      asked('by-policy'),
      event('a:1', 'permission-resolved', { turn: 1, request: 'by-policy', decision: 'deny' }, 't'),
      asked('by-person'),
      event('a:1', 'permission-resolved', { turn: 2, request: 'by-person', decision: 'deny' }, 't'),
      event('a:1', 'hang-reported', {}),
      event('b:1', 'hang-reported', {}),
      event('a:2', 'throttled', {}),
      event('a:2', 'final', {}, 't2'),
    ]);
    expect(rows?.map(({ type, session, task }) => [type, session, task])).toEqual([
      ['permission-requested', 'a:1', 't'],
      ['hang', 'a:1', null],
      ['throttled', 'a:2', null],
    ]);
  });

  test('does not tell of a permission request that was answered before it could be sent', async () => {
    await using receiver = await FakeReceiver.open(['permission-requested']);
    await receiver.down();
    const asks = functionDriver(async function* (_prompt, context) {
      const { allow } = await context.requestPermission({ tool: 'Bash', kind: 'execute', title: 'x' });
      yield String(allow);
    });
    await using world = await openWorld(receiver.doors, { agent: asks });
    const permissions = { mode: 'ask', allow: [], deny: [] } as const;
    const task = await world.box.send({ session: 'a', prompt: 'p', permissions });
    const { data } = await world.box.event(task, 'permission-requested');
    await world.pass(minuteMs);
    expect(await world.states()).toEqual(['due']);
    const { turn, request } = data;
    expect((await world.box.box.respond('a', { turn, request, allow: false })).kind).toBe('ok');
    await world.box.ended(task);
    await receiver.up();
    await world.pass(60 * minuteMs);
    expect([receiver.payloads.length, await world.states()]).toEqual([0, ['expired']]);
  });

  test('refuses what is no receiver, and two that are one', () => {
    const target = { on: ['final' as const], url: 'https://example.org/x', secret };
    expect(() => pushDoors([target, target])).toThrow('notify[1] is the same receiver as notify[0]');
    expect(() => pushDoors([{ ...target, url: 'https://me:secret@example.org/' }])).toThrow('notify[0].url');
    expect(() => pushDoors([{ ...target, secret: 'not base64 !!' }])).toThrow('notify[0].secret');
  });
});
