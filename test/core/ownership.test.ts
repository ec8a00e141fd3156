/** Who owns the session, who is next, and who may interrupt. */
import { describe, expect, test } from 'vitest';
import { Box, inBackground } from '../support/core-driver.ts';

describe('grants', () => {
  test('C02 two interactive tasks that wait are both granted before the background task (core/3, core/4)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.background('bg');
    box.submit('B');
    box.submit('C');
    const order = ['A'];
    for (let round = 0; round < 3; round += 1) {
      box.result('completed');
      order.push(String(box.owner));
      box.started();
    }
    expect(order).toEqual(['A', 'B', 'C', 'bg']);
  });

  test('C03 a release grants the session to the interactive task before the background task (core/1, core/2, core/5)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.background('bg');
    box.submit('B');
    const epoch = box.epoch;
    box.result('completed');
    expect(box.final('A')).toBe('completed completed');
    expect(box.owner).toBe('B');
    expect(box.epoch).toBe(epoch + 1);
    expect(box.acts).toEqual(['prompt']);
  });

  test('C29 a preempted task goes before other background tasks and after interactive ones (core/3)', () => {
    const box = inBackground();
    box.background('other', { priority: 9 });
    box.submit('A');
    box.submit('B');
    box.drains();
    expect(box.queue).toEqual(['B', 'bg', 'other']);
    box.answers();
    box.answers();
    expect(box.owner).toBe('bg');
    expect(box.tape('bg')).toContain('resumed');
    expect(box.sent('prompt')[0]).toMatchObject({ task: 'bg', resumed: true, interruptedMidTurn: false, attempt: 1 });
  });

  test('background tasks are granted by priority, then by age (core/3)', () => {
    const box = inBackground();
    box.background('low', { priority: 1 });
    box.background('high', { priority: 2 });
    box.background('younger', { priority: 2 });
    expect(box.queue).toEqual(['high', 'younger', 'low']);
  });

  test('C20 one step grants the session and registers its owner, so no eviction falls between the two (core/1, core/15)', () => {
    // The grant is the registration: there is one step, and no state between the two to evict from.
    const box = new Box();
    box.submit('A');
    expect(box.owner).toBe('A');
    expect(box.evict(box.epoch)).toEqual({ kind: 'ok' });
    expect(box.final('A')).toBe('failed evicted');
    expect(box.owner).toBeNull();
    expect(box.evict(box.epoch)).toEqual({ kind: 'stale', what: 'epoch' });
  });
});

describe('demand', () => {
  test('C23 a waiter that leaves the queue removes only its own demand (core/4)', () => {
    const box = new Box();
    box.submit('owner');
    box.runs();
    box.submit('A');
    box.submit('B');
    box.cancel('A');
    expect(box.final('A')).toBe('cancelled cancelled');
    expect(box.queue).toEqual(['B']);
    box.result('completed');
    expect(box.owner).toBe('B');
  });

  test('C24 a task whose demand was cleared cannot clear the demand of another task (core/4, core/24)', () => {
    const box = inBackground();
    box.submit('A');
    box.submit('B');
    box.stop('queue');
    box.submit('C');
    expect(box.cancel('A')).toEqual({ kind: 'refused', code: 'unknown_task' });
    expect(box.cancel('B')).toEqual({ kind: 'refused', code: 'unknown_task' });
    expect(box.queue).toEqual(['C']);
    box.drains();
    expect(box.owner).toBe('C');
  });

  test('the task of an interrupted turn resumes when the only demand is withdrawn while the turn drains (core/4, core/9)', () => {
    const box = inBackground();
    box.submit('A');
    box.cancel('A');
    box.drains();
    expect(box.owner).toBe('bg');
    expect(box.outcomes('bg')).toEqual(['preempted']);
    expect(box.sent('prompt')[0]).toMatchObject({ task: 'bg', resumed: true });
  });

  test('C16 a background task interrupts no turn, whatever its policy says (core/6)', () => {
    const box = inBackground();
    for (const whenBusy of ['preempt', 'interrupt', 'rollback', 'collect', 'replace', 'steer'] as const) {
      box.background(`planner-${whenBusy}`, { whenBusy, mergeGroup: null });
      expect(box.state).toBe('running');
      expect(box.acts).toEqual([]);
    }
    expect(box.owner).toBe('bg');
  });

  test('C16 a background task does not interrupt an interactive owner of its merge group (core/6)', () => {
    const box = new Box();
    box.submit('person', { mergeGroup: 'p' });
    box.runs();
    box.background('planner', { mergeGroup: 'p', whenBusy: 'interrupt' });
    box.background('planner2', { mergeGroup: 'p', whenBusy: 'rollback' });
    expect(box.acts).toEqual([]);
    box.result('completed');
    expect(box.final('person')).toBe('completed completed');
  });

  test('an interactive task does not interrupt an interactive owner (core/6)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.submit('B');
    expect(box.acts).toEqual([]);
    expect(box.state).toBe('running');
  });
});

describe('turn admission', () => {
  test('C28 a background task gives way between two turns when an interactive task waits (core/8)', () => {
    const box = new Box();
    box.background('bg', { mode: 'code' });
    box.call('bg', 1, 1);
    box.runs();
    box.submit('A', { whenBusy: 'enqueue' });
    box.result('completed');
    expect(box.all('settle')).toHaveLength(1);
    expect(box.owner).toBe('A');
    box.call('bg', 1, 2);
    expect(box.owner).toBe('A');
    box.answers();
    expect(box.owner).toBe('bg');
    expect(box.sent('prompt')[0]).toMatchObject({ task: 'bg', call: 2 });
  });

  test('an interactive task goes before a background turn that waits for its agent to start (core/8)', () => {
    const box = new Box();
    box.background('bg');
    box.submit('A');
    expect(box.owner).toBe('A');
    box.ready();
    expect(box.sent('prompt')).toMatchObject([{ task: 'A', turn: 2 }]);
    expect(box.all('prompt')).toHaveLength(1);
  });

  test('C17 a background task does not run between the three turns of an interactive hold (core/14, core/8)', () => {
    const box = new Box();
    box.submit('owner', { mode: 'code' });
    box.background('spinner');
    for (let call = 1; call <= 3; call += 1) {
      box.call('owner', 1, call);
      box.runs();
      box.result('completed');
      expect(box.owner).toBe('owner');
      expect(box.sent('settle')).toMatchObject([{ call, outcome: 'completed' }]);
    }
    expect(box.epoch).toBe(1);
    box.finish('owner', 1);
    expect(box.owner).toBe('spinner');
  });

  test('a runner that gives the session back between two turns works on, and is not granted again (core/14)', () => {
    const box = new Box();
    box.submit('A', { mode: 'code' });
    box.submit('B');
    box.background('bg');
    expect(box.release('A', 1)).toEqual({ kind: 'ok' });
    expect(box.owner).toBe('B');
    expect(box.tape('A')).toContain('preempted');
    expect(box.release('A', 1)).toEqual({ kind: 'stale', what: 'unexpected' });
    expect(box.call('A', 1, 1)).toEqual({ kind: 'stale', what: 'unexpected' });
    expect(box.progress('A', 1)).toEqual({ kind: 'ok' });
    box.answers();
    expect(box.owner).toBe('bg');
    box.finish('A', 1);
    expect(box.final('A')).toBe('completed runner_completed');
    expect(box.owner).toBe('bg');
  });

  test('a runner that gives the session back in a turn has the turn interrupted, and the next task follows (core/14, core/6)', () => {
    for (const outcome of ['interrupted', 'completed'] as const) {
      const box = new Box();
      box.submit('A', { mode: 'code' });
      box.call('A', 1, 1);
      box.runs();
      box.submit('B');
      expect(box.release('A', 1)).toEqual({ kind: 'ok' });
      expect(box.acts).toEqual(['interrupt']);
      expect(box.owner).toBe('A');
      box.ack();
      box.result(outcome);
      expect(box.owner).toBe('B');
      box.answers();
      expect(box.owner).toBe(null);
      box.finish('A', 1);
      expect(box.final('A')).toBe('completed runner_completed');
    }
  });

  test('a stop of the queue ends a task whose runner works without the session, and a restart starts another runner (core/14, core/25)', () => {
    const stopped = new Box();
    stopped.submit('A', { mode: 'code' });
    stopped.release('A', 1);
    stopped.do({ type: 'stop', scope: 'queue', by: null });
    expect(stopped.final('A')).toBe('cancelled stopped');
    const box = new Box();
    box.submit('A', { mode: 'code' });
    box.release('A', 1);
    box.crash();
    expect([box.owner, box.epoch]).toEqual(['A', 2]);
    expect(box.finish('A', 1)).toEqual({ kind: 'stale', what: 'epoch' });
  });

  test('C25 a runner that throws before its first turn releases the session (core/5, core/14)', () => {
    const box = new Box();
    box.submit('A', { mode: 'code' });
    box.submit('B');
    box.finish('A', 1, 'failed');
    expect(box.final('A')).toBe('failed runner_failed');
    expect(box.owner).toBe('B');
  });

  test('C25 a runner that throws during its turn has the turn interrupted, then releases the session (core/5, core/17)', () => {
    const box = new Box();
    box.submit('A', { mode: 'code' });
    box.call('A', 1, 1);
    box.runs();
    box.submit('B');
    box.finish('A', 1, 'failed');
    expect(box.acts).toEqual(['interrupt']);
    box.drains();
    expect(box.final('A')).toBe('failed runner_failed');
    expect(box.all('abort')).toEqual([]);
    expect(box.owner).toBe('B');
  });
});

describe('preemption', () => {
  test('C01 the step that admits an interactive task also interrupts the background turn (core/7)', () => {
    const box = inBackground();
    box.submit('A');
    expect(box.records[0]?.type).toBe('admit');
    expect(box.effects[0]).toMatchObject({ type: 'interrupt', turn: 1 });
    expect(box.reply).toMatchObject({ kind: 'admitted', stage: 'waiting' });
  });

  test('C04 an interrupt does not touch the first turn of the task that asked for it (core/9)', () => {
    const box = inBackground();
    box.submit('A');
    box.drains();
    expect(box.sent('prompt')).toMatchObject([{ task: 'A', turn: 2 }]);
    expect(box.session.hold?.turn).toMatchObject({ interrupt: null });
    box.started();
    expect(box.acts).toEqual([]);
    expect(box.ack({ turn: 1 })).toEqual({ kind: 'stale', what: 'turn' });
    box.result('completed');
    expect(box.outcomes('A')).toEqual(['completed']);
  });

  test('C15 five preemptions in a row cost no attempt, and then the turn is protected (core/13, core/18)', () => {
    const box = inBackground({ maxAttempts: 1 });
    for (let round = 0; round < 5; round += 1) {
      box.submit(`A${round}`);
      box.drains();
      box.answers();
      expect(box.owner).toBe('bg');
      box.started();
    }
    expect(box.task('bg')).toMatchObject({ attempts: 1 });
    expect(box.session.passedOver).toMatchObject({ task: 'bg', times: 5 });
    expect(box.session.hold?.turn?.protected).toBe(true);
    box.submit('late');
    expect(box.acts).toEqual([]);
    box.result('completed');
    expect(box.final('bg')).toBe('completed completed');
    expect(box.owner).toBe('late');
  });

  test('a protected turn is interrupted for a waiting task when its window ends (core/18, core/6)', () => {
    const box = inBackground({}, { maxPassedOver: 0 });
    box.submit('A');
    expect(box.acts).toEqual([]);
    box.passes('protected');
    expect(box.acts).toEqual(['interrupt']);
    box.drains();
    expect(box.session.passedOver).toMatchObject({ task: 'bg', times: 0 });
    expect(box.owner).toBe('A');
  });

  test('a protected turn that is not sent yet goes before an interactive task (core/18, core/8)', () => {
    const box = new Box({ maxPassedOver: 0 });
    box.background('bg');
    box.submit('A');
    expect(box.owner).toBe('bg');
    box.ready();
    expect(box.sent('prompt')).toMatchObject([{ task: 'bg' }]);
  });

  test('C14 a task that runs or was preempted still exists, so a second submit of it is refused (core/12, core/23)', () => {
    const box = inBackground();
    box.submit('A');
    box.drains();
    expect(box.task('bg')).toMatchObject({ status: 'running', stage: 'waiting' });
    expect(box.final('bg')).toBeNull();
    expect(box.background('bg')).toEqual({ kind: 'refused', code: 'duplicate_task' });
  });

  test('C13 an empty result of an interrupted turn is not an answer, and the turn is preempted (core/12)', () => {
    for (const acks of [true, false]) {
      const box = new Box();
      box.background('bg');
      box.ready({ caps: { acks, steer: false, rewind: false, models: false, keepsPrompts: false } });
      box.started();
      box.submit('A');
      box.result('completed', { empty: true });
      if (acks) {
        box.ack({ turn: 1 });
      }
      expect(box.outcomes('bg')).toEqual(['preempted']);
      expect(box.final('bg')).toBeNull();
      expect(box.task('bg').attempts).toBe(1);
    }
  });

  test('C13 a whole answer that crosses the cancel completes the task (core/12, core/17)', () => {
    const box = inBackground();
    expect(box.cancel('bg')).toMatchObject({ receipt: { state: 'requested', status: 'running', turn: 1 } });
    box.result('completed');
    box.ack();
    expect(box.final('bg')).toBe('completed completed');
  });

  test('an agent that reports an interrupt without a request fails its task (core/12)', () => {
    const box = inBackground();
    box.result('interrupted');
    expect(box.outcomes('bg')).toEqual(['failed']);
    expect(box.final('bg')).toBe('failed agent_failed');
  });
});
