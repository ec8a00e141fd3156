/** Turns that fail for a transient reason, and sessions that are throttled. */
import { describe, expect, test } from 'vitest';
import { Box, inBackground } from '../support/core-driver.ts';

describe('a transient failure', () => {
  test('S13 is retried without a further attempt, as often as it takes (core/37, core/13)', () => {
    const box = new Box();
    box.submit('A', { maxAttempts: 1, onLost: 'fail' });
    box.runs();
    for (const retry of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      box.fails('overloaded', true);
      expect(box.task('A')).toMatchObject({
        status: 'running',
        retries: retry,
        attempts: 1,
        interruptedMidTurn: false,
      });
      expect(box.sent('prompt')).toMatchObject([{ task: 'A', resumed: true, interruptedMidTurn: false, attempt: 1 }]);
      box.started();
    }
    box.result('completed');
    expect(box.final('A')).toBe('completed completed');
    expect(box.events('A', 'turn-retried').slice(0, 2)).toEqual([
      { attempt: 1, reason: 'overloaded', retry: 1 },
      { attempt: 1, reason: 'overloaded', retry: 2 },
    ]);
  });

  test('S13 fails the first task of a session that never worked if there is no login, and later ones wait for it (core/37)', () => {
    const box = new Box();
    box.submit('A');
    box.submit('B');
    box.runs();
    box.fails('auth', true);
    expect(box.final('A')).toBe('failed auth');
    box.started();
    box.fails('auth', true);
    expect(box.task('B')).toMatchObject({ retries: 1, attempts: 1 });
    box.crash();
    box.runs();
    box.fails('auth', true);
    expect(box.task('B')).toMatchObject({ retries: 2, attempts: 1 });
  });

  test('S13 of a session that has worked waits for the login with its first task, too (core/37)', () => {
    const box = new Box();
    box.submit('A');
    box.answers();
    box.submit('B');
    box.started();
    box.fails('auth', true);
    expect(box.task('B')).toMatchObject({ retries: 1 });
  });

  test('S13 is the only one that is retried: a failure of another class, or of none, ends the task at once (core/37, core/12)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.fails('context', false);
    expect(box.final('A')).toBe('failed context');
    box.submit('B');
    box.started();
    box.result('failed');
    expect(box.final('B')).toBe('failed agent_failed');
  });

  test('costs no retry in a preempted turn, and costs one in a protected turn (core/37, core/18)', () => {
    const box = inBackground({}, { maxPassedOver: 2 });
    for (const id of ['A', 'B']) {
      box.submit(id);
      box.ack();
      box.fails('rate_limit', true);
      expect(box.outcomes('bg').at(-1)).toBe('preempted');
      expect(box.task('bg')).toMatchObject({ retries: 0, attempts: 1 });
      box.answers();
      box.runs();
    }
    // Now it is protected: what it says counts, and it stays protected when it is tried again.
    box.submit('C');
    expect(box.acts).toEqual([]);
    box.fails('rate_limit', true);
    expect(box.owner).toBe('bg');
    expect(box.task('bg')).toMatchObject({ retries: 1 });
    expect(box.session.hold?.turn).toMatchObject({ protected: true });
    box.started();
    box.fails('rate_limit', true);
    expect(box.task('bg')).toMatchObject({ retries: 2, attempts: 1 });
  });

  test('does not change how a cancelled task ends, and is retried after an interrupt for silence (core/37, core/17)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.cancel('A');
    box.ack();
    box.fails('overloaded', true);
    expect(box.final('A')).toBe('cancelled cancelled');
    box.submit('B');
    box.started();
    box.passes('silence');
    box.ack();
    box.fails('overloaded', true);
    expect(box.task('B')).toMatchObject({ attempts: 1, retries: 1 });
    expect(box.owner).toBe('B');
  });

  test('in a turn of a runner is retried, and the runner gets the answer at last (core/37, core/14)', () => {
    const box = new Box();
    box.background('R', { mode: 'code' });
    box.call('R', 1, 1);
    box.runs();
    box.submit('A', { whenBusy: 'enqueue' });
    box.fails('overloaded', true);
    // Its asking waits with it: urgent work goes first, and no second runner is started.
    expect(box.owner).toBe('A');
    expect(box.sent('settle')).toEqual([]);
    box.answers();
    expect(box.sent('run')).toEqual([]);
    expect(box.sent('prompt')).toMatchObject([{ task: 'R', call: 1, resumed: true }]);
    box.started();
    box.fails('overloaded', true);
    expect(box.sent('settle')).toEqual([]);
    expect(box.task('R').retries).toBe(2);
    box.started();
    box.result('completed');
    expect(box.sent('settle')).toMatchObject([{ call: 1, outcome: 'completed' }]);
    // An answer begins the count anew.
    box.call('R', 1, 2);
    box.started();
    box.fails('overloaded', true);
    expect(box.task('R').retries).toBe(1);
  });

  test('keeps the merged messages in the turn, and queues the steered one again (core/37, core/28)', () => {
    const box = new Box();
    box.submit('A', { mergeGroup: 'p', whenBusy: 'collect' });
    box.submit('B', { mergeGroup: 'p', whenBusy: 'collect' });
    box.passes('collect');
    box.runs();
    box.submit('S', { mergeGroup: 'p', whenBusy: 'steer' });
    box.steered('S', true);
    box.fails('overloaded', true);
    // The merged text stays, the steered one waits on its own.
    expect(box.sent('prompt')).toMatchObject([{ task: 'A', mergedTasks: ['B'] }]);
    expect(box.queue).toEqual(['S']);
    box.started();
    box.fails('refused', false);
    expect(box.final('A')).toBe('failed refused');
    expect(box.final('B')).toBe('failed failed_with');
    expect(box.owner).toBe('S');
  });

  test('still counts after the daemon dies between two tries (core/37, core/25)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.throttle('all');
    box.fails('overloaded', true);
    expect(box.owner).toBeNull();
    box.crash();
    expect(box.session.throttle).toBeNull();
    expect(box.task('A')).toMatchObject({ retries: 1, attempts: 1 });
    box.runs();
    box.fails('overloaded', true);
    expect(box.task('A')).toMatchObject({ retries: 2, attempts: 1 });
  });
});

describe('a throttled session', () => {
  test('S13 grants interactive tasks, and delays background work until the throttle ends (core/38, core/5)', () => {
    const box = new Box();
    box.throttle('background', 5000);
    box.background('bg');
    expect(box.owner).toBeNull();
    box.submit('A');
    expect(box.owner).toBe('A');
    box.answers();
    expect(box.owner).toBeNull();
    expect(box.queue).toEqual(['bg']);
    box.throttle('background', 9000);
    expect(box.tape().filter((event) => event === 'throttled')).toHaveLength(1);
    box.throttle(null);
    expect(box.owner).toBe('bg');
    expect(box.sent('prompt')).toHaveLength(1);
    expect(box.tape()).toContain('unthrottled');
  });

  test('at the level `all` sends nothing new, and interrupts no turn (core/38, core/6)', () => {
    const box = inBackground({ mergeGroup: 'p' });
    box.throttle('all');
    box.submit('A');
    box.submit('S', { mergeGroup: 'p', whenBusy: 'steer' });
    // The turn on the wire goes on to its end; nobody is interrupted for what could not be sent.
    expect(box.acts).toEqual([]);
    expect(box.state).toBe('running');
    box.throttle('background');
    expect(box.acts).toEqual(['interrupt']);
    box.throttle('all');
    box.drains();
    expect(box.owner).toBeNull();
    expect(box.acts).toEqual([]);
    box.throttle('background');
    expect(box.sent('prompt')).toMatchObject([{ task: 'A' }]);
    expect(box.cancel('bg')).toMatchObject({ receipt: { state: 'acknowledged' } });
  });

  test('grants an interactive task before a protected turn that may not be sent (core/8, core/18, core/38)', () => {
    const box = inBackground({}, { maxPassedOver: 1 });
    box.submit('A');
    box.drains();
    box.answers();
    box.exited();
    box.throttle('background');
    expect(box.session.hold?.turn).toMatchObject({ protected: true, phase: 'pending' });
    box.submit('B');
    expect(box.owner).toBe('B');
    expect(box.task('bg')).toMatchObject({ stage: 'waiting' });
    expect(box.session.passedOver).toMatchObject({ task: 'bg', times: 1 });
    box.throttle(null);
    box.answers();
    expect(box.session.hold?.turn).toMatchObject({ protected: true, phase: 'sent' });
  });

  test('does not count the hold limit of its owner (core/20, core/38)', () => {
    const box = new Box();
    box.background('A');
    box.background('B');
    expect(box.armed).toContain('hold:1');
    box.throttle('background');
    expect(box.armed).not.toContain('hold:1');
    box.throttle(null);
    expect(box.armed).toContain('hold:1');
    box.runs();
    // Its turn is on the wire: B waits for the end of the throttle now.
    box.throttle('background');
    expect(box.armed).not.toContain('hold:1');
    box.throttle(null);
    box.passes('hold');
    expect(box.acts).toEqual(['interrupt']);
  });

  test('sends no prompt when the agent becomes ready or changes its model (core/36, core/38)', () => {
    const box = new Box();
    box.submit('A');
    box.throttle('all');
    box.ready();
    expect(box.acts).toEqual([]);
    expect([...box.armed]).toEqual(['idle:1']);
    box.throttle(null);
    expect(box.acts).toEqual(['prompt']);
    box.answers();
    box.submit('B', { model: 'large' });
    box.throttle('all');
    box.switched('large');
    expect(box.acts).toEqual([]);
    box.passes('idle');
    expect(box.acts).toEqual(['close']);
    box.exited();
    expect(box.acts).toEqual([]);
    box.throttle(null);
    expect(box.sent('start')).toMatchObject([{ model: 'large' }]);
  });

  test('records that the store lost events of the session, and changes nothing (core/21)', () => {
    const box = inBackground();
    box.do({ type: 'rewound', node: 'a' });
    expect(box.acts).toEqual([]);
    expect(box.records).toMatchObject([
      { type: 'event', task: null, event: { type: 'store-rewound', data: { node: 'a' } } },
    ]);
    expect(box.state).toBe('running');
  });

  test('records a hang report like any other session, and changes nothing (core/21)', () => {
    const box = inBackground();
    const note = { report: '20261128-140500-1', class: 'agent-silent', summary: 'silent for 5 min' };
    box.do({ type: 'report', note });
    expect(box.acts).toEqual([]);
    const event = { type: 'hang-reported', data: note };
    expect(box.records).toMatchObject([{ type: 'event', task: null, event }]);
    expect(box.state).toBe('running');
  });
});
