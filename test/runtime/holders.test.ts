/** Holders of external tasks through the library: claims, calls, leases on a clock that the test moves, and restarts. */
import { describe, expect, it } from 'vitest';
import { functionDriver } from '../../src/agents/function/driver.ts';
import { epoch, sessionKey, taskId } from '../../src/core/model/ids.ts';
import { Holders } from '../../src/runtime/session/holders.ts';
import { openMemoryStore } from '../../src/store/index.ts';
import { type Box, openBox } from '../support/box.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** An external task in the background, claimed and granted, with the epoch of its holder. */
async function held(box: Box, fields: Parameters<Box['send']>[0] = {}) {
  const task = await box.background({ mode: 'external', prompt: 'work', input: { rows: 3 }, ...fields });
  const claimed = await box.box.holders.claim(task, { holder: 'one', leaseMs: 10_000 });
  expect(claimed).toMatchObject({ kind: 'granted', prompt: 'work', input: { rows: 3 }, attempt: 1, call: null });
  return { task, epoch: claimed.kind === 'granted' ? claimed.epoch : 0 };
}

/** The answer to a call once it is there. */
async function answered(box: Box, task: string, epoch: number, call: number) {
  await box.event(task, 'turn-ended', ({ data }) => data.outcome !== 'preempted');
  // The tape may have it before the session has heard of its commit.
  await box.quiet();
  return box.box.holders.turn(task, { epoch, call, prompt: 'asked again' });
}

describe('the holder of an external task', () => {
  it('takes turns under one hold, reports, and ends the task with its result', async () => {
    await using box = await openBox();
    const { holders } = box.box;
    const { task, epoch } = await held(box);
    expect(await holders.turn(task, { epoch, call: 1, prompt: 'first' })).toMatchObject({ kind: 'waiting', call: 1 });
    const turn = await box.stage.turn();
    expect(turn.prompt).toBe('first');
    expect(await holders.turn(task, { epoch, call: 2, prompt: 'second' })).toMatchObject({ code: 'turn_in_progress' });
    expect(await holders.turn(task, { epoch, call: 1, prompt: 'other' })).toMatchObject({ kind: 'waiting' });
    turn.finish('one');
    expect(await answered(box, task, epoch, 1)).toEqual({
      kind: 'answered',
      call: 1,
      answer: { outcome: 'completed', text: 'one' },
    });
    expect(await holders.progress(task, { epoch, data: { half: true } })).toEqual({ kind: 'ok' });
    await holders.turn(task, { epoch, call: 2, prompt: 'second' });
    (await box.stage.turn()).finish('two');
    await box.event(task, 'turn-ended', ({ data }) => data.turn === 2);
    await box.quiet();
    expect(await holders.turn(task, { epoch, call: 2, prompt: 'second' })).toMatchObject({ answer: { text: 'two' } });
    expect(await holders.turn(task, { epoch, call: 1, prompt: 'first' })).toMatchObject({ code: 'call_out_of_order' });
    expect(await holders.finish(task, { epoch, status: 'completed', result: [1] })).toEqual({ kind: 'ok' });
    expect(await box.ended(task)).toMatchObject({
      status: 'completed',
      final: { result: [1], by: { kind: 'runner' } },
    });
    expect(box.stage.prompts).toEqual(['first', 'second']);
    // The answer to it was lost, and it is sent again.
    expect(await holders.finish(task, { epoch, status: 'completed', result: [1] })).toEqual({ kind: 'ok' });
    expect(await holders.finish(task, { epoch, status: 'failed' })).toMatchObject({ code: 'evicted' });
    expect(await holders.heartbeat(task, { epoch })).toMatchObject({ code: 'evicted' });
  });

  it('is preempted in its turn, and its call is answered later', async () => {
    await using box = await openBox();
    const { task, epoch } = await held(box);
    await box.box.holders.turn(task, { epoch, call: 1, prompt: 'long' });
    const first = await box.stage.turn();
    const urgent = await box.send({ prompt: 'urgent' });
    await first.interrupted;
    (await box.stage.turn()).finish();
    await box.ended(urgent);
    (await box.stage.turn()).finish('after all');
    expect(await answered(box, task, epoch, 1)).toMatchObject({ answer: { outcome: 'completed', text: 'after all' } });
  });

  it('gives the session back, works on without it, and takes no more turns', async () => {
    await using box = await openBox();
    const { holders } = box.box;
    const { task, epoch } = await held(box);
    const next = await box.background({ prompt: 'next' });
    expect(await holders.release(task, { epoch })).toEqual({ kind: 'ok' });
    expect(await holders.release(task, { epoch })).toEqual({ kind: 'ok' });
    (await box.stage.turn()).finish();
    await box.ended(next);
    expect(await holders.turn(task, { epoch, call: 1, prompt: 'x' })).toMatchObject({ code: 'hold_released' });
    expect(await holders.finish(task, { epoch, status: 'failed', reason: 'no_tests' })).toEqual({ kind: 'ok' });
    expect(await box.ended(task)).toMatchObject({ status: 'failed', reason: 'no_tests' });
  });

  it('gives the session back in its turn, and learns of that from the call that it asks again', async () => {
    const [begun, drained] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const agent = functionDriver(async function* () {
      begun.resolve();
      yield 'half';
      await drained.promise;
    });
    await using box = await openBox({ agent });
    const { holders } = box.box;
    const { task, epoch } = await held(box);
    const ask = () => holders.turn(task, { epoch, call: 1, prompt: 'go' });
    await ask();
    await begun.promise;
    expect(await holders.release(task, { epoch })).toEqual({ kind: 'ok' });
    expect(await ask()).toMatchObject({ kind: 'waiting' });
    drained.resolve();
    await box.event(task, 'preempted');
    await box.quiet();
    for (let asked = 0; asked < 2; asked += 1) {
      expect(await ask()).toMatchObject({ code: 'hold_released' });
    }
    expect(await holders.finish(task, { epoch, status: 'completed' })).toEqual({ kind: 'ok' });
  });

  it('ends its task in its turn, and may say so again while that drains and after the end', async () => {
    const [begun, drained] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const agent = functionDriver(async function* () {
      begun.resolve();
      yield 'half';
      await drained.promise;
    });
    const clock = new ManualClock();
    await using box = await openBox({ agent, clock, store: openMemoryStore() });
    const { holders } = box.box;
    const { task, epoch: lost } = await held(box);
    clock.advance(10_000);
    await box.event(task, 'preempted');
    const next = await holders.claim(task, { holder: 'two' });
    const epoch = next.kind === 'granted' ? next.epoch : 0;
    await holders.turn(task, { epoch, call: 1, prompt: 'go' });
    await begun.promise;
    const says = async () => [
      await holders.finish(task, { epoch, status: 'completed', result: 1 }),
      await holders.finish(task, { epoch, status: 'failed' }),
      await holders.finish(task, { epoch: lost, status: 'completed' }),
    ];
    expect(await holders.finish(task, { epoch, status: 'completed', result: 1 })).toEqual({ kind: 'ok' });
    const said = [{ kind: 'ok' }, { code: 'evicted' }, { code: 'evicted' }];
    expect(await says()).toMatchObject(said);
    expect(await box.types(task)).not.toContain('final');
    drained.resolve();
    expect(await box.ended(task)).toMatchObject({ status: 'completed', final: { result: 1 } });
    expect(await says()).toMatchObject(said);
  });

  it('is evicted by a cancel, and changes nothing after that', async () => {
    await using box = await openBox();
    const { holders } = box.box;
    const { task, epoch } = await held(box);
    await box.box.cancel(task);
    for (const answer of [
      await holders.turn(task, { epoch, call: 1, prompt: 'x' }),
      await holders.progress(task, { epoch, data: 1 }),
      await holders.release(task, { epoch }),
      await holders.finish(task, { epoch, status: 'completed' }),
    ]) {
      expect(answer).toMatchObject({ kind: 'refused', code: 'evicted' });
    }
    expect(await holders.claim(task, { holder: 'one' })).toMatchObject({ code: 'task_ended' });
    expect(await holders.claim('nothing', { holder: 'one' })).toMatchObject({ code: 'unknown_task' });
    expect(await box.types(task)).toEqual(['queued', 'claimed', 'granted', 'final']);
  });

  it('is named by the explanation of its task, with the end of its lease', async () => {
    const clock = new ManualClock();
    await using box = await openBox({ clock, store: openMemoryStore() });
    const waiting = await box.send({ mode: 'external', prompt: '' });
    expect(await box.box.explain(waiting)).toMatchObject({ summary: expect.stringContaining('waits for its holder') });
    await box.box.holders.claim(waiting, { holder: 'worker-1', leaseMs: 20_000 });
    const until = clock.wall() + 20_000;
    expect(await box.box.explain(waiting)).toMatchObject({
      summary: expect.stringContaining('worker-1'),
      waitsFor: expect.arrayContaining([expect.objectContaining({ deadline: 'lease', at: until })]),
    });
  });
});

describe('a lease', () => {
  it('lapses when the holder is silent, and the next holder learns that an earlier one was cut off', async () => {
    const clock = new ManualClock();
    await using box = await openBox({ clock, store: openMemoryStore() });
    const { holders } = box.box;
    const { task, epoch } = await held(box);
    await holders.turn(task, { epoch, call: 1, prompt: 'first' });
    const turn = await box.stage.turn();
    clock.advance(9_000);
    expect(await holders.heartbeat(task, { epoch })).toEqual({ kind: 'ok' });
    clock.advance(9_000);
    await holders.turn(task, { epoch, call: 1, prompt: 'first' });
    clock.advance(9_999);
    await box.quiet();
    expect(await box.types(task)).not.toContain('lease-lapsed');
    clock.advance(1);
    await turn.interrupted;
    await box.event(task, 'preempted');
    const next = await holders.claim(task, { holder: 'two' });
    expect(next).toMatchObject({ kind: 'granted', attempt: 2, interruptedMidTurn: true, call: null, leaseMs: 30_000 });
    for (const answer of [
      await holders.turn(task, { epoch, call: 1, prompt: 'first' }),
      await holders.heartbeat(task, { epoch }),
      await holders.finish(task, { epoch, status: 'completed' }),
    ]) {
      expect(answer).toMatchObject({ kind: 'refused', code: 'evicted' });
    }
    expect(await box.types(task)).toContain('lease-lapsed');
  });

  it('of a holder that ended before it learned of its grant costs nothing', async () => {
    const clock = new ManualClock();
    await using box = await openBox({ clock, store: openMemoryStore() });
    const { holders } = box.box;
    await box.send({ prompt: 'busy' });
    const busy = await box.stage.turn();
    const task = await box.send({ mode: 'external', onLost: 'fail' });
    expect(await holders.claim(task, { holder: 'one', leaseMs: 10_000 })).toMatchObject({ kind: 'waiting' });
    busy.finish();
    await box.event(task, 'granted');
    await box.quiet();
    clock.advance(10_000);
    await box.event(task, 'lease-lapsed');
    await box.quiet();
    expect(await box.types(task)).toEqual(['queued', 'claimed', 'granted', 'lease-lapsed', 'preempted']);
    const next = await holders.claim(task, { holder: 'two' });
    expect(next).toMatchObject({ kind: 'granted', attempt: 1, interruptedMidTurn: false });
  });

  it('of a claim that waits lapses too, and is renewed by each claim of the same name', async () => {
    const clock = new ManualClock();
    await using box = await openBox({ clock, store: openMemoryStore() });
    const { holders } = box.box;
    await box.send({ prompt: 'busy' });
    await box.stage.turn();
    const task = await box.background({ mode: 'external' });
    for (let asked = 0; asked < 3; asked += 1) {
      expect(await holders.claim(task, { holder: 'one', leaseMs: 10_000 })).toMatchObject({ kind: 'waiting' });
      clock.advance(9_000);
    }
    expect(await holders.claim(task, { holder: 'two' })).toMatchObject({ code: 'task_claimed' });
    clock.advance(1_000);
    await box.event(task, 'lease-lapsed');
    expect(await holders.claim(task, { holder: 'two' })).toMatchObject({ kind: 'waiting', leaseMs: 30_000 });
  });
});

describe('a restart of the daemon', () => {
  it('leaves a holder its epoch and its answer, which is read from the tape', async () => {
    const first = await openBox();
    const { task, epoch } = await held(first);
    await first.box.holders.turn(task, { epoch, call: 1, prompt: 'first' });
    const turn = await first.stage.turn();
    turn.say('half of ');
    turn.say('it');
    turn.finish('half of it');
    await first.event(task, 'turn-ended');
    await using again = await first.reopen();
    const { holders } = again.box;
    expect(await holders.heartbeat(task, { epoch })).toEqual({ kind: 'ok' });
    expect(await holders.turn(task, { epoch, call: 1, prompt: 'first' })).toEqual({
      kind: 'answered',
      call: 1,
      answer: { outcome: 'completed', text: 'half of it' },
    });
    expect(await holders.claim(task, { holder: 'one' })).toMatchObject({ kind: 'granted', epoch, call: 1, attempt: 1 });
    expect(again.stage.prompts).toEqual(['first']);
  });

  it('takes the turn of an open call again when its holder asks again, and burns no attempt', async () => {
    const first = await openBox();
    const { task, epoch } = await held(first, { maxAttempts: 1 });
    await first.box.holders.turn(task, { epoch, call: 1, prompt: 'first' });
    await first.stage.turn();
    await using again = await first.reopen();
    const { holders } = again.box;
    expect(await holders.turn(task, { epoch, call: 1, prompt: 'first' })).toMatchObject({ kind: 'waiting' });
    const turn = await again.stage.turn();
    expect(turn.prompt).toContain('may or may not have happened');
    turn.finish('done');
    await again.event(task, 'turn-ended', ({ data }) => data.outcome === 'completed');
    await again.quiet();
    expect(await holders.turn(task, { epoch, call: 1, prompt: 'first' })).toMatchObject({ answer: { text: 'done' } });
    await holders.finish(task, { epoch, status: 'completed' });
    expect(await again.ended(task)).toMatchObject({ status: 'completed', row: { attempts: 1 } });
  });
});

describe('a submit', () => {
  it('is refused if its mode does not fit its runner', async () => {
    await using box = await openBox({ runners: { r: async () => null } });
    const submit = (fields: object) => box.box.submit({ session: 's', prompt: 'p', ...fields });
    expect(await submit({ mode: 'code' })).toMatchObject({ code: 'mode_conflict' });
    expect(await submit({ mode: 'external', runner: 'r' })).toMatchObject({ code: 'mode_conflict' });
    expect(await submit({ mode: 'code', runner: 'r' })).toMatchObject({ kind: 'accepted' });
  });
});

describe('the calls that are kept', () => {
  const task = taskId('t');
  const [old, live] = [epoch(1), epoch(2)];
  const open = { session: sessionKey('s'), leaseMs: 1_000 };

  it('are not displaced by a call that the core has not taken, of a lost holder or of the live one', () => {
    const holders = new Holders();
    holders.offer(task, live, 1, 'first');
    holders.taken(task, live, 1, open);
    const takeBack = [holders.offer(task, old, 1, 'stale'), holders.offer(task, live, 2, 'too early')];
    expect(holders.textOf(task, live, 1)).toBe('first');
    holders.offer(task, live, 1, 'another text');
    expect(holders.textOf(task, live, 1)).toBe('first');
    for (const take of takeBack) {
      take();
    }
    expect([holders.textOf(task, old, 1), holders.textOf(task, live, 2)]).toEqual([null, null]);
    expect(holders.openCall(task, live, 1)).toEqual(open);
  });

  it('are forgotten with the next one that the core takes, and with the end of the run', () => {
    const holders = new Holders();
    holders.offer(task, live, 1, 'first');
    holders.settle({ type: 'settle', task, run: live, call: 1, outcome: 'completed', report: { text: 'one' } });
    // The answer came before the core's word that it took the call.
    holders.taken(task, live, 1, open);
    expect(holders.openCall(task, live, 1)).toBeNull();
    expect(holders.answerOf(task, live, 1)).toEqual({ outcome: 'completed', text: 'one' });
    holders.offer(task, live, 2, 'second');
    expect(holders.answerOf(task, live, 1)).not.toBeNull();
    holders.taken(task, live, 2, open);
    expect(holders.answerOf(task, live, 1)).toBeNull();
    holders.forget(task, old);
    expect(holders.textOf(task, live, 2)).toBe('second');
    holders.forget(task, live);
    expect(holders.textOf(task, live, 2)).toBeNull();
  });
});
