/** What is written about a task, what survives a crash, and what a late word can no longer change. */
import { describe, expect, test } from 'vitest';
import { sessionKey, taskId } from '../../src/core/model/ids.ts';
import { newSession } from '../../src/core/queue.ts';
import { step } from '../../src/core/step.ts';
import { origin, Box, inBackground, limits, type Said, taskOf } from '../support/core-driver.ts';

const stale = (what: string): unknown => ({ kind: 'stale', what });
const refused = (code: string): unknown => ({ kind: 'refused', code });

describe('the end of a task', () => {
  test('T01 a cancelled runner cannot report progress any more (core/15, core/22, core/24)', () => {
    const box = new Box();
    box.submit('A', { mode: 'code' });
    box.progress('A', 1);
    box.cancel('A');
    expect(box.progress('A', 1)).toEqual(stale('ended'));
    expect(box.tape('A')).toEqual(['queued', 'granted', 'progress', 'final']);
  });

  test('T02 a task that is cancelled before its runner’s first step ends at once (core/17, core/22)', () => {
    const box = new Box();
    box.submit('owner');
    box.submit('A', { mode: 'code' });
    expect(box.cancel('A')).toMatchObject({ receipt: { state: 'acknowledged', status: 'cancelled', turn: null } });
    expect(box.tape('A')).toEqual(['queued', 'final']);
    expect(box.all('run')).toEqual([]);
  });

  test('T03 the first of complete, fail and cancel decides how the task ends (core/17, core/22)', () => {
    const moves = {
      complete: (box: Box) => box.finish('A', 1, 'completed'),
      fail: (box: Box) => box.finish('A', 1, 'failed'),
      cancel: (box: Box) => box.cancel('A'),
    };
    const first = { complete: 'completed', fail: 'failed', cancel: 'cancelled' } as const;
    const names = ['complete', 'fail', 'cancel'] as const;
    for (const order of names.flatMap((a) => names.filter((b) => b !== a).map((b) => [a, b] as const))) {
      for (const onWire of [false, true]) {
        const box = new Box();
        box.submit('A', { mode: 'code' });
        if (onWire) {
          box.call('A', 1, 1);
          box.runs();
        }
        moves[order[0]](box);
        const loser = moves[order[1]](box);
        if (onWire) {
          expect(box.events('A', 'interrupt-requested')).toHaveLength(1);
          box.drains();
        } else {
          expect(loser).toEqual(order[1] === 'cancel' ? refused('unknown_task') : stale('ended'));
        }
        expect(box.final('A')?.split(' ')[0]).toBe(first[order[0]]);
        expect(box.tape('A').at(-1)).toBe('final');
      }
    }
  });

  test('T04 one record holds the terminal status and its final (core/22, core/25)', () => {
    const box = new Box();
    box.submit('A');
    box.answers();
    const ends = box.records.filter((record) => record.type === 'end');
    expect(ends).toMatchObject([{ task: 'A', seq: 6, final: { status: 'completed' } }]);
    box.crash();
    expect(box.session.tasks.root).toBeNull();
  });

  test('U1 a second cancel, or a shutdown after the cancel, changes nothing (core/17, core/22)', () => {
    const box = inBackground();
    const receipt = box.cancel('bg');
    expect(receipt).toMatchObject({ kind: 'receipt', receipt: { state: 'requested', turn: 1 } });
    expect(box.cancel('bg')).toEqual(receipt);
    expect(box.acts).toEqual([]);
    box.park('closing');
    box.drains();
    expect(box.final('bg')).toBe('cancelled cancelled');
    expect(box.cancel('bg')).toEqual(refused('unknown_task'));
  });

  test('U2 a task that is cancelled right after its submit ends at once (core/17, core/22)', () => {
    const box = new Box();
    box.submit('owner');
    box.submit('A');
    box.cancel('A');
    expect(box.tape('A')).toEqual(['queued', 'final']);
    expect(box.final('A')).toBe('cancelled cancelled');
    expect(box.cancel('owner')).toMatchObject({ receipt: { state: 'acknowledged' } });
    expect(box.tape('owner')).toEqual(['queued', 'granted', 'final']);
  });

  test('U5 a task is recorded as queued before any cancel can end it (core/22)', () => {
    // Every admission, whatever its policy, writes `queued` first: the audit checks it of each step.
    const box = new Box();
    for (const whenBusy of ['preempt', 'steer', 'collect', 'replace', 'interrupt', 'rollback'] as const) {
      box.submit(`A-${whenBusy}`, { mergeGroup: 'p', whenBusy });
      box.cancel(`A-${whenBusy}`);
      expect(box.tape(`A-${whenBusy}`)[0]).toBe('queued');
      expect(box.tape(`A-${whenBusy}`).at(-1)).toBe('final');
    }
  });

  test('T08 an edit, a move or a crash does not set the status of a task back (core/23, core/30)', () => {
    const box = inBackground();
    expect(box.edit('bg')).toEqual(refused('text_sent'));
    expect(box.move('bg', { where: 'first' })).toEqual(refused('turn_sent'));
    box.submit('A');
    box.drains();
    expect(box.move('bg', { where: 'first' })).toEqual({ kind: 'ok' });
    expect(box.task('bg').status).toBe('running');
    box.crash();
    expect(box.task('bg').status).toBe('running');
  });
});

describe('a crash', () => {
  test('T10 a task that kills its agent each time fails after its last attempt (core/13)', () => {
    const box = new Box();
    box.submit('A', { maxAttempts: 3 });
    box.submit('B');
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      expect(box.owner).toBe('A');
      expect(box.task('A').attempts).toBe(attempt);
      box.runs();
      box.exited();
    }
    expect(box.final('A')).toBe('failed agent_lost');
    expect(box.events('A', 'attempt-retried')).toMatchObject([{ attempt: 2 }, { attempt: 3 }]);
    expect(box.owner).toBe('B');
    box.answers();
    expect(box.final('B')).toBe('completed completed');
  });

  test('T10 a task that kills its daemon each time fails after its last attempt if it is a runner of that daemon (core/13, core/25)', () => {
    const box = new Box();
    box.submit('C', { mode: 'code', maxAttempts: 2 });
    box.call('C', 1, 1);
    box.runs();
    box.crash();
    expect(box.task('C').attempts).toBe(2);
    box.crash();
    expect(box.final('C')).toBe('failed node_restarted');
  });

  test('burns no attempt of a task whose turn was with an agent when the daemon died (core/13, core/25)', () => {
    const box = new Box();
    box.submit('A', { maxAttempts: 1 });
    box.runs();
    for (let times = 0; times < 3; times += 1) {
      box.crash();
      box.ready();
      expect(box.sent('prompt')).toMatchObject([{ attempt: 1, resumed: true, interruptedMidTurn: true }]);
    }
    expect(box.tape('A').slice(-5)).toEqual(['turn-ended', 'attempt-lost', 'attempt-retried', 'resumed', 'turn-sent']);
  });

  test('of a daemon that closes interrupts the turn of any lane, and its task loses nothing (core/21, core/13)', () => {
    for (const lane of ['interactive', 'background'] as const) {
      const box = new Box();
      box.submit('A', { lane, maxAttempts: 1, onLost: 'fail' });
      box.runs();
      box.asks('q1');
      box.park('closing');
      expect(box.acts).toEqual(['interrupt']);
      expect(box.events('A', 'interrupt-requested')).toMatchObject([{ why: 'close', sent: true }]);
      expect(box.events('A', 'permission-resolved')).toMatchObject([{ decision: 'withdrawn' }]);
      box.ack();
      box.result('interrupted');
      expect(box.outcomes('A')).toEqual(['preempted']);
      expect(box.owner).toBeNull();
      box.crash();
      box.unpark();
      box.ready();
      expect(box.sent('prompt')).toMatchObject([{ task: 'A', attempt: 1, resumed: true, interruptedMidTurn: false }]);
      box.started();
      box.result('completed');
      expect(box.final('A')).toBe('completed completed');
    }
  });

  test('of a daemon that closes before the turn has started is latched, and one after the agent was killed cuts it off (core/21, core/7)', () => {
    const box = new Box();
    box.submit('A', { onLost: 'fail' });
    box.ready();
    box.park('closing');
    expect(box.acts).toEqual([]);
    box.started();
    expect(box.acts).toEqual(['interrupt']);
    box.passes('drain');
    box.passes('drain');
    expect(box.final('A')).toBe('failed drain_deadline');
  });

  test('burns no attempt of a runner whose daemon closed (core/13, core/25)', () => {
    const box = new Box();
    box.submit('C', { mode: 'code', maxAttempts: 1 });
    for (let times = 0; times < 3; times += 1) {
      box.park('closing');
      box.crash();
      box.unpark();
      expect(box.task('C')).toMatchObject({ attempts: 1, stage: 'owner' });
    }
    box.finish('C', box.epoch);
    expect(box.final('C')).toBe('completed runner_completed');
  });

  test('T09 a restart keeps every task in its place, and fails the running one if it says so (core/3, core/13, core/25)', () => {
    const box = inBackground();
    box.submit('urgent', { onLost: 'fail' });
    box.drains();
    box.started();
    box.background('later');
    box.submit('code', { mode: 'code' });
    box.submit('part', { mergeGroup: 'p', whenBusy: 'collect' });
    box.crash();
    expect(box.final('urgent')).toBe('failed node_restarted');
    expect(box.owner).toBe('code');
    expect(box.queue).toEqual(['part', 'bg', 'later']);
    expect(box.task('bg')).toMatchObject({ attempts: 1, interruptedMidTurn: false });
    expect(box.tape()).toContain('recovered');
  });

  test('a code runner that is lost with its daemon starts again as a new attempt (core/13, core/25)', () => {
    for (const at of ['between turns', 'in a turn', 'preempted'] as const) {
      const box = new Box();
      box.background('C', { mode: 'code', maxAttempts: 2 });
      box.call('C', 1, 1);
      box.runs();
      if (at === 'between turns') {
        box.result('completed');
      } else if (at === 'preempted') {
        box.submit('A');
        box.drains();
        box.cancel('A');
        box.started();
        box.drains();
        box.submit('B');
        box.drains();
      }
      box.crash();
      const run = box.all('run').at(-1);
      if (at === 'preempted') {
        expect(box.owner).toBe('B');
        expect(box.all('run')).toHaveLength(1);
        expect(box.task('C')).toMatchObject({ attempts: 1, run: null, stage: 'waiting' });
        box.crash();
        expect(box.task('C')).toMatchObject({ attempts: 1, interruptedMidTurn: true });
        box.cancel('B');
        expect(box.sent('run')).toMatchObject([{ task: 'C', attempt: 2, interruptedMidTurn: true }]);
      } else {
        expect(run).toMatchObject({ task: 'C', attempt: 2, interruptedMidTurn: true, run: box.epoch });
        expect(box.call('C', 1, 2)).toEqual(stale('epoch'));
        expect(box.call('C', box.epoch, 1)).toEqual({ kind: 'ok' });
      }
    }
  });

  test('R2 a session that is parked for a shutdown stays parked when the daemon dies before the turn ends (core/21, core/25)', () => {
    const box = inBackground();
    box.submit('A');
    box.park('closing');
    box.drains();
    expect(box.acts).toEqual([]);
    expect(box.state).toBe('free');
    box.crash();
    expect(box.state).toBe('free');
    expect(box.session.parked?.kind).toBe('closing');
    box.unpark();
    expect(box.owner).toBe('A');
    expect(box.queue).toEqual(['bg']);
    expect(box.sent('start')).toEqual([
      { type: 'start', incarnation: 2, conversation: 'c1', agent: null, model: null },
    ]);
  });

  test('a session whose lease is lost kills its agent and writes nothing more (core/32)', () => {
    const box = inBackground();
    box.background('C', { mode: 'code' });
    box.do({ type: 'fenced' });
    expect(box.acts).toEqual(['kill']);
    expect(box.records).toEqual([]);
    expect(box.submit('late')).toEqual(stale('fenced'));
    expect(box.result('completed')).toEqual(stale('fenced'));
    expect(box.do({ type: 'recovered' })).toEqual(stale('fenced'));
    box.crash();
    expect(box.owner).toBe('bg');
    expect(box.task('bg').attempts).toBe(1);
  });

  test('a session whose lease is lost while a runner lives aborts that runner (core/32)', () => {
    const box = new Box();
    box.submit('C', { mode: 'code' });
    box.do({ type: 'fenced' });
    expect(box.effects).toEqual([{ type: 'abort', task: 'C', run: 1, reason: 'fenced' }]);
  });
});

describe('time', () => {
  test('T11 a clock that jumps back an hour, or forward, changes no decision (core/26)', () => {
    const story: readonly Said[] = [
      { type: 'submit', task: taskOf('bg', { lane: 'background' }), about: origin, payload: null },
      { type: 'submit', task: taskOf('A'), about: origin, payload: null },
      { type: 'submit', task: taskOf('B'), about: origin, payload: null },
      { type: 'cancel', task: taskId('A'), reason: 'cancelled', by: null },
    ];
    const run = (clock: (index: number) => number): unknown => {
      let session = newSession(sessionKey('s'), limits);
      return story.map((input, index) => {
        const { session: next, ...told } = step(session, { ...input, at: clock(index) });
        session = next;
        return JSON.parse(JSON.stringify(told), (key, value: unknown) => (key === 'at' ? 0 : value)) as unknown;
      });
    };
    const steady = run((index) => index);
    expect(run((index) => -3_600_000 * index)).toEqual(steady);
    expect(run((index) => 3_600_000 * index * index)).toEqual(steady);
  });
});
