/** Holders: programs outside the daemon that claim an external task and work under its hold, until they end it or fall silent. */
import { describe, expect, test } from 'vitest';
import { Box } from '../support/core-driver.ts';

const external = { mode: 'external' } as const;

/** A background task whose holder `one` has the session, at run 1. */
function held(fields: Parameters<Box['background']>[1] = {}): Box {
  const box = new Box();
  box.background('H', { ...external, ...fields });
  box.claim('H');
  return box;
}

/** The same, in the middle of its first call. */
function inTurn(fields: Parameters<Box['background']>[1] = {}): Box {
  const box = held(fields);
  box.call('H', 1, 1);
  box.runs();
  return box;
}

describe('an external task', () => {
  test('waits without a holder, lets others pass, and is granted with the claim (core/43)', () => {
    const box = new Box();
    box.submit('H', external);
    expect(box.task('H')).toMatchObject({ status: 'queued', stage: 'unclaimed' });
    expect(box.queue).toEqual([]);
    box.background('B');
    expect(box.owner).toBe('B');
    box.runs();
    expect(box.claim('H')).toMatchObject({ kind: 'claimed', run: null });
    expect(box.sent('interrupt')).toHaveLength(1);
    box.drains();
    expect(box.owner).toBe('H');
    expect(box.claim('H')).toMatchObject({ kind: 'claimed', run: box.task('H').run, attempt: 1 });
    expect(box.tape('H')).toEqual(['queued', 'claimed', 'granted']);
  });

  test('ends as expired if no holder comes, and says what it waited for (core/40, core/43)', () => {
    const box = new Box();
    box.submit('H', { ...external, expiresAt: 5 });
    box.passes('expiry');
    expect(box.events('H', 'expired')).toEqual([{ waitsFor: 'holder' }]);
    expect(box.final('H')).toBe('failed expired');
  });

  test('is claimed by one holder at a time, and the same one may claim again (core/43)', () => {
    const box = held();
    expect(box.claim('H', 'two')).toEqual({ kind: 'refused', code: 'task_claimed' });
    expect(box.claim('H', 'one')).toMatchObject({ kind: 'claimed', run: 1, call: null });
    box.background('P');
    expect(box.claim('P')).toEqual({ kind: 'refused', code: 'not_external' });
    expect(box.claim('nothing')).toEqual({ kind: 'refused', code: 'unknown_task' });
  });

  test('is found by a stop of the queue while no holder is there (core/30)', () => {
    const box = new Box();
    box.submit('H', external);
    expect(box.stop('queue')).toMatchObject({ kind: 'receipts', receipts: [{ task: 'H', state: 'acknowledged' }] });
    expect(box.final('H')).toBe('cancelled stopped');
  });

  test('is preempted between two turns and in one, and its holder does not notice (core/14, core/43)', () => {
    const box = inTurn();
    box.submit('I');
    box.drains();
    expect(box.owner).toBe('I');
    expect(box.heartbeat('H', 1)).toEqual({ kind: 'ok' });
    box.answers();
    expect(box.owner).toBe('H');
    box.started();
    box.result('completed');
    expect(box.sent('settle')).toMatchObject([{ task: 'H', run: 1, call: 1, outcome: 'completed' }]);
    box.submit('J');
    expect(box.owner).toBe('J');
    expect(box.final('H')).toBeNull();
  });
});

describe('a call of a holder', () => {
  test('that was answered is answered again by its turn, and begins no other (core/44)', () => {
    const box = inTurn();
    expect(box.call('H', 1, 1)).toEqual({ kind: 'ok' });
    expect(box.call('H', 1, 2)).toEqual({ kind: 'refused', code: 'turn_in_progress' });
    box.result('completed');
    expect(box.call('H', 1, 1)).toEqual({ kind: 'answered', turn: 1 });
    expect(box.turn).toBe(1);
    box.call('H', 1, 2);
    box.started();
    box.result('completed');
    expect(box.call('H', 1, 1)).toEqual({ kind: 'refused', code: 'call_out_of_order' });
    expect(box.call('H', 1, 2)).toEqual({ kind: 'answered', turn: 2 });
    box.release('H', 1);
    expect(box.call('H', 1, 3)).toEqual({ kind: 'refused', code: 'hold_released' });
  });

  test('survives its daemon: the same call is taken again, or has its answer (core/25, core/44)', () => {
    const box = inTurn();
    box.result('completed');
    box.crash();
    expect(box.call('H', 1, 1)).toEqual({ kind: 'answered', turn: 1 });
    box.call('H', 1, 2);
    box.runs();
    box.crash();
    expect(box.claim('H')).toMatchObject({ run: 1, call: 1, attempt: 1 });
    expect(box.call('H', 1, 2)).toEqual({ kind: 'ok' });
    box.ready();
    expect(box.sent('prompt')).toMatchObject([{ call: 2, resumed: true, interruptedMidTurn: true }]);
    box.started();
    box.result('completed');
    expect(box.task('H')).toMatchObject({ attempts: 1, run: 1, holder: { answered: { call: 2, turn: 3 } } });
  });
});

describe('a holder that is silent for its lease', () => {
  test('before its grant leaves the task to the next one, and costs nothing (core/45)', () => {
    const box = new Box();
    box.submit('I');
    box.background('H', external);
    box.claim('H');
    box.lapses('H');
    expect(box.task('H')).toMatchObject({ stage: 'unclaimed', holder: null, attempts: 0 });
    box.claim('H', 'two');
    box.answers();
    expect(box.owner).toBe('H');
    expect(box.tape('H')).toEqual(['queued', 'claimed', 'lease-lapsed', 'claimed', 'granted']);
  });

  test('after a grant that it never learned of costs nothing, and its successor hears of no other (core/13, core/45)', () => {
    for (const lane of ['interactive', 'background'] as const) {
      const box = new Box();
      box.submit('I');
      box.submit('H', { ...external, lane, onLost: 'fail', maxAttempts: 1 });
      box.claim('H');
      box.answers();
      expect(box.task('H')).toMatchObject({ stage: 'owner', run: 2, attempts: 1, holder: { told: false } });
      if (lane === 'background') {
        // It was preempted since.
        box.submit('J');
        expect(box.owner).toBe('J');
      }
      box.lapses('H');
      expect(box.task('H')).toMatchObject({ stage: 'unclaimed', run: null, attempts: 0, interruptedMidTurn: false });
      expect(box.events('H', 'attempt-lost')).toEqual([]);
      if (lane === 'background') {
        box.answers();
      }
      expect(box.owner).toBeNull();
      expect(box.claim('H', 'two')).toMatchObject({ attempt: 1, interruptedMidTurn: false });
      expect(box.heartbeat('H', 2)).toEqual({ kind: 'stale', what: 'epoch' });
      box.finish('H', Number(box.task('H').run));
      expect(box.final('H')).toBe('completed runner_completed');
    }
  });

  test('after it has learned of its grant loses it, by its claim or by what it said under the epoch (core/45)', () => {
    const learns: readonly ((box: Box) => unknown)[] = [
      (box) => box.claim('H'),
      (box) => box.heartbeat('H', 2),
      (box) => box.progress('H', 2),
      (box) => box.call('H', 2, 1),
      (box) => box.release('H', 2),
      (box) => [box.heartbeat('H', 2), box.crash()],
    ];
    for (const learn of learns) {
      const box = new Box();
      box.submit('I');
      box.background('H', external);
      box.claim('H');
      box.answers();
      learn(box);
      box.lapses('H');
      expect(box.events('H', 'attempt-lost')).toEqual([{ reason: 'holder_lost', attempt: 1 }]);
    }
  });

  test('between two turns loses the session at once, and an attempt (core/13, core/45)', () => {
    const box = held();
    box.background('B');
    box.lapses('H');
    expect(box.sent('abort')).toMatchObject([{ task: 'H', run: 1, reason: 'holder_lost' }]);
    expect(box.owner).toBe('B');
    box.claim('H', 'two');
    box.answers();
    expect(box.owner).toBe('H');
    expect(box.sent('run')).toMatchObject([{ attempt: 2, interruptedMidTurn: true }]);
    expect(box.events('H', 'lease-lapsed')).toEqual([{ holder: 'one', epoch: 1 }]);
  });

  test('in its turn leaves that to be drained, and its answer goes to no successor (core/11, core/45)', () => {
    const box = inTurn();
    box.lapses('H');
    expect(box.sent('interrupt')).toHaveLength(1);
    expect(box.events('H', 'interrupt-requested')).toMatchObject([
      { why: 'release', by: { kind: 'deadline', name: 'lease' }, sent: true },
    ]);
    expect(box.claim('H', 'two')).toMatchObject({ kind: 'claimed', run: null });
    expect(box.owner).toBe('H');
    box.ack();
    box.result('completed');
    expect(box.all('settle')).toEqual([]);
    const { run } = box.task('H');
    expect(run).toBe(2);
    expect(box.task('H')).toMatchObject({ started: false, call: null, holder: { name: 'two', answered: null } });
    for (const reply of [box.call('H', 1, 2), box.heartbeat('H', 1), box.progress('H', 1), box.finish('H', 1)]) {
      expect(reply).toEqual({ kind: 'stale', what: 'epoch' });
    }
    expect(box.release('H', 1)).toEqual({ kind: 'stale', what: 'epoch' });
    box.finish('H', Number(run));
    expect(box.final('H')).toBe('completed runner_completed');
  });

  test('ends a task that must not be lost, with its turn (core/13, core/45)', () => {
    const box = inTurn({ onLost: 'fail' });
    box.lapses('H');
    expect(box.claim('H', 'two')).toMatchObject({ run: null });
    box.drains();
    expect(box.final('H')).toBe('failed holder_lost');
    const between = held({ onLost: 'fail' });
    between.lapses('H');
    expect(between.final('H')).toBe('failed holder_lost');
  });

  test('as often as there are attempts ends the task (core/13, core/45)', () => {
    const box = held({ maxAttempts: 2 });
    box.lapses('H');
    box.claim('H', 'two');
    box.lapses('H');
    expect(box.final('H')).toBe('failed holder_lost');
    expect(box.events('H', 'final')).toMatchObject([{ attempts: 2, by: { kind: 'deadline', name: 'lease' } }]);
  });

  test('after it gave the session back leaves the task to the next holder (core/14, core/45)', () => {
    const box = held();
    box.release('H', 1);
    expect(box.task('H').stage).toBe('released');
    box.lapses('H');
    expect(box.task('H').stage).toBe('unclaimed');
    expect(box.claim('H', 'two')).toMatchObject({ run: 2, attempt: 2 });
  });

  test('while its task is cancelled changes nothing of that (core/17, core/45)', () => {
    const box = inTurn();
    box.cancel('H');
    box.lapses('H');
    expect(box.heartbeat('H', 1)).toEqual({ kind: 'stale', what: 'epoch' });
    box.drains();
    expect(box.final('H')).toBe('cancelled cancelled');
    expect(box.tape('H')).not.toContain('attempt-lost');
  });
});

describe('a daemon that ends', () => {
  test('does not end a holder: its epoch, its lease and its attempt remain (core/13, core/45)', () => {
    const box = held();
    box.crash();
    expect(box.armed.has('lease:H')).toBe(true);
    expect(box.owner).toBe('H');
    expect(box.heartbeat('H', 1)).toEqual({ kind: 'ok' });
    expect(box.tape('H')).toEqual(['queued', 'claimed', 'granted', 'resumed']);
    box.lapses('H');
    expect(box.claim('H', 'two')).toMatchObject({ attempt: 2, interruptedMidTurn: true });
  });

  test('forgets a claim that was not granted, and the holder claims again (core/43)', () => {
    const box = new Box();
    box.submit('I');
    box.background('H', external);
    box.claim('H');
    box.crash();
    expect(box.task('H')).toMatchObject({ stage: 'unclaimed', holder: null });
    expect(box.claim('H')).toMatchObject({ kind: 'claimed', run: null });
  });

  test('gives the turn of a lost holder to no successor (core/13, core/45)', () => {
    const box = inTurn();
    box.lapses('H');
    box.crash();
    expect(box.task('H')).toMatchObject({ stage: 'unclaimed', attempts: 1 });
    expect(box.events('H', 'attempt-lost')).toEqual([{ reason: 'holder_lost', attempt: 1 }]);
    box.claim('H', 'two');
    expect(box.events('H', 'resumed')).toMatchObject([{ attempt: 2 }]);
  });

  test('gives a holder up only for a fault, which burns no attempt (core/13, core/21)', () => {
    const box = inTurn();
    box.do({ type: 'fault', reason: 'a defect' });
    expect(box.sent('abort')).toMatchObject([{ task: 'H', run: 1, reason: 'lost' }]);
    expect(box.task('H')).toMatchObject({ stage: 'unclaimed', run: null });
    box.unpark();
    expect(box.claim('H', 'two')).toMatchObject({ attempt: 1 });
  });

  test('of which another has taken the session leaves its holders to that one (core/32)', () => {
    const box = held();
    box.do({ type: 'fenced' });
    expect(box.sent('abort')).toEqual([]);
  });
});
