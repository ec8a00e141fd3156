/** Messages of one party that find the session busy with each other. */
import { describe, expect, it } from 'vitest';
import { openBox } from '../support/box.ts';

const chat = { source: 'chat' } as const;

describe('a message that replaces', () => {
  it('from the background lane, leaves the queued interactive messages of its party', async () => {
    await using one = await openBox();
    await one.send({ prompt: 'owner', source: 'somebody else' });
    const owner = await one.stage.turn();
    const asked = await one.send({ ...chat, prompt: 'asked' });
    const job = await one.background({ ...chat, prompt: 'job' });
    const answer = await one.box.submit({
      ...chat,
      session: 'test:one',
      prompt: 'newer job',
      lane: 'background',
      whenBusy: 'replace',
    });
    expect(answer).toMatchObject({ kind: 'accepted', endedTasks: [job] });
    owner.finish();
    for (const prompt of ['asked', 'newer job']) {
      const turn = await one.stage.turn();
      expect(turn.prompt).toBe(prompt);
      turn.finish();
    }
    expect(await one.ended(asked)).toMatchObject({ status: 'completed' });
    expect(await one.ended(job)).toMatchObject({ status: 'cancelled', reason: 'replaced' });
  });
});
