/** Who owns the session, who is next, and who may interrupt. */
import { describe, expect, test } from 'vitest';
import { Box, inBackground } from '../support/core-driver.ts';

describe('grants', () => {
  test('C02 what if two urgent tasks queue behind a third, and a flag stood for both? (core/3, core/4)', () => {
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

  test('C03 what if the holder releases while an urgent and a background task wait? (core/1, core/2, core/5)', () => {
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

  test('C29 what if a preempted task comes back to a queue with newer and higher work? (core/3)', () => {
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

  test('background tasks go by priority, then by age (core/3)', () => {
    const box = inBackground();
    box.background('low', { priority: 1 });
    box.background('high', { priority: 2 });
    box.background('younger', { priority: 2 });
    expect(box.queue).toEqual(['high', 'younger', 'low']);
  });

  test('C20 what if an eviction falls between a grant and the registration of its owner? (core/1, core/15)', () => {
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
  test('C23 what if a waiter goes away while it queues? (core/4)', () => {
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

  test('C24 what if demand is cleared and the cleared one then leaves once more? (core/4, core/24)', () => {
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

  test('what if the only demand is withdrawn while the turn it interrupted drains? (core/4, core/9)', () => {
    const box = inBackground();
    box.submit('A');
    box.cancel('A');
    box.drains();
    expect(box.owner).toBe('bg');
    expect(box.outcomes('bg')).toEqual(['preempted']);
    expect(box.sent('prompt')[0]).toMatchObject({ task: 'bg', resumed: true });
  });

  test('C16 what if planners that call themselves urgent come six times in a row? (core/6)', () => {
    const box = inBackground();
    for (const whenBusy of ['preempt', 'interrupt', 'rollback', 'collect', 'replace', 'steer'] as const) {
      box.background(`planner-${whenBusy}`, { whenBusy, mergeGroup: null });
      expect(box.state).toBe('running');
      expect(box.acts).toEqual([]);
    }
    expect(box.owner).toBe('bg');
  });

  test('C16 what if system work shares its merge group with the interactive owner? (core/6)', () => {
    const box = new Box();
    box.submit('person', { mergeGroup: 'p' });
    box.runs();
    box.background('planner', { mergeGroup: 'p', whenBusy: 'interrupt' });
    box.background('planner2', { mergeGroup: 'p', whenBusy: 'rollback' });
    expect(box.acts).toEqual([]);
    box.result('completed');
    expect(box.final('person')).toBe('completed completed');
  });

  test('what if interactive work meets interactive work? (core/6)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.submit('B');
    expect(box.acts).toEqual([]);
    expect(box.state).toBe('running');
  });
});

describe('turn admission', () => {
  test('C28 what if the background task looks for demand only at its start? (core/8)', () => {
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

  test('what if an urgent task comes while the background turn waits for its agent to start? (core/8)', () => {
    const box = new Box();
    box.background('bg');
    box.submit('A');
    expect(box.owner).toBe('A');
    box.ready();
    expect(box.sent('prompt')).toMatchObject([{ task: 'A', turn: 2 }]);
    expect(box.all('prompt')).toHaveLength(1);
  });

  test('C17 what if a background task spins to get in while the owner takes three turns? (core/14, core/8)', () => {
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

  test('C25 what if the runner throws between taking the hold and its first turn? (core/5, core/14)', () => {
    const box = new Box();
    box.submit('A', { mode: 'code' });
    box.submit('B');
    box.finish('A', 1, 'failed');
    expect(box.final('A')).toBe('failed runner_failed');
    expect(box.owner).toBe('B');
  });

  test('C25 what if the runner throws while its turn is on the wire? (core/5, core/17)', () => {
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
  test('C01 what if the pass that should interrupt is delayed by the scheduler? (core/7)', () => {
    const box = inBackground();
    box.submit('A');
    expect(box.records[0]?.type).toBe('admit');
    expect(box.effects[0]).toMatchObject({ type: 'interrupt', turn: 1 });
    expect(box.reply).toMatchObject({ kind: 'admitted', stage: 'waiting' });
  });

  test('C04 what if the first prompt of the interrupter starts right after the grant? (core/9)', () => {
    const box = inBackground();
    box.submit('A');
    box.drains();
    expect(box.sent('prompt')).toMatchObject([{ task: 'A', turn: 2 }]);
    expect(box.session.hold?.turn).toMatchObject({ intent: null, acked: false, interruptResent: false });
    box.started();
    expect(box.acts).toEqual([]);
    expect(box.ack({ turn: 1 })).toEqual({ kind: 'stale', what: 'turn' });
    box.result('completed');
    expect(box.outcomes('A')).toEqual(['completed']);
  });

  test('C15 what if there are five preemptions in a row? (core/13, core/18)', () => {
    const box = inBackground({ maxAttempts: 1 });
    for (let round = 0; round < 5; round += 1) {
      box.submit(`A${round}`);
      box.drains();
      box.answers();
      expect(box.owner).toBe('bg');
      box.started();
    }
    expect(box.task('bg')).toMatchObject({ attempts: 1, streak: 5 });
    expect(box.session.hold?.turn?.protected).toBe(true);
    box.submit('late');
    expect(box.acts).toEqual([]);
    box.result('completed');
    expect(box.final('bg')).toBe('completed completed');
    expect(box.owner).toBe('late');
  });

  test('what if the window of a protected turn ends while somebody waits? (core/18, core/6)', () => {
    const box = inBackground({}, { maxPreemptions: 0 });
    box.submit('A');
    expect(box.acts).toEqual([]);
    box.passes('protected');
    expect(box.acts).toEqual(['interrupt']);
    box.drains();
    expect(box.task('bg').streak).toBe(0);
    expect(box.owner).toBe('A');
  });

  test('what if a protected turn has yet to be sent when an urgent task comes? (core/18, core/8)', () => {
    const box = new Box({ maxPreemptions: 0 });
    box.background('bg');
    box.submit('A');
    expect(box.owner).toBe('bg');
    box.ready();
    expect(box.sent('prompt')).toMatchObject([{ task: 'bg' }]);
  });

  test('C14 what if a retry asks "is it still pending?" of a task that runs or was preempted? (core/12, core/23)', () => {
    const box = inBackground();
    box.submit('A');
    box.drains();
    expect(box.task('bg')).toMatchObject({ status: 'running', stage: 'waiting' });
    expect(box.final('bg')).toBeNull();
    expect(box.background('bg')).toEqual({ kind: 'refused', code: 'duplicate_task' });
  });

  test('C13 what if a cancelled turn returns an empty result? (core/12)', () => {
    for (const acks of [true, false]) {
      const box = new Box();
      box.background('bg');
      box.ready({ caps: { acks, steer: false, rewind: false, models: false } });
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

  test('C13 what if the answer crosses the cancel, whole? (core/12, core/17)', () => {
    const box = inBackground();
    expect(box.cancel('bg')).toMatchObject({ receipt: { state: 'requested', status: 'running', turn: 1 } });
    box.result('completed');
    box.ack();
    expect(box.final('bg')).toBe('completed completed');
  });

  test('what if an agent says "interrupted" that nobody interrupted? (core/12)', () => {
    const box = inBackground();
    box.result('interrupted');
    expect(box.outcomes('bg')).toEqual(['failed']);
    expect(box.final('bg')).toBe('failed agent_failed');
  });
});
