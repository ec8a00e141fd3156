/** The ladder's rungs under a clock that the test turns: each has one deadline, and giving up is told. */
import { describe, expect, test } from 'vitest';
import { HandTimers, Watched } from './harness.ts';

const rungs = { closeGraceMs: 11, termGraceMs: 22, reapDeadlineMs: 33 };

describe('a ladder of deadlines', () => {
  test('arms one deadline per rung, from its begin', async () => {
    const timers = new HandTimers();
    await using child = new Watched(['ignore-eof', 'ignore-term', 'say:up', 'wait'], { ...rungs, timers });
    await child.line(0);
    expect(timers.delays).toEqual([]);
    child.child.close();
    expect(timers.delays).toEqual([11]);
    timers.fire();
    expect(timers.delays).toEqual([22]);
    await child.line(1);
    expect(child.exits).toEqual([]);
    timers.fire();
    expect(timers.delays).toEqual([33]);
    expect(await child.exit()).toMatchObject({ reason: 'closed', rung: 'kill', signal: 'SIGKILL' });
    expect(timers.delays).toEqual([]);
  });

  test('ignores a second begin before its end', async () => {
    const timers = new HandTimers();
    await using child = new Watched(['ignore-term', 'say:up', 'wait'], { ...rungs, timers });
    await child.line(0);
    child.child.kill();
    const [armed] = timers.armed.keys();
    child.child.kill();
    child.child.close();
    expect([...timers.armed.keys()]).toEqual([armed]);
    timers.fire();
    await child.exit();
  });

  test('gives up at its last deadline with a list of what is left, and ignores a later end', async () => {
    const timers = new HandTimers();
    await using child = new Watched(['say:up', 'wait'], { ...rungs, timers });
    await child.line(0);
    child.child.kill();
    timers.fire();
    // In the same breath as SIGKILL: the loop has not turned, so the end cannot have been seen.
    timers.fire();
    expect(child.exits).toHaveLength(1);
    expect(child.exits[0]).toMatchObject({ reason: 'killed', rung: 'kill', code: null });
    await Watched.reaped(child.pid);
    await Watched.turns(3);
    expect(child.exits).toHaveLength(1);
  });
});
