/** A fresh conversation, as the agent and the tape of the session show it. */
import { describe, expect, it } from 'vitest';
import type { ProviderFailure } from '../../src/agents/failures.ts';
import { type Box, openBox } from '../support/box.ts';

const tooLong: ProviderFailure = { class: 'context', retryAfterMs: null, status: null, message: 'prompt is too long' };
const ada = { kind: 'person', name: 'ada' } as const;

const ends = async ({ box }: Box): Promise<readonly unknown[]> =>
  (await box.tape('test:one', null, 0, 1_000)).flatMap(({ type, data }) =>
    type === 'conversation-ended' ? [data] : [],
  );

/** A session whose agent has answered a task, in the conversation with this id. */
async function answered(one: Box): Promise<string | null> {
  const task = await one.send({ prompt: 'before' });
  (await one.stage.turn()).finish();
  await one.ended(task);
  return (await one.box.session('test:one'))?.row.conversation ?? null;
}

describe('a fresh conversation', () => {
  it('begins with the next prompt after a command, once the running turn has ended', async () => {
    await using one = await openBox();
    const old = await answered(one);
    const task = await one.send({ prompt: 'running' });
    const turn = await one.stage.turn();
    await one.event(task, 'turn-started');
    expect(await one.box.newConversation('test:one', ada)).toMatchObject({
      kind: 'conversation',
      state: 'requested',
      turn: 2,
    });
    turn.finish();
    await one.ended(task);
    const next = await one.send({ prompt: 'next' });
    const fresh = await one.stage.turn();
    expect(fresh.prompt).toBe(
      '[signalbox] This is a fresh conversation: you do not know what was said in this session before.\n\nnext',
    );
    fresh.finish();
    await one.ended(next);
    expect(await ends(one)).toEqual([{ conversation: old, why: 'command', by: ada }]);
    expect((await one.box.session('test:one'))?.row.conversation).not.toBe(old);
  });

  it('is not forgotten when the daemon closes before it has begun', async () => {
    const first = await openBox();
    await answered(first);
    expect(await first.box.newConversation('test:one')).toMatchObject({ state: 'ended' });
    await using one = await first.reopen();
    await one.send({ prompt: 'next' });
    const turn = await one.stage.turn();
    expect(turn.prompt).toMatch(/^\[signalbox\] This is a fresh conversation/);
    turn.finish();
  });

  it('begins with the first turn of a task that asks for it', async () => {
    await using one = await openBox();
    const old = await answered(one);
    const task = await one.send({ prompt: 'alone', conversation: 'fresh' });
    const turn = await one.stage.turn();
    expect(turn.prompt).toMatch(/^\[signalbox\] This is a fresh conversation.+\n\nalone$/);
    turn.finish();
    await one.ended(task);
    expect(await ends(one)).toEqual([{ conversation: old, why: 'task', by: { kind: 'task', name: task } }]);
  });

  it('begins when the old one is too long for the model, and the task completes in it', async () => {
    await using one = await openBox();
    await answered(one);
    const task = await one.background({ prompt: 'much' });
    (await one.stage.turn()).refuse(tooLong);
    const turn = await one.stage.turn();
    expect(turn.prompt).toBe(
      '[signalbox] The earlier conversation of this session was too long for the model; this is a fresh one, and you do not know what was said before. An earlier turn on this task failed before its end. Continue from where it stopped. The task was:\n\nmuch',
    );
    turn.finish();
    expect(await one.ended(task)).toMatchObject({ status: 'completed', row: { attempts: 1 } });
    const next = await one.send({ prompt: 'too much by itself' });
    (await one.stage.turn()).refuse(tooLong);
    (await one.stage.turn()).refuse(tooLong);
    expect(await one.ended(next)).toMatchObject({ status: 'failed', reason: 'context' });
  });
});
