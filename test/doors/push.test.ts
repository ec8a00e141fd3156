/** The push door: the contract of all doors, and what is its own. */
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import type { Door } from '../../src/runtime/outbox/door.ts';
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

  test('refuses what is no receiver, and two that are one', () => {
    const target = { on: ['final' as const], url: 'https://example.org/x', secret };
    expect(() => pushDoors([target, target])).toThrow('notify[1] is the same receiver as notify[0]');
    expect(() => pushDoors([{ ...target, url: 'https://me:secret@example.org/' }])).toThrow('notify[0].url');
    expect(() => pushDoors([{ ...target, secret: 'not base64 !!' }])).toThrow('notify[0].secret');
  });
});
