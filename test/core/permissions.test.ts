/** Permission requests: who decides them, and what ends a wait for a person. */
import { describe, expect, test } from 'vitest';
import { Box, inBackground } from '../support/core-driver.ts';

const ok = { kind: 'ok' };
const stale = (what: string): unknown => ({ kind: 'stale', what });
const notPending = { kind: 'refused', code: 'no_permission_request' };

describe('a permission request', () => {
  test('is allowed or denied by a person, and is denied at its deadline (core/34, core/35)', () => {
    const box = inBackground();
    for (const request of ['a', 'b', 'c']) {
      box.asks(request);
      expect(box.acts).toEqual([]);
    }
    expect(box.armed).toContain('permission:1');
    box.respond('b', false);
    expect(box.sent('respond')).toEqual([
      { type: 'respond', incarnation: 1, turn: 1, request: 'b', allow: false, note: null },
    ]);
    box.respond('a', true);
    expect(box.sent('respond')).toMatchObject([{ request: 'a', allow: true }]);
    expect(box.armed).not.toContain('silence:1');
    box.passes('permission');
    expect(box.sent('respond')).toMatchObject([{ request: 'c', allow: false }]);
    expect(box.events('bg', 'deadline-reached')).toEqual([{ name: 'permission', turn: 1, epoch: 1 }]);
    expect(box.decisions('bg')).toEqual(['b deny somebody', 'a allow somebody', 'c deny deadline']);
    // The turn goes on, and its silence counts again from now.
    expect([...box.armed]).toEqual(['silence:1']);
    box.result('completed');
    expect(box.final('bg')).toBe('completed completed');
  });

  test('is answered by the policy where the policy has an answer (core/34)', () => {
    const box = inBackground();
    box.asks('a', 'allow');
    expect(box.sent('respond')).toMatchObject([{ request: 'a', allow: true }]);
    box.asks('b', 'deny');
    expect(box.sent('respond')).toMatchObject([{ request: 'b', allow: false }]);
    expect([...box.armed]).toEqual(['silence:1']);
    expect(box.decisions('bg')).toEqual(['a allow policy', 'b deny policy']);
    expect(box.respond('a', false)).toEqual(notPending);
  });

  test('can be withdrawn by its agent once, and changes nothing when it is repeated (core/34, core/24)', () => {
    const box = inBackground();
    box.asks('a');
    expect(box.asks('a')).toEqual(stale('unexpected'));
    expect(box.asks('a', 'allow')).toEqual(stale('unexpected'));
    expect(box.withdraws('b')).toEqual(stale('unexpected'));
    expect(box.withdraws('a')).toEqual(ok);
    expect(box.acts).toEqual([]);
    expect(box.respond('a', true)).toEqual(notPending);
    expect(box.withdraws('a')).toEqual(stale('unexpected'));
    expect(box.decisions('bg')).toEqual(['a withdrawn agent']);
  });

  test('is answered only by a decision that names its turn, while that turn runs (core/34, core/15)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.asks('a');
    box.result('completed');
    expect(box.decisions('A')).toEqual(['a withdrawn nobody']);
    box.submit('B');
    box.started();
    expect(box.asks('a', null, 1)).toEqual(stale('turn'));
    box.asks('a');
    expect(box.respond('a', true, 1)).toEqual(notPending);
    expect(box.respond('b', true)).toEqual(notPending);
    expect(box.respond('a', true)).toEqual(ok);
    expect(box.respond('a', true)).toEqual(notPending);
  });

  test('is decided once in its turn, however it was decided and whatever its agent requests again (core/34)', () => {
    const ways: readonly ((box: Box) => unknown)[] = [
      (box) => (box.asks('a'), box.respond('a', true)),
      (box) => box.asks('a', 'deny'),
      (box) => (box.asks('a'), box.withdraws('a')),
      (box) => (box.asks('a'), box.passes('permission')),
      (box) => (box.asks('a'), box.submit('A')),
      (box) => (box.submit('A'), box.asks('a')),
    ];
    for (const decide of ways) {
      const box = inBackground();
      decide(box);
      for (const decision of [null, 'allow', 'deny'] as const) {
        expect(box.asks('a', decision)).toEqual(stale('unexpected'));
      }
      expect(box.decisions('bg')).toHaveLength(1);
      expect(box.all('respond').length).toBeLessThanOrEqual(1);
    }
    // Latched: the agent has been answered, and requests the same with the confirmation of its turn.
    const latched = new Box();
    latched.submit('A');
    latched.ready();
    latched.asks('a');
    latched.cancel('A');
    latched.started();
    expect(latched.asks('a', 'allow')).toEqual(stale('unexpected'));
    expect([latched.decisions('A').length, latched.all('respond').length]).toEqual([1, 1]);
    // The names of the next turn are its own.
    latched.drains();
    latched.submit('B');
    latched.started();
    expect(latched.asks('a')).toEqual(ok);
  });

  test('is denied at once when too many others wait (core/34)', () => {
    const box = inBackground();
    for (let request = 1; request <= 40; request += 1) {
      box.asks(`r${request}`);
    }
    expect(box.session.hold?.turn?.permissionRequests).toHaveLength(32);
    expect(box.all('respond')).toHaveLength(8);
    expect(box.decisions('bg').at(-1)).toBe('r40 deny limit');
  });
});

describe('a wait for a person', () => {
  test('C05 ends at an interrupt, and does not begin while an interrupt waits to be sent (core/9, core/34, core/35)', () => {
    const box = inBackground();
    box.asks('a');
    box.submit('A');
    // The driver tells the agent itself: the interrupt is all that goes on the wire.
    expect(box.acts).toEqual(['interrupt']);
    expect(box.decisions('bg')).toEqual(['a withdrawn task']);
    expect(box.armed).toContain('drain:1');
    expect(box.respond('a', true)).toEqual(notPending);
    expect(box.withdraws('a')).toEqual(stale('unexpected'));
    box.drains();
    expect(box.owner).toBe('A');
    // One that asks before it has confirmed its turn would wait for ever: its interrupt is not written yet.
    box.asks('b');
    box.cancel('A');
    expect(box.sent('respond')).toMatchObject([{ turn: 2, request: 'b', allow: false }]);
    expect(box.acts).toEqual(['respond']);
    box.started();
    expect(box.acts).toEqual(['interrupt']);
    box.drains();
    expect(box.final('A')).toBe('cancelled cancelled');
  });

  test('C13 does not begin in a turn that is being interrupted, and an empty result then cancels the task (core/12, core/34, core/35)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.cancel('A');
    box.asks('a', 'allow');
    expect(box.sent('respond')).toMatchObject([{ request: 'a', allow: false }]);
    box.ack();
    box.asks('b');
    expect(box.sent('respond')).toMatchObject([{ request: 'b', allow: false }]);
    expect(box.armed).not.toContain('permission:1');
    box.result('completed', { empty: true });
    expect(box.outcomes('A')).toEqual(['cancelled']);
    expect(box.final('A')).toBe('cancelled cancelled');
  });

  test('ends when the agent dies or is restarted, the owner is evicted, or a step throws (core/34, core/35)', () => {
    const ends: readonly ((box: Box) => unknown)[] = [
      (box) => box.exited(),
      (box) => box.evict(),
      (box) => box.do({ type: 'restart-agent', by: null }),
      (box) => box.do({ type: 'fault', reason: 'test' }),
      (box) => box.crash(),
    ];
    for (const end of ends) {
      const box = inBackground();
      box.asks('a');
      end(box);
      expect(box.sent('respond')).toEqual([]);
      expect(box.decisions('bg')).toEqual(['a withdrawn nobody']);
      expect(box.armed).not.toContain('permission:1');
    }
  });

  test('ends at the hold limit when another task waits for the owner (core/20, core/35)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.asks('a');
    box.submit('B');
    box.passes('hold');
    expect(box.decisions('A')).toEqual(['a withdrawn deadline']);
    box.drains();
    expect(box.final('A')).toBe('failed hold_limit');
    expect(box.owner).toBe('B');
  });

  test('continues while the session is parked or throttled (core/21, core/34, core/38)', () => {
    const box = inBackground();
    box.asks('a');
    box.asks('b');
    box.park();
    expect(box.respond('a', true)).toEqual(ok);
    expect(box.sent('respond')).toHaveLength(1);
    box.unpark();
    box.throttle('all');
    box.passes('permission');
    expect(box.sent('respond')).toHaveLength(1);
  });

  test('begins again when a resumed turn asks again (core/34, core/18)', () => {
    const box = inBackground();
    box.asks('a');
    box.submit('A');
    box.drains();
    box.answers();
    box.runs();
    expect(box.owner).toBe('bg');
    box.asks('a');
    expect(box.armed).toContain(`permission:${box.turn}`);
    box.respond('a', true);
    expect(box.decisions('bg')).toEqual(['a withdrawn task', 'a allow somebody']);
  });
});
