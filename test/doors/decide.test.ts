/** `outgoing-rules/1` to `outgoing-rules/3`: what becomes of a message, for each way to settle what is not known. */
import { describe, expect, test } from 'vitest';
import { sessionKey, taskId } from '../../src/core/model/ids.ts';
import { afterLookUp, afterSend, backoffMs, nextStep } from '../../src/runtime/outbox/decide.ts';
import type { Repeats } from '../../src/runtime/outbox/door.ts';
import type { OutboxRow } from '../../src/store/outbox.ts';

const now = 1_000_000;
const moment = { now, random: 0.5 };
const limits = { maxAgeMs: 600_000, settleMs: 30_000 };
const row: OutboxRow = {
  id: 'm',
  door: 'd',
  address: 'a',
  scope: 's',
  session: sessionKey('x'),
  task: taskId('t'),
  seq: 3,
  type: 'final',
  at: now,
  data: null,
  state: 'sending',
  version: 2,
  attempts: 1,
  since: now,
  begunAt: now,
  notBefore: now,
  heldUntil: now + 50_000,
  reference: null,
  problem: 'before',
  changedAt: now,
};
const key = { by: 'key' } as const;
const never = { by: 'never' } as const;
const lookUp: Repeats = { by: 'look-up', lookUp: () => Promise.resolve({ kind: 'absent' }) };
const again = { problem: 'p', retryAfterMs: null, wholeScope: false };

describe('a message', () => {
  test('G11 whose outcome is not known is sent again only to a receiver that knows a second copy', () => {
    const unknown = { kind: 'unknown', ...again } as const;
    expect(afterSend(row, unknown, key, moment, limits)).toMatchObject({ state: 'due', notBefore: now + 750 });
    expect(afterSend(row, unknown, lookUp, moment, limits)).toMatchObject({
      state: 'unclear',
      heldUntil: now + 30_000,
    });
    expect(afterSend(row, unknown, never, moment, limits)).toMatchObject({ state: 'unclear', heldUntil: null });
  });

  test('G05 that a dead daemon has begun is looked for, sent again, or left to a person', () => {
    const left = { ...row, state: 'unclear' as const };
    expect(nextStep(left, lookUp, moment, limits)).toBe('look-up');
    expect(nextStep(left, key, moment, limits)).toMatchObject({ state: 'due', notBefore: now });
    expect(nextStep(left, never, moment, limits)).toMatchObject({
      state: 'unclear',
      heldUntil: null,
      problem: 'before',
    });
  });

  test('that was looked for is posted, sent again where it is not there, and looked for again where that failed', () => {
    expect(afterLookUp(row, { kind: 'found', reference: 'r' }, moment, limits)).toMatchObject({
      state: 'posted',
      reference: 'r',
    });
    expect(afterLookUp(row, { kind: 'absent' }, moment, limits)).toMatchObject({ state: 'due', notBefore: now });
    const failed = { kind: 'unknown', problem: 'p' } as const;
    expect(afterLookUp(row, failed, moment, limits)).toMatchObject({ state: 'unclear', heldUntil: now + 750 });
    const old = { ...row, since: now - 600_001 };
    expect(afterLookUp(old, failed, moment, limits)).toMatchObject({ state: 'unclear', heldUntil: null });
  });

  test('waits as long as the receiver says, and no longer than its age limit', () => {
    const wait = (retryAfterMs: number | null, wholeScope = false) =>
      afterSend(row, { kind: 'refused', problem: 'p', retryAfterMs, wholeScope }, never, moment, limits);
    expect(wait(5_000)).toMatchObject({ state: 'due', notBefore: now + 5_000, pauseUntil: null });
    expect(wait(5_000, true)).toMatchObject({ notBefore: now + 5_000, pauseUntil: now + 5_000 });
    expect(wait(9_000_000)).toMatchObject({ notBefore: now + 600_001 });
    expect(wait(-5)).toMatchObject({ notBefore: now });
  });

  test('is sent up to its age limit, and ends at once where no request can send it', () => {
    const due = { ...row, state: 'due' as const };
    expect(nextStep({ ...due, since: now - 600_000 }, key, moment, limits)).toBe('send');
    expect(nextStep({ ...due, since: now - 600_001 }, key, moment, limits)).toMatchObject({
      state: 'expired',
      problem: 'before',
    });
    expect(afterSend(row, { kind: 'impossible', problem: 'p' }, key, moment, limits)).toMatchObject({
      state: 'failed',
    });
  });

  test('waits longer each time, up to ten minutes', () => {
    expect([1, 2, 3, 11, 99].map((attempts) => backoffMs(attempts, 1))).toEqual([
      1_000, 2_000, 4_000, 600_000, 600_000,
    ]);
    expect(backoffMs(3, 0)).toBe(2_000);
  });
});
