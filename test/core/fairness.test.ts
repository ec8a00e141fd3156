/** Nobody waits for ever (rule 17): who is passed over, when that task is due, and what ends the count. */
import { describe, expect, test } from 'vitest';
import { Box, inBackground } from '../support/core-driver.ts';

/** The owner is an interactive task; another one waits whenever it ends. */
function flooded(limits: ConstructorParameters<typeof Box>[0]): { readonly box: Box; readonly next: () => void } {
  const box = new Box(limits);
  let made = 0;
  box.submit('A0');
  box.background('bg');
  box.submit('B0');
  box.runs();
  return {
    box,
    next: () => {
      made += 1;
      box.submit(`A${made}`);
      box.result('completed');
      box.started();
    },
  };
}

describe('C31: fairness', () => {
  test('two callers that overlap pass a background task over three times, and then it is granted (core/18)', () => {
    const { box, next } = flooded({ maxPassedOver: 3 });
    const owners: (string | null)[] = [];
    for (let round = 0; round < 4; round += 1) {
      next();
      owners.push(box.owner);
    }
    expect(owners).toEqual(['B0', 'A1', 'A2', 'bg']);
    expect(box.session.hold?.turn).toMatchObject({ protected: true, interrupt: null });
    expect(box.events('bg', 'granted')).toMatchObject([{ passedOver: 3 }]);
    box.result('completed');
    expect(box.final('bg')).toBe('completed completed');
    expect(box.session.passedOver).toBeNull();
  });

  test('higher priorities pass a background task over, and then it is granted (core/18)', () => {
    const box = new Box({ maxPassedOver: 2 });
    box.background('X0', { priority: 5 });
    box.background('low');
    box.runs();
    const owners: (string | null)[] = [];
    for (let round = 1; round <= 3; round += 1) {
      box.background(`X${round}`, { priority: 5 });
      box.result('completed');
      box.started();
      owners.push(box.owner);
    }
    expect(owners).toEqual(['X1', 'X2', 'low']);
  });

  test('a due task is granted next and interrupts no turn (core/18)', () => {
    const { box, next } = flooded({ maxPassedOver: 1 });
    next();
    expect(box.owner).toBe('B0');
    expect(box.acts).not.toContain('interrupt');
    next();
    expect(box.owner).toBe('bg');
  });

  test('the end of its wait deadline makes a task due that was passed over once (core/18, core/19)', () => {
    const { box, next } = flooded({ maxPassedOver: 100 });
    expect([...box.armed]).not.toContain('wait:bg');
    next();
    expect([...box.armed]).toContain('wait:bg');
    box.passes('wait');
    next();
    expect(box.owner).toBe('bg');
    expect(box.session.hold?.turn).toMatchObject({ protected: true });
    expect([...box.armed]).not.toContain('wait:bg');
  });

  test('a due code task has its runner started and gives way until the runner asks for a turn (core/18)', () => {
    const box = new Box({ maxPassedOver: 1 });
    box.submit('A');
    box.background('code', { mode: 'code' });
    box.submit('B');
    box.submit('C');
    box.submit('D');
    box.runs();
    box.result('completed');
    expect(box.owner).toBe('B');
    box.started();
    box.result('completed');
    expect(box.sent('run')).toMatchObject([{ task: 'code' }]);
    expect(box.owner).toBe('C');
    box.call('code', Number(box.task('code').run), 1);
    box.started();
    box.result('completed');
    expect(box.owner).toBe('code');
    expect(box.session.hold?.turn).toMatchObject({ protected: true });
    box.result('completed');
    expect(box.owner).toBe('D');
    expect(box.session.passedOver).toBeNull();
  });

  test('the count ends with the task, and with its move to another lane or place (core/18)', () => {
    for (const change of ['cancel', 'lane', 'place'] as const) {
      const { box, next } = flooded({ maxPassedOver: 3 });
      next();
      expect(box.session.passedOver).toMatchObject({ task: 'bg', times: 1 });
      if (change === 'cancel') {
        box.cancel('bg');
      } else {
        box.move('bg', change === 'lane' ? { lane: 'interactive' } : { where: 'last' });
      }
      expect(box.session.passedOver).toBeNull();
      expect([...box.armed]).not.toContain('wait:bg');
    }
  });

  test('a daemon that restarts counts on (core/18, core/25)', () => {
    const { box, next } = flooded({ maxPassedOver: 2 });
    next();
    box.crash();
    expect(box.session.passedOver).toMatchObject({ task: 'bg' });
    expect(box.session.passedOver?.times).toBeGreaterThan(0);
  });

  test('a task that is preempted again and again is passed over each time (core/18)', () => {
    const box = inBackground({}, { maxPassedOver: 2 });
    for (const times of [1, 2]) {
      box.submit(`A${times}`);
      box.drains();
      expect(box.session.passedOver).toMatchObject({ task: 'bg', times });
      box.answers();
      box.started();
    }
    expect(box.session.hold?.turn).toMatchObject({ protected: true });
  });
});
