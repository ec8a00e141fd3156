/** The agent's life, the deadlines around it, and what an operator may ask. */
import { describe, expect, test } from 'vitest';
import { incarnation, taskId, turnId } from '../../src/core/model/ids.ts';
import { Box, inBackground, somebody } from '../support/core-driver.ts';

const stale = (what: string): unknown => ({ kind: 'stale', what });
const refused = (code: string): unknown => ({ kind: 'refused', code });

describe('the life of an agent', () => {
  test('an agent that never becomes ready is killed, and its task waits for the next one until its time is up (core/13, core/16, core/19)', () => {
    const box = new Box();
    box.submit('A', { maxAttempts: 2, expiresAt: 9 });
    box.passes('start');
    expect(box.acts).toEqual(['kill']);
    expect(box.events('A', 'deadline-reached')).toMatchObject([{ name: 'start' }]);
    expect(box.ready()).toEqual(stale('incarnation'));
    box.exited();
    box.passes('start');
    box.exited();
    expect(box.task('A')).toMatchObject({ attempts: 1, stage: 'owner' });
    box.passes('expiry');
    expect(box.events('A', 'expired')).toEqual([{ waitsFor: 'agent' }]);
    expect(box.final('A')).toBe('failed expired');
  });

  test('a task with `onLost: fail` is retried when its agent ends before its turn, and fails when it ends in its turn (core/13)', () => {
    const box = new Box();
    box.submit('A', { onLost: 'fail' });
    box.exited();
    expect(box.task('A')).toMatchObject({ attempts: 1, started: false, interruptedMidTurn: false });
    box.runs();
    box.exited();
    expect(box.final('A')).toBe('failed agent_lost');
  });

  test('an agent that closes its channel in its turn and lives is named by the lost turn, and costs an attempt (core/13)', () => {
    const box = new Box();
    box.submit('A', { maxAttempts: 2 });
    box.submit('S', { whenBusy: 'steer' });
    box.runs();
    box.hungUp();
    expect(box.events('A', 'turn-ended')).toMatchObject([{ outcome: 'agent-lost', reason: 'channel_broken' }]);
    expect(box.events('A', 'attempt-retried')).toMatchObject([{ attempt: 2, reason: 'channel_broken' }]);
    box.runs();
    box.hungUp();
    expect(box.final('A')).toBe('failed channel_broken');
  });

  test('a conversation that is lost is replaced, and each prompt says so until an agent has confirmed one (core/33)', () => {
    const box = new Box();
    box.submit('A');
    box.answers();
    box.exited();
    box.submit('B');
    expect(box.sent('start')).toMatchObject([{ conversation: 'c1' }]);
    box.ready({ conversation: 'c2', conversationReset: true });
    expect(box.sent('prompt')).toMatchObject([{ conversationReset: 'lost' }]);
    expect(box.tape()).toContain('conversation-reset');
    // Neither an agent that dies before it has read that, nor a node that does, leaves it unsaid.
    box.exited();
    box.ready({ conversation: 'c2' });
    expect(box.sent('prompt')).toMatchObject([{ conversationReset: 'lost' }]);
    box.crash();
    box.ready({ conversation: 'c2' });
    expect(box.sent('prompt')).toMatchObject([{ conversationReset: 'lost' }]);
    box.started();
    box.submit('C');
    box.result('completed');
    expect(box.sent('prompt')).toMatchObject([{ task: 'C', conversationReset: null }]);
    expect(box.session.conversation.id).toBe('c2');
  });

  test('an agent that was idle for long, or whose place is needed, is closed, and later resumes its conversation (core/33)', () => {
    for (const way of ['idle', 'make-room'] as const) {
      const box = new Box();
      box.submit('A', { mode: 'code' });
      box.call('A', 1, 1);
      box.runs();
      expect(box.do({ type: 'make-room' })).toEqual(refused('agent_not_running'));
      expect(box.late('idle', box.incarnation)).toEqual(stale('timer'));
      box.result('completed');
      expect(way === 'idle' ? box.passes('idle') : box.do({ type: 'make-room' })).toEqual({ kind: 'ok' });
      expect(box.acts).toEqual(['close']);
      box.call('A', 1, 2);
      expect(box.acts).toEqual([]);
      box.exited();
      expect(box.sent('start')).toMatchObject([{ incarnation: 2, conversation: 'c1' }]);
      expect(box.task('A').attempts).toBe(1);
    }
  });

  const other = { kind: 'task', name: 'other' } as const;
  const needs = (box: Box, interrupts: number | null): unknown =>
    box.do({
      type: 'give-way',
      incarnation: incarnation(box.incarnation),
      interrupts: interrupts === null ? null : turnId(interrupts),
      by: other,
    });

  test('a turn gives way to another session, and its task continues on the next agent without a burnt attempt (core/42)', () => {
    const box = inBackground();
    expect(needs(box, box.turn)).toEqual({ kind: 'ok' });
    expect(box.acts).toEqual(['interrupt']);
    expect(box.events('bg', 'interrupt-requested')).toMatchObject([{ why: 'give-way', by: other, sent: true }]);
    box.ack();
    box.result('interrupted');
    expect(box.acts).toEqual(['close']);
    expect(box.whole()).toContainEqual({
      type: 'agent-ending',
      data: { incarnation: 1, reason: 'give_way', by: other },
    });
    expect(box.events('bg', 'preempted')).toMatchObject([{ by: other }]);
    expect(box.owner).toBe('bg');
    box.exited();
    expect(box.sent('start')).toMatchObject([{ incarnation: 2, conversation: 'c1' }]);
    box.ready();
    expect(box.sent('prompt')).toMatchObject([{ task: 'bg', attempt: 1, resumed: true }]);
  });

  test('an agent that another session needs is closed at once if it is idle, else after the turn that it has (core/42)', () => {
    const rests = new Box();
    rests.submit('A');
    rests.runs();
    rests.result('completed');
    needs(rests, null);
    expect(rests.acts).toEqual(['close']);

    const busy = inBackground();
    busy.background('next');
    needs(busy, busy.turn - 1);
    expect(busy.acts).toEqual([]);
    busy.result('completed');
    expect(busy.acts).toEqual(['close']);
    expect(busy.owner).toBe('next');
    busy.exited();
    expect(busy.acts).toEqual(['start']);
    expect(needs(busy, null)).toEqual(refused('agent_not_running'));
  });

  test('an interactive or protected turn does not give way to another session before its end (core/42)', () => {
    const interactive = new Box();
    interactive.submit('A');
    interactive.runs();
    needs(interactive, interactive.turn);
    expect(interactive.acts).toEqual([]);
    interactive.result('completed');
    expect(interactive.acts).toEqual(['close']);

    const due = new Box({ maxPassedOver: 1 });
    due.background('bg');
    due.runs();
    due.submit('A');
    due.drains();
    due.answers();
    due.started();
    expect(due.session.hold?.turn?.protected).toBe(true);
    needs(due, due.turn);
    expect(due.acts).toEqual([]);
  });

  test('a parked session gives way to another session, and keeps its task (core/42)', () => {
    const box = inBackground();
    box.park();
    needs(box, box.turn);
    box.drains();
    expect(box.acts).toEqual(['close']);
    expect(box.owner).toBeNull();
    box.exited();
    box.unpark();
    expect(box.owner).toBe('bg');
  });

  test('an event of an earlier agent changes nothing (core/15, core/24)', () => {
    const box = inBackground();
    box.exited();
    box.runs();
    expect(box.incarnation).toBe(2);
    for (const answer of [
      box.exited(1),
      box.started(2, 1),
      box.output(2, 1),
      box.ack({ incarnation: 1 }),
      box.result('completed', { incarnation: 1 }),
      box.ready({ incarnation: 1 }),
    ]) {
      expect(answer).toEqual(stale('incarnation'));
    }
    expect(box.state).toBe('running');
  });

  test('a second confirmation, an unexpected ack and a second result change nothing (core/24)', () => {
    const box = inBackground();
    expect(box.started()).toEqual(stale('unexpected'));
    expect(box.ack()).toEqual(stale('unexpected'));
    box.cancel('bg');
    box.result('interrupted');
    expect(box.result('completed')).toEqual(stale('unexpected'));
    box.ack();
    expect(box.final('bg')).toBe('cancelled cancelled');
  });
});

describe('an unsolicited turn', () => {
  test('delays the next prompt until it ends (core/10, core/33)', () => {
    const box = new Box();
    box.submit('A');
    box.answers();
    box.unsolicited('began');
    box.submit('B');
    expect(box.acts).toEqual([]);
    expect(box.state).toBe('pending');
    box.unsolicited('ended');
    expect(box.sent('prompt')).toMatchObject([{ task: 'B' }]);
    expect(box.tape().filter((event) => event === 'unsolicited-turn')).toHaveLength(2);
    expect(box.unsolicited('ended')).toEqual(stale('unexpected'));
  });

  test('that begins before our prompt is confirmed is not killed, and our turn completes (core/10, core/19)', () => {
    const box = new Box();
    box.submit('A');
    box.ready();
    box.unsolicited('began');
    expect(box.late('unsolicited', 1)).toEqual(stale('timer'));
    box.unsolicited('ended');
    box.started();
    box.result('completed');
    expect(box.final('A')).toBe('completed completed');
  });

  test('that never ends has its agent killed, and costs the waiting task no attempt (core/13, core/19)', () => {
    const box = new Box();
    box.submit('A', { maxAttempts: 3 });
    box.answers();
    box.unsolicited('began');
    box.submit('B', { maxAttempts: 1 });
    box.passes('unsolicited');
    expect(box.acts).toEqual(['kill']);
    expect(box.task('B').attempts).toBe(1);
    box.exited();
    box.park();
    box.ready();
    box.unsolicited('began');
    box.unpark();
    box.exited();
    expect(box.events('B', 'attempt-lost')).toMatchObject([
      { reason: 'unsolicited_deadline' },
      { reason: 'agent_start_failed' },
    ]);
    box.answers();
    expect(box.final('B')).toBe('completed completed');
  });

  test('that still runs when our turn ends delays the prompt of the next task (core/10)', () => {
    const box = inBackground();
    box.background('next');
    box.unsolicited('began');
    box.result('completed');
    expect(box.owner).toBe('next');
    expect(box.acts).toEqual([]);
    box.unsolicited('ended');
    expect(box.sent('prompt')).toMatchObject([{ task: 'next' }]);
  });
});

describe('operators', () => {
  test('a parked session lets its turn end, and starts no other task (core/21)', () => {
    const box = inBackground({ mergeGroup: 'p' });
    box.park();
    box.submit('A');
    expect(box.acts).toEqual([]);
    expect(box.submit('S', { mergeGroup: 'p', whenBusy: 'steer' })).toMatchObject({ stage: 'waiting', fallback: true });
    expect(box.acts).toEqual([]);
    box.result('completed');
    expect(box.final('bg')).toBe('completed completed');
    expect(box.state).toBe('free');
    box.unpark();
    expect(box.owner).toBe('A');
    expect(box.unpark()).toEqual(refused('not_parked'));
  });

  test('the hold limit does not count while the session is parked, and begins again afterwards (core/20, core/21)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.submit('B');
    expect(box.armed).toContain('hold:1');
    box.park();
    expect(box.armed).not.toContain('hold:1');
    box.unpark();
    expect(box.armed).toContain('hold:1');
  });

  test('the hold limit does not count for an owner whose turn a park delays (core/20, core/21)', () => {
    const box = new Box();
    box.submit('A');
    box.submit('B');
    box.park();
    // It is not the owner that B waits for; when it goes on, the limit begins anew.
    expect(box.armed).not.toContain('hold:1');
    box.unpark();
    expect(box.armed).toContain('hold:1');
  });

  test('a later park takes the place of one of the same or a lower rank, and is on the tape (core/21)', () => {
    const kinds = ['closing', 'fault', 'operator'] as const;
    for (const [lower, first] of kinds.entries()) {
      for (const [upper, second] of kinds.entries()) {
        const box = inBackground();
        const park = (kind: (typeof kinds)[number], reason: string): unknown =>
          kind === 'fault'
            ? box.do({ type: 'fault', reason })
            : box.do({ type: 'park', kind, reason, by: { kind: 'person', name: reason } });
        park(first, 'one');
        park(second, 'two');
        expect(box.session.parked).toMatchObject(
          upper >= lower ? { kind: second, reason: 'two' } : { kind: first, reason: 'one' },
        );
        const told = box.whole().filter(({ type }) => type === 'parked' || type === 'fault');
        expect(told).toHaveLength(upper >= lower || second === 'fault' ? 2 : 1);
      }
    }
  });

  test('a step that throws kills the agent and parks the session, and costs no attempt (core/21, core/13)', () => {
    const box = inBackground({ maxAttempts: 1 });
    box.submit('A');
    box.do({ type: 'fault', reason: 'invariant_broken' });
    expect(box.acts).toEqual(['kill']);
    expect(box.session.parked).toEqual({ kind: 'fault', reason: 'invariant_broken', by: null });
    expect(box.tape()).toContain('fault');
    box.exited();
    expect(box.acts).toEqual([]);
    box.unpark();
    expect(box.owner).toBe('A');
    expect(box.task('bg')).toMatchObject({ attempts: 1, stage: 'waiting', interruptedMidTurn: true });
  });

  test('S1 a step that throws aborts the runner and clears the timers, and unpark starts both again (core/21, core/19)', () => {
    const box = new Box();
    box.submit('C', { mode: 'code', maxAttempts: 1 });
    box.submit('B');
    box.submit('part', { mergeGroup: 'p', whenBusy: 'collect' });
    expect([...box.armed]).toEqual(['hold:1', 'collect:part']);
    box.do({ type: 'fault', reason: 'test' });
    expect(box.sent('abort')).toMatchObject([{ task: 'C', run: 1 }]);
    expect([...box.armed]).toEqual([]);
    box.unpark();
    expect(box.sent('run')).toEqual([{ type: 'run', task: 'C', run: 2, attempt: 1, interruptedMidTurn: true }]);
    expect(box.queue).toEqual(['B', 'part']);
    expect(box.armed).toContain('hold:2');
    expect(box.finish('C', 1)).toEqual(stale('epoch'));
  });

  test('a task that waits without a runner when a step throws gets a new runner at unpark (core/13, core/21)', () => {
    const box = new Box();
    box.submit('C', { mode: 'code' });
    box.park();
    box.crash();
    box.do({ type: 'fault', reason: 'test' });
    box.do({ type: 'fault', reason: 'test' });
    box.unpark();
    expect(box.sent('run')).toMatchObject([{ run: 2, attempt: 2 }]);
  });

  test('D09 a stop ends the turn, the queue, or both, and its receipts name what it ended (core/30)', () => {
    const ended = (scope: 'turn' | 'queue' | 'session'): readonly string[] => {
      const box = new Box();
      box.submit('A', { mergeGroup: 'p' });
      box.runs();
      box.submit('S', { mergeGroup: 'p', whenBusy: 'steer' });
      box.steered('S', true);
      box.submit('B');
      box.background('bg');
      const reply = box.stop(scope);
      expect(box.sent('interrupt')).toHaveLength(scope === 'queue' ? 0 : 1);
      return reply.kind === 'receipts' ? reply.receipts.map(({ task, state, turn }) => `${task} ${state} ${turn}`) : [];
    };
    expect(ended('turn')).toEqual(['S requested 1', 'A requested 1']);
    expect(ended('queue')).toEqual(['B acknowledged null', 'bg acknowledged null']);
    expect(ended('session')).toEqual(['B acknowledged null', 'bg acknowledged null', 'S requested 1', 'A requested 1']);
  });

  test('a waiting task is moved within the queue, by its priority, and to the other lane (core/3, core/30)', () => {
    const box = inBackground();
    for (const id of ['1', '2', '3', '4']) {
      box.background(id);
    }
    const places = (): number => new Set(['1', '2', '3', '4'].map((id) => box.task(id).position)).size;
    box.move('4', { where: { before: taskId('2') } });
    expect(box.queue).toEqual(['1', '4', '2', '3']);
    box.move('4', { where: 'first' });
    box.move('4', { where: 'last' });
    box.move('2', { where: 'first' });
    box.move('3', { where: 'first' });
    expect(box.queue).toEqual(['3', '2', '1', '4']);
    expect(places()).toBe(4);
    box.move('2', { where: { before: taskId('4') } });
    box.move('1', { where: { before: taskId('2') } });
    expect(box.queue).toEqual(['3', '1', '2', '4']);
    box.move('4', { where: { before: taskId('1') } });
    box.move('2', { where: { before: taskId('3') } });
    expect(box.queue).toEqual(['2', '3', '4', '1']);
    box.move('2', { where: 'last' });
    box.move('1', { priority: 5 });
    expect(box.queue).toEqual(['1', '3', '4', '2']);
    expect(box.move('3', { where: { before: taskId('1') } })).toEqual(refused('not_movable'));
    expect(box.move('3', { where: { before: taskId('3') } })).toEqual(refused('not_movable'));
    expect(box.move('nobody', {})).toEqual(refused('unknown_task'));
    expect(places()).toBe(4);
    box.move('4', { lane: 'interactive' });
    expect(box.acts).toEqual(['interrupt']);
    expect(box.queue[0]).toBe('4');
  });

  test('a task that asks to preempt interrupts the background turn when it is moved to the interactive lane (core/6, core/7, core/30)', () => {
    const box = inBackground();
    box.background('1', { whenBusy: 'preempt' });
    expect(box.acts).toEqual([]);
    box.move('1', { lane: 'interactive' });
    expect(box.acts).toEqual(['interrupt']);
  });

  test('a task is edited only while its text is not with the agent (core/30)', () => {
    const box = new Box();
    box.submit('A', { mergeGroup: 'p' });
    expect(box.edit('A')).toEqual({ kind: 'ok' });
    box.runs();
    expect(box.edit('A')).toEqual(refused('text_sent'));
    box.submit('B');
    expect(box.edit('B')).toEqual({ kind: 'ok' });
    expect(box.records.map(({ type }) => type)).toEqual(['payload', 'event']);
    box.submit('S', { mergeGroup: 'p', whenBusy: 'steer' });
    expect(box.edit('S')).toEqual(refused('text_sent'));
    box.steered('S', false);
    expect(box.edit('S')).toEqual({ kind: 'ok' });
    expect(box.edit('nobody')).toEqual(refused('unknown_task'));
  });

  test('an evict or a restart says on the tape who ended the agent (core/16)', () => {
    for (const reason of ['evicted', 'restart']) {
      const box = inBackground();
      if (reason === 'restart') {
        box.do({ type: 'restart-agent', by: somebody });
      } else {
        box.evict();
      }
      expect(box.whole()).toContainEqual({ type: 'agent-ending', data: { incarnation: 1, reason, by: somebody } });
    }
  });

  test('an evict or a restart is refused when the session has no owner or no agent (core/24)', () => {
    const box = new Box();
    expect(box.evict()).toEqual(refused('nothing_held'));
    expect(box.evict(3)).toEqual(stale('epoch'));
    expect(box.do({ type: 'restart-agent', by: null })).toEqual(refused('agent_not_running'));
    expect(box.do({ type: 'make-room' })).toEqual(refused('agent_not_running'));
  });
});
