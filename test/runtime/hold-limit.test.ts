/** The hold limit through the public interface: who gives way, who ends, and what a cancel after it says. */
import { describe, expect, it } from 'vitest';
import { expectSound, openBox } from '../support/box.ts';
import { ManualClock } from '../support/manual-clock.ts';

const limits = { holdLimitMs: 1_000, silenceMs: 100_000, maxWaitMs: 100_000 };

describe('the hold limit', () => {
  it('makes a background task give way to one that waits politely, and it completes after that', async () => {
    const clock = new ManualClock();
    await using one = await openBox({ clock, limits });
    const job = await one.background({ prompt: 'a long job', maxAttempts: 1, onLost: 'fail' });
    const first = await one.stage.turn();
    const polite = await one.send({ prompt: 'when you have time', whenBusy: 'enqueue' });
    await one.quiet();
    clock.advance(999);
    await one.quiet();
    expect(first.context.signal.aborted).toBe(false);
    clock.advance(1);
    await first.interrupted;
    const answered = await one.stage.turn();
    expect(answered.prompt).toBe('when you have time');
    answered.finish();
    const resumed = await one.stage.turn();
    expect(resumed.prompt).toContain('a long job');
    resumed.finish('done');
    expect(await one.ended(job)).toMatchObject({
      status: 'completed',
      final: { attempts: 1, answer: { text: 'done' } },
    });
    expect(await one.ended(polite)).toMatchObject({ status: 'completed' });
    expectSound(await one.ended(job), await one.tape(job));
    const tape = await one.tape(job);
    expect(tape.filter(({ type }) => type === 'interrupt-requested').map(({ data }) => data)).toMatchObject([
      { why: 'hold', by: { kind: 'deadline', name: 'hold' } },
    ]);
  });

  it('ends an interactive task that keeps others waiting, and a cancel after it names that verdict', async () => {
    const clock = new ManualClock();
    await using one = await openBox({ clock, limits });
    const owner = await one.send({ prompt: 'without an end' });
    await one.stage.turn();
    const next = await one.send({ prompt: 'next' });
    await one.quiet();
    clock.advance(999);
    await one.quiet();
    // The cancel comes in the same pass, so the agent has not ended the turn yet.
    clock.advance(1);
    expect(await one.box.cancel(owner)).toMatchObject({
      kind: 'receipt',
      receipt: { state: 'requested', verdict: 'failed', reason: 'hold_limit' },
    });
    expect(await one.ended(owner)).toMatchObject({ status: 'failed', reason: 'hold_limit' });
    (await one.stage.turn()).finish();
    expect(await one.ended(next)).toMatchObject({ status: 'completed' });
  });
});
