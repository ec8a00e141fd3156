/** S11: the breaker, one invariant at a time, then against any history. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BreakerState } from '../../src/supervise/index.ts';
import { breakerAdmit, breakerClosed, breakerFailed, breakerSucceeded } from '../../src/supervise/index.ts';

const plan = { openAfter: 3, coolDownMs: 1_000, coolDownMaxMs: 4_000, forgetMs: 10_000 };

const failing = (times: number, at = 0): BreakerState => {
  let state = breakerClosed;
  for (let failure = 0; failure < times; failure += 1) {
    state = breakerFailed(plan, state, at);
  }
  return state;
};

describe('S11: the breaker', () => {
  test('opens after the stated count, and not before', () => {
    expect(failing(2)).toMatchObject({ kind: 'closed', failures: 2 });
    expect(failing(3)).toEqual({ kind: 'open', failures: 3, opened: 1, until: 1_000 });
  });

  test('counts failures in a row: a success resets it', () => {
    const state = breakerFailed(plan, breakerSucceeded(failing(2)), 5);
    expect(state).toEqual({ kind: 'closed', failures: 1, lastAt: 5 });
  });

  test('forgets an old failure', () => {
    expect(breakerFailed(plan, failing(2), 10_001)).toMatchObject({ kind: 'closed', failures: 1 });
    expect(breakerFailed(plan, failing(2), 10_000)).toMatchObject({ kind: 'open' });
  });

  test('breaker/1: lets nothing through while it is open, and says until when', () => {
    expect(breakerAdmit(plan, failing(3), 999)).toMatchObject({ admitted: false, retryAt: 1_000 });
  });

  test('breaker/1: lets one trial through when it is half-open', () => {
    const first = breakerAdmit(plan, failing(3), 1_000);
    expect(first).toMatchObject({ admitted: true, trial: true });
    expect(breakerAdmit(plan, first.state, 1_001)).toMatchObject({ admitted: false, retryAt: 2_000 });
  });

  test('breaker/2: lets another trial through after one that never reports', () => {
    const first = breakerAdmit(plan, failing(3), 1_000);
    expect(breakerAdmit(plan, first.state, 2_000)).toMatchObject({ admitted: true, trial: true });
  });

  test('breaker/3: doubles the cool-down with each failed trial up to the longest, and closes on a success', () => {
    let state = failing(3);
    let now = 0;
    const coolDowns: number[] = [];
    for (let trial = 0; trial < 5; trial += 1) {
      if (state.kind !== 'open') {
        throw new Error(state.kind);
      }
      coolDowns.push(state.until - now);
      now = state.until;
      state = breakerFailed(plan, breakerAdmit(plan, state, now).state, now);
    }
    expect(coolDowns).toEqual([1_000, 2_000, 4_000, 4_000, 4_000]);
    const again = breakerAdmit(plan, state, now + 4_000);
    expect(breakerSucceeded(again.state)).toEqual(breakerClosed);
  });

  test('breaker/4: ignores the outcome of calls from before it opened', () => {
    const open = failing(3);
    expect(breakerFailed(plan, open, 500)).toBe(open);
    expect(breakerSucceeded(open)).toBe(open);
  });

  test('never stays closed to all callers for longer than the longest cool-down', () => {
    const history = fc.array(fc.tuple(fc.constantFrom('ok', 'failed', 'ask'), fc.nat(6_000)), { maxLength: 60 });
    fc.assert(
      fc.property(history, (steps) => {
        let state: BreakerState = breakerClosed;
        let now = 0;
        for (const [step, ms] of steps) {
          now += ms;
          if (step === 'ok') {
            state = breakerSucceeded(state);
          } else if (step === 'failed') {
            state = breakerFailed(plan, state, now);
          } else {
            const asked = breakerAdmit(plan, state, now);
            if (!asked.admitted) {
              expect(asked.retryAt - now).toBeLessThanOrEqual(plan.coolDownMaxMs);
              expect(breakerAdmit(plan, state, asked.retryAt).admitted).toBe(true);
            }
            state = asked.state;
          }
        }
      }),
    );
  });
});
