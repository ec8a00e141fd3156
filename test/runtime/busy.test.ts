/** Messages of one party that find the session busy with each other. */
import { describe, expect, it } from 'vitest';
import { openBox } from '../support/box.ts';
import { RememberingAgent } from '../support/remembering-agent.ts';

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

describe('a message of other rights', () => {
  it('is not merged, whatever its rights and its permissions are made to look like', async () => {
    await using one = await openBox();
    const permissions = { mode: 'allow', allow: [], deny: [] } as const;
    const part = { ...chat, session: 'test:one', prompt: 'part', whenBusy: 'collect' } as const;
    expect(await one.box.submit({ ...part, rights: 'r', permissions })).toMatchObject({ mergedInto: null });
    for (const rights of [`r\u0000${JSON.stringify(permissions)}`, `r",${JSON.stringify(permissions)}]`, 'r']) {
      expect(await one.box.submit({ ...part, rights })).toMatchObject({ kind: 'accepted', mergedInto: null });
    }
    await one.box.stop('test:one', 'session');
  });
});

describe('a message that interrupts', () => {
  const moments = [
    'while the first drains',
    'before the agent has confirmed the turn of the first',
    'while that turn runs',
  ];

  it.each(moments)('is the last word of its party when it comes %s', async (moment) => {
    const agent = new RememberingAgent();
    await using one = await openBox({ agent: agent.driver });
    const running = await one.send({ ...chat, prompt: 'running' });
    const cut = await agent.turn();
    cut.start();
    await one.event(running, 'turn-started');
    const first = await one.send({ ...chat, prompt: 'stop, do X', whenBusy: 'interrupt' });
    await cut.interrupted;
    if (moment !== moments[0]) {
      cut.stop();
      await one.event(first, 'turn-sent');
    }
    if (moment === moments[2]) {
      const turn = await agent.turn();
      turn.start();
      await one.event(first, 'turn-started');
      void turn.interrupted.then(() => turn.stop());
    }
    const last = await one.send({ ...chat, prompt: 'no, Y', whenBusy: 'interrupt' });
    if (moment === moments[0]) {
      cut.stop();
    }
    if (moment === moments[1]) {
      const turn = await agent.turn();
      turn.start();
      await turn.interrupted;
      turn.stop();
    }
    const turn = await agent.turn();
    expect(turn.prompt).toBe('no, Y');
    turn.answer();
    expect(await one.ended(last)).toMatchObject({ status: 'completed' });
    expect(await one.ended(first)).toMatchObject({ status: 'cancelled' });
    expect((await one.tape(first)).at(-1)).toMatchObject({
      type: 'final',
      data: { reason: moment === moments[0] ? 'replaced' : 'interrupted', by: { kind: 'task', name: last } },
    });
    expect(await one.ended(running)).toMatchObject({ status: 'cancelled', reason: 'interrupted' });
  });
});
