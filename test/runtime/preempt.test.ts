import { describe, expect, it } from 'vitest';
import { expectSound, openBox } from '../support/box.ts';

describe('preemption through the runtime', () => {
  it('C02 three interactive tasks run in their order, and then the background task', async () => {
    await using one = await openBox();
    const back = await one.background({ prompt: 'back' });
    await one.stage.turn();
    const tasks = [];
    for (const prompt of ['A', 'B', 'C']) {
      tasks.push(await one.send({ prompt }));
    }
    for (const prompt of ['A', 'B', 'C']) {
      const turn = await one.stage.turn();
      expect(turn.prompt).toBe(prompt);
      turn.finish(prompt);
    }
    const resumed = await one.stage.turn();
    expect(resumed.prompt).toContain('Your turn on this task was interrupted');
    expect(resumed.prompt).toContain('back');
    resumed.finish();
    for (const task of [...tasks, back]) {
      expectSound(await one.ended(task), await one.tape(task));
    }
    expect(await one.types(back)).toEqual([
      'queued',
      'granted',
      'turn-sent',
      'turn-started',
      'interrupt-requested',
      'interrupt-acked',
      'turn-ended',
      'preempted',
      'resumed',
      'turn-sent',
      'turn-started',
      'output',
      'turn-ended',
      'final',
    ]);
  });

  it('C04 the first prompt of the task that interrupted is not stopped by its own interrupt', async () => {
    await using one = await openBox();
    await one.background();
    await one.stage.turn();
    const urgent = await one.send({ prompt: 'urgent' });
    const turn = await one.stage.turn();
    expect(turn.context.signal.aborted).toBe(false);
    turn.finish('answer');
    expect(await one.ended(urgent)).toMatchObject({ status: 'completed', final: { answer: { text: 'answer' } } });
    (await one.stage.turn()).finish();
  });

  it('C13 a preempted turn with an empty result is preempted, and its task does not end', async () => {
    await using one = await openBox();
    const back = await one.background();
    await one.stage.turn();
    await one.send({ prompt: 'urgent' });
    const ended = await one.event(back, 'turn-ended');
    expect(ended.data).toMatchObject({ outcome: 'preempted' });
    expect(await one.box.task(back)).toMatchObject({ status: 'running', endedAt: null });
    (await one.stage.turn()).finish();
    (await one.stage.turn()).finish();
    expect(await one.ended(back)).toMatchObject({ status: 'completed' });
  });

  it('C15 preemptions in a row cost no attempt, and the turn after the limit is protected', async () => {
    await using one = await openBox({ limits: { maxPassedOver: 5 } });
    const back = await one.background({ maxAttempts: 1 });
    for (let at = 0; at < 5; at += 1) {
      await one.stage.turn();
      await one.send({ prompt: `urgent ${at}` });
      (await one.stage.turn()).finish();
    }
    const protectedTurn = await one.stage.turn();
    await one.send({ prompt: 'urgent 5' });
    expect(protectedTurn.context.signal.aborted).toBe(false);
    protectedTurn.finish('made it');
    expect(await one.ended(back)).toMatchObject({ status: 'completed', row: { attempts: 1 } });
    (await one.stage.turn()).finish();
  });

  it('two callers that overlap pass a background task over three times, and then it has a protected turn', async () => {
    await using one = await openBox({ limits: { maxPassedOver: 3 } });
    const first = await one.send({ prompt: 'urgent 0' });
    const back = await one.background({ prompt: 'patient' });
    let running = await one.stage.turn();
    const prompts: string[] = [];
    for (let at = 1; at <= 4; at += 1) {
      await one.send({ prompt: `urgent ${at}` });
      await one.send({ prompt: `urgent ${at} again` });
      running.finish();
      running = await one.stage.turn();
      prompts.push(running.prompt);
      if (at === 3) {
        expect(await one.box.explain(back)).toMatchObject({
          aheadCount: 0,
          summary: expect.stringContaining('next') as string,
        });
      } else if (at < 3) {
        expect((await one.box.explain(back))?.waitsFor.map(({ deadline }) => deadline)).toContain('wait');
      }
    }
    expect(prompts.slice(0, 3).every((prompt) => prompt.startsWith('urgent'))).toBe(true);
    expect(prompts[3]).toBe('patient');
    expect(running.context.signal.aborted).toBe(false);
    running.finish('made it');
    expect(await one.ended(back)).toMatchObject({ status: 'completed' });
    expect((await one.event(back, 'granted')).data).toMatchObject({ passedOver: 3 });
    expect(await one.ended(first)).toMatchObject({ status: 'completed' });
  });

  it('C16 system work in the background lane preempts no task, whatever it asks for', async () => {
    await using one = await openBox();
    await one.background();
    const turn = await one.stage.turn();
    for (let at = 0; at < 6; at += 1) {
      await one.background({ whenBusy: 'preempt', priority: 100, prompt: `planner ${at}` });
    }
    expect(turn.context.signal.aborted).toBe(false);
    turn.finish();
    for (let at = 0; at < 6; at += 1) {
      (await one.stage.turn()).finish();
    }
  });

  it('C23 a waiter that is cancelled withdraws only its own demand', async () => {
    await using one = await openBox();
    await one.send({ prompt: 'owner' });
    const owner = await one.stage.turn();
    const first = await one.send({ prompt: 'first' });
    const second = await one.send({ prompt: 'second' });
    expect(await one.box.cancel(first)).toMatchObject({ kind: 'receipt', receipt: { state: 'acknowledged' } });
    owner.finish();
    const next = await one.stage.turn();
    expect(next.prompt).toBe('second');
    next.finish();
    expect(await one.ended(second)).toMatchObject({ status: 'completed' });
    expect(await one.types(first)).toEqual(['queued', 'final']);
  });
});
