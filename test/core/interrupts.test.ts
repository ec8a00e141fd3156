/** How a turn is interrupted and drained, and what an agent that lies, dies or hangs can do to it. */
import { describe, expect, test } from 'vitest';
import { actorDeadline, runnerActor } from '../../src/core/model/actor.ts';
import { Box, everything, inBackground, somebody } from '../support/core-driver.ts';

const stale = (what: string): unknown => ({ kind: 'stale', what });

describe('an interrupt', () => {
  test('C05 stops a turn that is not sent yet, and waits until the agent has confirmed a turn that is sent (core/7, core/9)', () => {
    const pending = new Box();
    pending.submit('A');
    pending.cancel('A');
    pending.ready();
    expect(pending.all('prompt')).toEqual([]);
    expect(pending.final('A')).toBe('cancelled cancelled');

    const sent = new Box();
    sent.submit('A');
    sent.ready();
    sent.cancel('A');
    expect(sent.acts).toEqual([]);
    expect(sent.started()).toEqual({ kind: 'ok' });
    expect(sent.sent('interrupt')).toMatchObject([{ turn: 1, resend: false }]);
    sent.drains();
    expect(sent.outcomes('A')).toEqual(['cancelled']);
    expect(sent.final('A')).toBe('cancelled cancelled');
  });

  test('C06 does not reach the next turn when the agent dies and is restarted (core/9, core/17)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.submit('B');
    box.cancel('A');
    box.exited();
    expect(box.final('A')).toBe('cancelled cancelled');
    expect(box.sent('start')).toEqual([
      { type: 'start', incarnation: 2, conversation: 'c1', agent: null, model: null },
    ]);
    box.ready();
    expect(box.all('prompt').map(({ task }) => task)).toEqual(['A', 'B']);
  });

  test('C06 leaves the task cancelled when the daemon dies after it (core/17, core/25)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.cancel('A');
    box.crash();
    expect(box.final('A')).toBe('cancelled cancelled');
    expect(box.all('prompt')).toHaveLength(1);
  });

  test('C07 of turn N does not touch turn N+1 (core/9)', () => {
    const box = inBackground();
    box.result('completed');
    box.background('next');
    box.runs();
    expect(box.cancel('bg')).toEqual({ kind: 'refused', code: 'unknown_task' });
    for (const timer of ['drain', 'silence', 'protected'] as const) {
      expect(box.late(timer, 1)).toEqual(stale('timer'));
    }
    expect(box.ack({ turn: 1 })).toEqual(stale('turn'));
    expect(box.state).toBe('running');
    expect(box.session.hold?.turn).toMatchObject({ id: 2, interrupt: null });
  });

  test('C08 of an idle agent is not sent, and its task ends at once (core/9)', () => {
    const box = new Box();
    box.submit('A', { mode: 'code' });
    box.call('A', 1, 1);
    box.answers();
    expect(box.state).toBe('between-turns');
    box.cancel('A');
    expect(box.acts).toEqual(['abort']);
    expect(box.final('A')).toBe('cancelled cancelled');
    expect(box.stop('session')).toEqual({ kind: 'receipts', receipts: [] });
    expect(box.all('interrupt')).toEqual([]);
  });

  test('C35 aborts the runner and cancels the turn whatever the request says of who asks (core/17)', () => {
    for (const by of [runnerActor, actorDeadline('hold')]) {
      const idle = new Box();
      idle.submit('A', { mode: 'code' });
      idle.cancel('A', by);
      expect(idle.sent('abort')).toMatchObject([{ task: 'A', run: 1 }]);

      const busy = new Box();
      busy.submit('A', { mode: 'code' });
      busy.call('A', 1, 1);
      busy.runs();
      busy.cancel('A', by);
      busy.ack();
      busy.result('interrupted');
      expect(busy.sent('abort')).toMatchObject([{ task: 'A', run: 1 }]);
      expect(busy.events('A', 'turn-ended')).toMatchObject([{ outcome: 'cancelled' }]);
    }
  });

  test('C09 is sent once for a turn, however often it is requested (core/9)', () => {
    const box = inBackground();
    box.submit('A');
    box.submit('B');
    box.cancel('bg');
    box.cancel('bg');
    box.stop('turn');
    expect(box.all('interrupt')).toHaveLength(1);
    expect(box.events('bg', 'interrupt-requested')).toMatchObject([
      { why: 'preempt', by: { kind: 'task', name: 'A' }, sent: true },
      { why: 'verdict', by: somebody, sent: false },
    ]);
  });
});

describe('a drain', () => {
  test('C10 ends when both the ack and the result have come, in either order (core/11)', () => {
    for (const order of ['ack first', 'result first']) {
      const box = inBackground();
      box.submit('A');
      if (order === 'ack first') {
        box.ack();
        expect(box.owner).toBe('bg');
        box.result('interrupted');
      } else {
        box.result('interrupted');
        expect(box.owner).toBe('bg');
        expect(box.acts).toEqual([]);
        box.ack();
      }
      expect(box.owner).toBe('A');
      expect(box.acts).toEqual(['prompt']);
      expect(box.outcomes('bg')).toEqual(['preempted']);
    }
  });

  test('C10 ends when the receipt says that no result will come (core/11)', () => {
    const box = inBackground();
    box.submit('A');
    box.ack();
    expect(box.owner).toBe('bg');
    expect(box.ack()).toEqual(stale('unexpected'));
    box.ack({ noResult: true });
    expect(box.owner).toBe('A');
  });

  test('C10 without ack and result resends the interrupt, then kills the agent, and costs no attempt (core/11, core/13, core/16, core/19)', () => {
    const box = inBackground({ maxAttempts: 1 });
    box.submit('A');
    box.passes('drain');
    expect(box.sent('interrupt')).toMatchObject([{ turn: 1, resend: true }]);
    box.passes('drain');
    expect(box.sent('kill')).toEqual([{ type: 'kill', incarnation: 1 }]);
    expect(box.outcomes('bg')).toEqual(['preempted']);
    expect(box.task('bg')).toMatchObject({ attempts: 1, started: true, interruptedMidTurn: true });
    expect(box.owner).toBe('A');
    expect(box.all('start')).toHaveLength(1);
    box.exited();
    expect(box.sent('start')).toEqual([
      { type: 'start', incarnation: 2, conversation: 'c1', agent: null, model: null },
    ]);
    box.answers();
    expect(box.sent('prompt')).toMatchObject([{ task: 'bg', resumed: true, interruptedMidTurn: true, attempt: 1 }]);
  });

  test('C10 with a result and without an ack ends at its deadline, and the result counts (core/11, core/12)', () => {
    const box = inBackground();
    box.cancel('bg');
    box.result('completed');
    box.passes('drain');
    expect(box.acts).toEqual(['kill']);
    expect(box.final('bg')).toBe('completed completed');
  });

  test('keeps the result when the agent dies before the ack (core/12, core/13)', () => {
    const box = inBackground();
    box.submit('A');
    box.result('completed');
    box.exited();
    expect(box.final('bg')).toBe('completed completed');
  });

  test('kills an agent that never confirms the turn to be interrupted (core/7, core/11)', () => {
    const box = new Box();
    box.background('bg');
    box.ready();
    box.submit('A');
    expect(box.acts).toEqual([]);
    box.passes('drain');
    expect(box.acts).toEqual(['kill']);
    expect(box.outcomes('bg')).toEqual(['preempted']);
  });

  test('C11 keeps the result of the interrupted turn apart from the next turn (core/9, core/10, core/15)', () => {
    const box = inBackground();
    box.submit('A');
    expect(box.result('completed', { turn: 2 })).toEqual(stale('turn'));
    box.drains();
    expect(box.result('completed', { turn: 1 })).toEqual(stale('turn'));
    expect(box.output(1)).toEqual(stale('turn'));
    expect(box.outcomes('A')).toEqual([]);
    expect(box.final('A')).toBeNull();
  });
});

describe('a stuck owner', () => {
  test('C18 that cleans up after its eviction changes nothing (core/15)', () => {
    const box = new Box();
    box.submit('A', { mode: 'code' });
    box.call('A', 1, 1);
    box.runs();
    box.submit('B', { mode: 'code' });
    box.evict();
    expect(box.acts).toEqual(['kill', 'abort', 'run']);
    expect(box.finish('A', 1)).toEqual(stale('ended'));
    expect(box.call('A', 1, 2)).toEqual(stale('ended'));
    expect(box.progress('A', 1)).toEqual(stale('ended'));
    expect(box.evict(1)).toEqual(stale('epoch'));
    expect(box.finish('B', 1)).toEqual(stale('epoch'));
    expect(box.result('completed')).toEqual(stale('incarnation'));
    expect(box.owner).toBe('B');
    expect(box.final('A')).toBe('failed evicted');
  });

  test('C19 is evicted, and its successor gets no agent before the old process is gone (core/10, core/16)', () => {
    const box = inBackground();
    box.submit('A');
    box.evict();
    expect(box.sent('kill')).toEqual([{ type: 'kill', incarnation: 1 }]);
    expect(box.owner).toBe('A');
    expect(box.all('start')).toHaveLength(1);
    expect(box.all('prompt')).toHaveLength(1);
    box.exited(1);
    expect(box.sent('start')).toMatchObject([{ incarnation: 2 }]);
    expect(box.exited(1)).toEqual(stale('incarnation'));
    expect(box.session.agent).toEqual({ kind: 'starting', incarnation: 2, model: null });
  });

  test('stays cancelled when it was cancelled before its eviction (core/17)', () => {
    const box = inBackground();
    box.cancel('bg');
    box.evict();
    expect(box.final('bg')).toBe('cancelled cancelled');
  });

  test('C21 whose agent streams for ever is ended at the hold limit when another task waits (core/19, core/20)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.submit('B');
    box.output();
    box.passes('hold');
    expect(box.sent('interrupt')).toMatchObject([{ turn: 1 }]);
    box.output();
    box.passes('drain');
    box.passes('drain');
    expect(box.acts).toEqual(['kill']);
    expect(box.outcomes('A')).toEqual(['timed-out']);
    expect(box.final('A')).toBe('failed hold_limit');
    expect(box.owner).toBe('B');
  });

  test('C21 whose runner never asks for a turn is ended at the hold limit (core/19, core/20)', () => {
    const box = new Box();
    box.submit('A', { mode: 'code' });
    box.submit('B');
    box.passes('hold');
    expect(box.final('A')).toBe('failed hold_limit');
    expect(box.sent('abort')).toMatchObject([{ task: 'A', run: 1, reason: 'hold_limit' }]);
    expect(box.owner).toBe('B');
  });

  test('C22 is different from a long healthy turn: the hold limit counts only while a task waits (core/20)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    expect([...box.armed].filter((timer) => timer.startsWith('hold'))).toEqual([]);
    box.submit('B');
    expect(box.armed).toContain('hold:1');
    box.cancel('B');
    expect(box.armed).not.toContain('hold:1');
    expect(box.late('hold', 1)).toEqual(stale('timer'));
    expect(box.state).toBe('running');
  });
});

describe('an agent', () => {
  test('C26 that ends before it confirms its prompt costs an attempt, and the prompt is sent again (core/13, core/16)', () => {
    const box = new Box();
    box.submit('A', { maxAttempts: 2 });
    box.ready();
    box.exited();
    expect(box.outcomes('A')).toEqual(['agent-lost']);
    box.ready();
    expect(box.sent('prompt')).toMatchObject([{ task: 'A', attempt: 2, resumed: true, interruptedMidTurn: true }]);
    box.exited();
    expect(box.final('A')).toBe('failed agent_lost');
    expect(box.state).toBe('free');
    box.submit('B');
    box.answers();
    expect(box.final('B')).toBe('completed completed');
  });

  test('C27 that is restarted between two turns, or in a turn, resumes its conversation under the same hold (core/13, core/14, core/33)', () => {
    const box = new Box();
    box.submit('A', { mode: 'code', maxAttempts: 1 });
    box.call('A', 1, 1);
    box.answers();
    box.submit('B');
    box.do({ type: 'restart-agent', by: null });
    expect(box.owner).toBe('A');
    box.call('A', 1, 2);
    expect(box.acts).toEqual([]);
    box.exited();
    expect(box.sent('start')).toEqual([
      { type: 'start', incarnation: 2, conversation: 'c1', agent: null, model: null },
    ]);
    box.runs();
    box.do({ type: 'restart-agent', by: null });
    box.exited();
    box.ready({ caps: { ...everything, acks: false } });
    expect(box.sent('prompt')).toMatchObject([{ task: 'A', call: 2, attempt: 1, interruptedMidTurn: true }]);
    box.cancel('A');
    expect(box.queue).toEqual(['B']);
  });

  test('that is silent during its turn is interrupted and killed, and its task fails after its last attempt (core/13, core/19)', () => {
    const box = inBackground({ maxAttempts: 2 });
    for (const attempt of [1, 2]) {
      box.passes('silence');
      expect(box.sent('interrupt')).toHaveLength(1);
      box.passes('drain');
      box.passes('drain');
      box.exited();
      if (attempt === 1) {
        expect(box.task('bg').attempts).toBe(2);
        box.runs();
      }
    }
    expect(box.outcomes('bg')).toEqual(['timed-out', 'timed-out']);
    expect(box.final('bg')).toBe('failed silence_deadline');
  });

  test('C30 that starts, drains or takes the next task obeys a stop (core/17, core/30)', () => {
    const starting = new Box();
    starting.submit('A');
    expect(starting.stop('session')).toMatchObject({ receipts: [{ task: 'A', state: 'acknowledged', turn: null }] });
    starting.ready();
    expect(starting.all('prompt')).toEqual([]);

    const draining = inBackground();
    draining.submit('A');
    expect(draining.stop('session')).toMatchObject({
      receipts: [
        { task: 'A', state: 'acknowledged', status: 'cancelled' },
        { task: 'bg', state: 'requested', status: 'running', turn: 1 },
      ],
    });
    draining.drains();
    expect(draining.final('bg')).toBe('cancelled stopped');
    expect(draining.state).toBe('free');

    const handingOver = inBackground();
    handingOver.submit('A');
    handingOver.drains();
    expect(handingOver.stop('turn')).toMatchObject({ receipts: [{ task: 'A', state: 'requested', turn: 2 }] });
    handingOver.started();
    expect(handingOver.acts).toEqual(['interrupt']);
  });
});
