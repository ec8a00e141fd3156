/** A channel of the event hub with more followers than one pass serves. */
import { expect, test } from 'vitest';
import { feedSource } from '../../src/server/events/source.ts';
import { Channel, type EncodedBatch } from '../../src/server/events/hub.ts';
import { openBox } from '../support/box.ts';

test('a batch reaches each of many followers once, in several passes, and none that has left', async () => {
  await using one = await openBox();
  const passes: (() => void)[] = [];
  const next = (): void => passes.shift()?.();
  const channel = new Channel(
    one.box,
    feedSource(one.box, null),
    (run) => void passes.push(run),
    () => {},
  );
  const got = new Map<number, EncodedBatch[]>();
  const followers = Array.from({ length: 600 }, (_, index) => {
    got.set(index, []);
    return { onBatch: (batch: EncodedBatch) => void got.get(index)?.push(batch) };
  });
  for (const follower of followers) {
    channel.add(follower);
  }
  const served = (): number => [...got.values()].filter((batches) => batches.length > 0).length;
  await one.send({});
  next();
  expect(served()).toBe(256);
  const [leaves] = followers.slice(-1);
  if (leaves !== undefined) {
    channel.remove(leaves);
  }
  // What is committed meanwhile is the next batch, for all of them.
  await one.send({ session: 'other' });
  next();
  next();
  expect(served()).toBe(599);
  expect([...got.values()].every((batches) => batches.length <= 1)).toBe(true);
  while (passes.length > 0) {
    next();
  }
  const [first, second] = got.get(0) ?? [];
  expect(got.get(598)).toEqual([first, second]);
  expect(got.get(599)).toEqual([]);
  expect(second?.prior).toBe(first?.events.at(-1)?.position);
  (await one.stage.turn()).finish();
});
