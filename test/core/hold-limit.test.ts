/** What the hold limit does: a background owner gives way and loses nothing, an interactive one ends (rule 18). */
import { describe, expect, test } from 'vitest';
import { Box, inBackground } from '../support/core-driver.ts';

const holds = (box: Box): readonly string[] => [...box.armed].filter((timer) => timer.startsWith('hold'));

describe('a background owner at the hold limit', () => {
  test('gives way to a task that waits politely, and continues after it (core/13, core/20)', () => {
    const box = inBackground({ maxAttempts: 1, onLost: 'fail' });
    box.submit('A', { whenBusy: 'enqueue' });
    expect(box.acts).toEqual([]);
    box.passes('hold');
    expect(box.acts).toEqual(['interrupt']);
    expect(box.events('bg', 'interrupt-requested')).toEqual([
      { turn: 1, why: 'hold', by: { kind: 'deadline', name: 'hold' }, sent: true },
    ]);
    box.drains();
    expect(box.owner).toBe('A');
    expect(box.outcomes('bg')).toEqual(['preempted']);
    expect(box.task('bg')).toMatchObject({ stage: 'waiting', status: 'running', attempts: 1, verdict: null });
    box.answers();
    expect(box.owner).toBe('bg');
    expect(box.all('prompt').at(-1)).toMatchObject({ task: 'bg', attempt: 1, resumed: true });
    box.answers();
    expect(box.final('bg')).toBe('completed completed');
  });

  test('gives way to the oldest background task, whose turn is protected, and then the other way round (core/18, core/20)', () => {
    const box = inBackground();
    box.background('next');
    box.background('urgent', { priority: 5 });
    box.passes('hold');
    box.drains();
    expect(box.owner).toBe('next');
    expect(box.session.hold?.turn).toMatchObject({ protected: true });
    box.started();
    expect(holds(box)).toEqual([]);
    box.passes('protected');
    expect(holds(box)).toEqual(['hold:2']);
    box.passes('hold');
    box.drains();
    expect(box.owner).toBe('bg');
    expect(box.task('next').verdict).toBeNull();
  });

  test('gives way to an interactive task first, and the oldest background task is counted (core/18, core/20)', () => {
    const box = inBackground({}, { maxPassedOver: 3 });
    box.background('next');
    box.submit('A', { whenBusy: 'enqueue' });
    box.passes('hold');
    box.drains();
    expect(box.owner).toBe('A');
    expect(box.session.passedOver).toMatchObject({ task: 'next', times: 1 });
  });

  test('gives way before its turn is sent, and loses no attempt (core/13, core/20)', () => {
    const box = new Box();
    box.background('bg', { maxAttempts: 1 });
    box.background('next');
    box.passes('hold');
    expect(box.owner).toBe('next');
    expect(box.task('bg')).toMatchObject({ stage: 'waiting', attempts: 1 });
    expect(box.events('bg', 'deadline-reached')).toMatchObject([{ name: 'hold', epoch: 1 }]);
    box.ready();
    box.started();
    expect(box.all('prompt')).toHaveLength(1);
    box.result('completed');
    expect(box.owner).toBe('bg');
  });

  test('gives way between two turns of its runner, which lives on and is waited for only when it asks (core/14, core/20)', () => {
    const box = new Box();
    box.background('code', { mode: 'code' });
    box.background('next');
    expect(holds(box)).toEqual(['hold:1']);
    box.passes('hold');
    expect(box.owner).toBe('next');
    expect(box.all('abort')).toEqual([]);
    box.runs();
    box.passes('protected');
    expect(holds(box)).toEqual([]);
    box.call('code', 1, 1);
    expect(holds(box)).toEqual(['hold:2']);
    box.result('completed');
    expect(box.owner).toBe('code');
  });

  test('takes its turn again if the task that waited leaves while the turn ends (core/20)', () => {
    const box = inBackground();
    box.background('next');
    box.passes('hold');
    box.cancel('next');
    box.drains();
    expect(box.owner).toBe('bg');
    expect(box.all('prompt')).toHaveLength(2);
  });

  test('burns no retry when its interrupted turn fails for a transient reason (core/37)', () => {
    const box = inBackground();
    box.background('next');
    box.passes('hold');
    box.ack();
    box.fails('overloaded', true);
    expect(box.outcomes('bg')).toEqual(['preempted']);
    expect(box.task('bg').retries).toBe(0);
  });

  test('is left alone while its turn is preempted, protected, or to end (core/20)', () => {
    const box = inBackground();
    box.submit('polite', { whenBusy: 'enqueue' });
    expect(holds(box)).toEqual(['hold:1']);
    box.cancel('bg');
    expect(holds(box)).toEqual([]);
    expect(box.late('hold', 1)).toMatchObject({ kind: 'stale', what: 'timer' });
    box.drains();
    expect(box.final('bg')).toBe('cancelled cancelled');
  });
});

describe('an interactive owner at the hold limit', () => {
  test('is left alone in its turn by those who are patient, and ends for one who is not (core/20)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.background('bg');
    box.submit('polite', { whenBusy: 'enqueue' });
    expect(holds(box)).toEqual([]);
    box.submit('urgent');
    expect(holds(box)).toEqual(['hold:1']);
    box.cancel('urgent');
    expect(holds(box)).toEqual([]);
    box.result('completed');
    expect(box.final('A')).toBe('completed completed');
  });

  test('ends, and the receipt of a later cancel or stop names that verdict (core/17, core/20)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.submit('next');
    box.passes('hold');
    expect(box.acts).toEqual(['interrupt']);
    const receipt = {
      task: 'A',
      state: 'requested',
      status: 'running',
      verdict: 'failed',
      reason: 'hold_limit',
      turn: 1,
    };
    expect(box.cancel('A')).toEqual({ kind: 'receipt', receipt });
    expect(box.stop('turn')).toEqual({ kind: 'receipts', receipts: [receipt] });
    box.drains();
    expect(box.final('A')).toBe('failed hold_limit');
  });

  test('ends, and a stop after that names those steered messages that it ends at once (core/17, core/30)', () => {
    const box = new Box();
    box.submit('A', { mergeGroup: 'g' });
    box.runs();
    box.submit('more', { mergeGroup: 'g', whenBusy: 'steer' });
    box.steered('more', true);
    box.submit('next');
    box.passes('hold');
    expect(box.stop('turn')).toMatchObject({
      receipts: [
        { task: 'more', state: 'acknowledged', status: 'cancelled', verdict: 'cancelled', reason: 'stopped', turn: 1 },
        { task: 'A', state: 'requested', verdict: 'failed', reason: 'hold_limit' },
      ],
    });
  });

  test('ends, and a stop of its turn ends also a steered message that the agent has not taken (core/17, core/30)', () => {
    const box = new Box();
    box.submit('A', { mergeGroup: 'g' });
    box.runs();
    box.submit('more', { mergeGroup: 'g', whenBusy: 'steer' });
    box.submit('next');
    box.passes('hold');
    box.stop('turn');
    expect(box.final('more')).toBe('cancelled stopped');
    box.drains();
    expect(box.final('A')).toBe('failed hold_limit');
  });
});
