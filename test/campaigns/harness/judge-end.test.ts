import { expect, test } from 'vitest';
import type { ReadEvent } from '../../../src/client/index.ts';
import { judgeEnd } from './judge-end.ts';

const policy = { maxAttempts: 2, onLost: 'retry' } as const;

/** A tape of these events, as far as the judge reads them. */
const tape = (...events: readonly (readonly [string, object])[]): ReadEvent[] =>
  events.map(
    ([type, data], at) => ({ kind: 'known', seq: at + 1, at: 0, session: 's', task: 't', type, data }) as never,
  );

const final = (status: string, reason: string, attempts = 1, by: object | null = null) =>
  ['final', { status, reason, by, attempts, answer: null, result: null }] as const;
const ended = (failure: object | null) =>
  ['turn-ended', { turn: 1, outcome: 'failed', failure, reason: null }] as const;

test('an end that no rule allows is wrong', () => {
  expect(judgeEnd(tape(['queued', {}]), policy)).toHaveProperty('wrong');
  for (const [reason, attempts] of [
    ['agent_lost', 1],
    ['silence_deadline', 1],
    ['agent_killed', 2],
    ['node_restarted', 2],
    ['drain_deadline', 2],
    ['expired', 1],
    ['turn_output_limit', 1],
    ['overloaded', 1],
  ] as const) {
    expect([reason, judgeEnd(tape(final('failed', reason, attempts)), policy)]).toEqual([
      reason,
      { wrong: expect.any(String) },
    ]);
  }
  expect(judgeEnd(tape(final('cancelled', 'cancelled')), policy)).toHaveProperty('wrong');
  const outage = { class: 'overloaded', transient: true, message: '', hint: '' };
  expect(judgeEnd(tape(ended(outage), final('failed', 'overloaded')), policy)).toHaveProperty('wrong');
  // It was never sent, so it was to be tried again whatever its policy says.
  expect(judgeEnd(tape(final('failed', 'node_restarted')), { ...policy, onLost: 'fail' })).toHaveProperty('wrong');
});

test('an end that a rule allows is named', () => {
  const by = { kind: 'person', name: 'ada' };
  expect(judgeEnd(tape(final('completed', 'completed')), policy)).toEqual({ just: 'completed' });
  expect(judgeEnd(tape(final('cancelled', 'stopped', 1, by)), policy)).toEqual({ just: 'cancelled (stopped)' });
  expect(judgeEnd(tape(final('failed', 'agent_lost', 2)), policy)).toEqual({ just: 'attempts used up' });
  expect(judgeEnd(tape(final('failed', 'holder_lost', 2)), policy)).toEqual({ just: 'attempts used up' });
  expect(judgeEnd(tape(final('failed', 'holder_lost', 1)), { ...policy, onLost: 'fail' })).toHaveProperty('just');
  const runner = { kind: 'runner', name: 'runner' };
  expect(judgeEnd(tape(final('failed', 'no_tests', 1, runner)), policy)).toEqual({ just: 'the word of its runner' });
  expect(judgeEnd(tape(['expired', { waitsFor: 'agent' }], final('failed', 'expired')), policy)).toEqual({
    just: 'expired (agent)',
  });
  const login = { class: 'auth', transient: true, login: true, message: '', hint: '' };
  expect(judgeEnd(tape(ended(login), final('failed', 'auth')), policy)).toEqual({ just: 'the answer of its agent' });
  const cut = tape(['turn-sent', {}], final('failed', 'node_restarted'));
  expect(judgeEnd(cut, { ...policy, onLost: 'fail' })).toEqual({ just: 'cut off, and not to be sent again' });
});
