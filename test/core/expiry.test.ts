/** A task has a time of its own: what cannot run by then ends, and says what it waited for. */
import { describe, expect, test } from 'vitest';
import { Box, inBackground } from '../support/core-driver.ts';

const expiresAt = 99;

describe('a task whose time is up', () => {
  test('ends while it waits for another owner, the operator or a throttle, and says for which (core/40)', () => {
    const box = inBackground();
    box.background('A', { expiresAt });
    box.passes('expiry');
    expect(box.final('A')).toBe('failed expired');
    expect(box.events('A', 'expired')).toEqual([{ waitsFor: 'session' }]);
    box.throttle('background');
    box.background('B', { expiresAt });
    box.passes('expiry');
    expect(box.events('B', 'expired')).toEqual([{ waitsFor: 'rate_limit' }]);
    box.park();
    box.submit('C', { expiresAt });
    box.passes('expiry');
    expect(box.events('C', 'expired')).toEqual([{ waitsFor: 'parked' }]);
    expect(box.final('C')).toBe('failed expired');
    expect(box.owner).toBe('bg');
  });

  test('ends while it owns the session and waits for the agent, and the next one is granted (core/40, core/5)', () => {
    const box = new Box();
    box.submit('A', { expiresAt });
    box.submit('B');
    box.passes('expiry');
    expect(box.events('A', 'expired')).toEqual([{ waitsFor: 'agent' }]);
    expect(box.final('A')).toBe('failed expired');
    expect(box.owner).toBe('B');
    box.answers();
    expect(box.final('B')).toBe('completed completed');
  });

  test('is left alone in its turn, and completes (core/40)', () => {
    const box = new Box();
    box.submit('A', { expiresAt });
    box.runs();
    box.passes('expiry');
    expect(box.acts).toEqual([]);
    expect(box.task('A').overdue).toBe(true);
    box.result('completed');
    expect(box.final('A')).toBe('completed completed');
  });

  test('ends as soon as it has to wait again: preempted, lost, or retried (core/40)', () => {
    for (const how of ['preempted', 'lost', 'retried'] as const) {
      const box = new Box();
      box.background('A', { expiresAt });
      box.runs();
      box.passes('expiry');
      if (how === 'preempted') {
        box.submit('urgent');
        box.drains();
      } else if (how === 'lost') {
        box.exited();
      } else {
        box.throttle('all');
        box.fails('overloaded', true);
      }
      expect(box.final('A')).toBe('failed expired');
      const waitsFor = { preempted: 'session', lost: 'agent', retried: 'rate_limit' }[how];
      expect(box.events('A', 'expired')).toEqual([{ waitsFor }]);
    }
  });

  test('ends alone: what is merged into it waits by its own time, and so does what was steered into its turn (core/40, core/28)', () => {
    const box = new Box();
    box.submit('A', { mergeGroup: 'p', whenBusy: 'collect', expiresAt });
    box.submit('B', { mergeGroup: 'p', whenBusy: 'collect', expiresAt: 200 });
    expect([...box.armed].filter((name) => name.startsWith('expiry'))).toEqual(['expiry:A']);
    box.passes('collect');
    box.runs();
    box.submit('S', { mergeGroup: 'p', whenBusy: 'steer', expiresAt });
    box.passes('expiry');
    box.exited();
    expect(box.final('A')).toBe('failed expired');
    expect(box.owner).toBe('B');
    expect(box.events('B', 'requeued')).toEqual([{ from: 'A' }]);
    expect(box.armed).toContain('expiry:S');
    box.late('expiry', 'B');
    expect(box.final('B')).toBe('failed expired');
    expect(box.owner).toBe('S');
  });

  test('ends a runner that was preempted, and none that is at work (core/40, core/14)', () => {
    const box = new Box();
    box.background('R', { mode: 'code', expiresAt });
    box.passes('expiry');
    expect(box.acts).toEqual([]);
    box.submit('urgent');
    expect(box.final('R')).toBe('failed expired');
    expect(box.sent('abort')).toMatchObject([{ task: 'R', reason: 'expired' }]);
    expect(box.owner).toBe('urgent');
  });

  test('has the same time after a restart, and without one waits as long as it takes (core/40, core/25)', () => {
    const box = new Box();
    box.park();
    box.submit('A', { expiresAt });
    box.submit('B');
    box.crash();
    expect(box.task('A').expiresAt).toBe(expiresAt);
    expect([...box.armed].filter((name) => name.startsWith('expiry'))).toEqual(['expiry:A']);
    box.passes('expiry');
    expect(box.final('A')).toBe('failed expired');
    expect(box.task('B').stage).toBe('waiting');
  });
});
