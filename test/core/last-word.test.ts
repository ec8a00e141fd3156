/** The last word of a party wins: messages that interrupt, one after the other, at any distance. */
import { describe, expect, test } from 'vitest';
import { Box } from '../support/core-driver.ts';

const p = { mergeGroup: 'p' } as const;
const interrupt = { ...p, whenBusy: 'interrupt' } as const;

/** What can happen between two messages, from the first that interrupts a turn before it starts to the running turn of that. */
const moments: readonly (readonly [string, (box: Box) => void])[] = [
  ['while the interrupt is latched', () => {}],
  ['while the turn drains', (box) => void box.started()],
  ['after the ack', (box) => (box.started(), box.ack())],
  ['once the prompt of the first is written', (box) => (box.started(), box.drains())],
  ['once its turn runs', (box) => (box.started(), box.drains(), box.started())],
];

/** Lets the agent do all that it is asked to. */
function settle(box: Box): void {
  for (let steps = 0; box.owner !== null; steps += 1) {
    expect(steps).toBeLessThan(20);
    if (box.state === 'sent') {
      box.started();
    } else if (box.state === 'draining') {
      if (box.session.hold?.turn?.interrupt?.acked !== true) {
        box.ack();
      }
      box.result('interrupted');
    } else {
      box.result('completed');
    }
  }
}

describe('C36: the last word of a party', () => {
  test('is the only one that is answered, whenever it comes (core/29)', () => {
    for (const [moment, happens] of moments) {
      const box = new Box();
      box.submit('A', p);
      box.ready();
      box.submit('X', interrupt);
      happens(box);
      box.submit('Y', interrupt);
      settle(box);
      expect(box.final('A')).toBe('cancelled interrupted');
      expect(box.final('X'), moment).toMatch(/^cancelled (replaced|interrupted)$/);
      expect(box.events('X', 'final')[0]?.by).toEqual({ kind: 'task', name: 'Y' });
      expect(box.final('Y')).toBe('completed completed');
    }
  });

  test('takes the place of the earlier one in the queue, and leaves other messages alone (core/29)', () => {
    const box = new Box();
    box.submit('A', p);
    box.runs();
    box.submit('before', { ...p, whenBusy: 'enqueue' });
    box.submit('X', interrupt);
    box.submit('theirs', { mergeGroup: 'q', whenBusy: 'interrupt' });
    box.submit('after', p);
    box.submit('S', { ...p, whenBusy: 'collect' });
    expect(box.submit('Y', interrupt)).toMatchObject({ endedTasks: ['X', 'A'] });
    expect(box.final('X')).toBe('cancelled replaced');
    box.passes('collect');
    expect(box.queue).toEqual(['before', 'Y', 'theirs', 'after', 'S']);
  });

  test('ends a task that waits to run again, with what was merged into it (core/29)', () => {
    const box = new Box();
    box.submit('A', { ...p, whenBusy: 'collect' });
    box.submit('B', { ...p, whenBusy: 'collect' });
    box.passes('collect');
    box.runs();
    box.throttle('all');
    box.fails('overloaded', true);
    expect(box.task('A')).toMatchObject({ stage: 'waiting', status: 'running' });
    expect(box.submit('Y', interrupt)).toMatchObject({ endedTasks: ['A', 'B'] });
    expect([box.final('A'), box.final('B')]).toEqual(['cancelled interrupted', 'cancelled interrupted']);
    box.throttle(null);
    expect(box.owner).toBe('Y');
  });

  test('is taken out with the turn when it rolls back what an earlier one has interrupted (core/29, core/39)', () => {
    const box = new Box();
    box.submit('A', p);
    box.runs();
    box.submit('X', interrupt);
    box.submit('Y', { ...p, whenBusy: 'rollback' });
    box.drains();
    expect(box.sent('prompt')).toMatchObject([{ task: 'Y', rewind: 1 }]);
    expect([box.final('A'), box.final('X')]).toEqual(['cancelled interrupted', 'cancelled replaced']);
  });

  test('is not spoken by system work (core/6)', () => {
    const box = new Box();
    box.submit('A', p);
    box.runs();
    box.submit('X', interrupt);
    expect(box.background('planner', interrupt)).toMatchObject({ endedTasks: [] });
    expect(box.queue).toEqual(['X', 'planner']);
    box.submit('Y', interrupt);
    expect([box.final('X'), box.final('planner')]).toEqual(['cancelled replaced', null]);
  });
});
