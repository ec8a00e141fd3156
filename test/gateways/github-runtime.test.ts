/** Deliveries through the door into the real runtime, on a real SQLite file. */
import { describe, expect, test } from 'vitest';
import type { GithubConfigInput } from '../../src/gateways/github/config.ts';
import { githubHook } from '../../src/gateways/github/hook.ts';
import { recordedDeliveries } from '../../src/gateways/github/recorded/index.ts';
import { systemClock } from '../../src/runtime/index.ts';
import { expectSound, openBox, type Box } from '../support/box.ts';
import { config, example, post } from '../support/deliveries.ts';

const [comment, review, check] = recordedDeliveries;
const sessionKey = 'github:Codertocat/Hello-World';

const doorOf = (one: Box, more: Partial<GithubConfigInput> = {}) => githubHook({ box: one.box, config: config(more) });
const taskOf = (answer: { readonly body: { readonly [name: string]: unknown } }): string => String(answer.body['task']);

/** A runtime whose collecting windows stay open until the test closes them. */
async function openCollecting(): Promise<{ readonly one: Box; readonly closeWindows: () => void }> {
  const collectMs = 1_234_567;
  const open: (() => void)[] = [];
  const clock = {
    ...systemClock,
    timer: (ms: number, fire: () => void): (() => void) => {
      if (ms !== collectMs) {
        return systemClock.timer(ms, fire);
      }
      open.push(fire);
      return () => {};
    },
  };
  const one = await openBox({ clock, limits: { collectMs } });
  return { one, closeWindows: () => open.splice(0).forEach((fire) => fire()) };
}

async function tasksIn(one: Box): Promise<number> {
  return (await one.box.tasks({}, null, 100)).items.length;
}

describe('a delivery to the runtime', () => {
  test('is committed, and the background turn is interrupted, before the answer comes', async () => {
    await using one = await openBox();
    const back = await one.background({ session: sessionKey });
    const turn = await one.stage.turn();
    turn.say('working');
    await one.event(back, 'output');
    const answer = await post(doorOf(one), { ...comment, delivery: 'd-1' });
    expect(answer).toMatchObject({ status: 202, body: { status: 'accepted', session: sessionKey, duplicate: false } });
    expect(turn.context.signal.aborted).toBe(true);
    expect(await one.box.task(taskOf(answer))).toMatchObject({
      payload: { idempotencyKey: 'github:d-1', rights: 'trusted' },
    });
    const asked = await one.stage.turn();
    expect(asked.prompt).toContain("> The greeting misspells the customer's name.");
    asked.finish();
    (await one.stage.turn()).finish();
    for (const task of [taskOf(answer), back]) {
      expectSound(await one.ended(task), await one.tape(task));
    }
  });

  test('G01 becomes one task when it comes twice, at the same time, and after a restart', async () => {
    const one = await openBox();
    await using again = await (async () => {
      const door = doorOf(one);
      const delivery = { ...comment, delivery: 'd-1' };
      const both = await Promise.all([post(door, delivery), post(door, delivery)]);
      const third = await post(door, delivery);
      expect(both.filter(({ body }) => body['duplicate'] === false)).toHaveLength(1);
      expect(third).toMatchObject({ status: 202, body: { duplicate: true } });
      expect(new Set([...both, third].map(taskOf)).size).toBe(1);
      (await one.stage.turn()).finish();
      await one.ended(taskOf(third));
      return one.reopen();
    })();
    const after = await post(doorOf(again), { ...comment, delivery: 'd-1' });
    expect(after).toMatchObject({ status: 202, body: { duplicate: true } });
    expect(await again.box.task(taskOf(after))).toMatchObject({ status: 'completed' });
    expect(await tasksIn(again)).toBe(1);
    expect((await again.types(taskOf(after))).filter((type) => type === 'queued')).toHaveLength(1);
  });

  test('G01 G02 leaves nothing when it fails half way, and does not suppress the next attempt', async () => {
    let failing = false;
    const faults = {
      at: (point: string) => {
        if (failing && point === 'store.after-write') {
          throw new Error('the disk is full');
        }
      },
    };
    await using one = await openBox({ faults });
    const door = doorOf(one);
    const delivery = { ...comment, delivery: 'd-1' };
    // An earlier, unrelated task, so that the session is live when the store fails.
    const first = taskOf(await post(door, { ...review, delivery: 'd-0' }));
    (await one.stage.turn()).finish();
    await one.ended(first);
    failing = true;
    await expect(post(door, delivery)).rejects.toThrow('the disk is full');
    expect(await tasksIn(one)).toBe(1);
    failing = false;
    const answer = await post(door, delivery);
    expect(answer).toMatchObject({ status: 202, body: { duplicate: false } });
    (await one.stage.turn()).finish();
    expectSound(await one.ended(taskOf(answer)), await one.tape(taskOf(answer)));
    expect(await tasksIn(one)).toBe(2);
  });

  test('G01 that was refused because the queue was full is accepted when the queue has room', async () => {
    await using one = await openBox({ limits: { maxOpen: 1 } });
    const door = doorOf(one);
    const running = taskOf(await post(door, { ...comment, delivery: 'd-1' }));
    const full = await post(door, { ...check, delivery: 'd-2' });
    expect(full).toMatchObject({ status: 429, body: { code: 'queue_full', retryable: true } });
    (await one.stage.turn()).finish();
    await one.ended(running);
    const answer = await post(door, { ...check, delivery: 'd-2' });
    expect(answer).toMatchObject({ status: 202, body: { duplicate: false } });
    (await one.stage.turn()).finish();
    expect(await one.ended(taskOf(answer))).toMatchObject({ status: 'completed' });
  });

  test('G04 of a review and its inline comments makes one turn, with one task and one `final` for each text', async () => {
    const { one, closeWindows } = await openCollecting();
    await using _closed = one;
    const door = doorOf(one);
    const payload = review.payload as { readonly review: { readonly id: number } };
    const inline = ['Why here?', 'And there?'].map((body, index) => {
      const made = example('pull_request_review_comment', 'created');
      Object.assign(made['comment'] as object, { id: index + 1, body, pull_request_review_id: payload.review.id });
      return made;
    });
    const tasks = [
      await post(door, { event: 'pull_request_review_comment', delivery: 'c-1', payload: inline[0] }),
      await post(door, { ...review, delivery: 'r-1' }),
      await post(door, { event: 'pull_request_review_comment', delivery: 'c-2', payload: inline[1] }),
    ].map(taskOf);
    closeWindows();
    const turn = await one.stage.turn();
    turn.finish('all three');
    const ended = await Promise.all(tasks.map((task) => one.ended(task)));
    expect(ended.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed']);
    const texts = ['> Why here?', '> The fix is right', '> And there?'];
    expect(texts.map((text) => turn.prompt.split(text).length - 1)).toEqual([1, 1, 1]);
    expect(texts.map((text) => turn.prompt.indexOf(text)).toSorted((a, b) => a - b)).toEqual(
      texts.map((text) => turn.prompt.indexOf(text)),
    );
    expect(one.stage.unplayed).toBe(0);
    expect(ended.map(({ payload: { labels } }) => labels['reply'])).toEqual([
      'repos/Codertocat/Hello-World/pulls/2/comments/1/replies',
      'repos/Codertocat/Hello-World/issues/2/comments',
      'repos/Codertocat/Hello-World/pulls/2/comments/2/replies',
    ]);
    for (const stored of ended) {
      expectSound(stored, await one.tape(stored.row.id));
    }
  });

  test('G04 of a review never shares a turn with a text of other rights', async () => {
    const { one, closeWindows } = await openCollecting();
    await using _closed = one;
    const door = doorOf(one, { untrusted: 'read-only' });
    const stranger = structuredClone(review.payload) as { review: { author_association: string; body: string } };
    Object.assign(stranger.review, { author_association: 'NONE', body: 'Let me in.' });
    await post(door, { ...review, delivery: 'r-1' });
    const other = taskOf(await post(door, { event: review.event, delivery: 'r-2', payload: stranger }));
    closeWindows();
    const first = await one.stage.turn();
    expect(first.prompt).not.toContain('Let me in.');
    first.finish();
    const second = await one.stage.turn();
    expect(second.prompt).toContain('> Let me in.');
    second.finish();
    expect(await one.ended(other)).toMatchObject({ payload: { rights: 'untrusted' } });
  });
});
