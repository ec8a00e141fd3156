/** A turn has limits of its own, which count whether anything waits behind it or not. The shell counts; the core decides. */
import { describe, expect, test } from 'vitest';
import { turnLimits } from '../../src/core/model/turn-limits.ts';
import { Box } from '../support/core-driver.ts';

describe('a turn that reaches one of its limits', () => {
  test('is interrupted, and its task fails with the reason that names the limit (core/41)', () => {
    const reasons = {
      output: 'turn_output_limit',
      tools: 'turn_tool_limit',
      tokens: 'turn_token_limit',
      time: 'turn_time_limit',
    } as const;
    for (const limit of turnLimits) {
      const box = new Box();
      box.background('A');
      box.runs();
      expect(box.limit(limit, 7)).toEqual({ kind: 'ok' });
      expect(box.acts).toEqual(['interrupt']);
      expect(box.events('A', 'limit-reached')).toEqual([{ turn: 1, limit, bound: 7 }]);
      box.drains();
      expect(box.events('A', 'turn-ended')).toMatchObject([{ outcome: 'failed' }]);
      expect(box.final('A')).toBe(`failed ${reasons[limit]}`);
      expect(box.events('A', 'final')).toMatchObject([{ by: { kind: 'limit', name: limit }, attempts: 1 }]);
    }
  });

  test('completes if its whole answer crosses the interrupt (core/41, core/12)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.limit('tools');
    box.result('completed');
    box.ack();
    expect(box.final('A')).toBe('completed completed');
  });

  test('fails with what was merged into it, and a steered message waits on its own (core/41, core/28)', () => {
    const box = new Box();
    box.submit('A', { mergeGroup: 'p', whenBusy: 'collect' });
    box.submit('M', { mergeGroup: 'p', whenBusy: 'collect' });
    box.passes('collect');
    box.runs();
    box.submit('S', { mergeGroup: 'p', whenBusy: 'steer' });
    box.steered('S', true);
    box.limit('output');
    box.drains();
    expect([box.final('A'), box.final('M')]).toEqual(['failed turn_output_limit', 'failed failed_with']);
    expect(box.task('S')).toMatchObject({ stage: 'owner', attempts: 1, started: true });
  });

  test('ends the runner that asked for it (core/41)', () => {
    const box = new Box();
    box.submit('A', { mode: 'code' });
    box.call('A', 1, 1);
    box.runs();
    box.limit('output');
    box.drains();
    expect(box.sent('abort')).toMatchObject([{ task: 'A', reason: 'turn_output_limit' }]);
    expect(box.final('A')).toBe('failed turn_output_limit');
  });

  test('is left alone while it is interrupted: the next turn of a preempted task counts from zero (core/41, core/15)', () => {
    const box = new Box();
    box.background('A');
    box.runs();
    box.submit('urgent');
    expect(box.limit('output')).toEqual({ kind: 'stale', what: 'unexpected' });
    box.drains();
    expect(box.task('A')).toMatchObject({ stage: 'waiting', attempts: 1, verdict: null });
    expect(box.limit('output', 1, 1)).toMatchObject({ kind: 'stale' });
  });
});
