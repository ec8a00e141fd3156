/**
 * Deadlines as a function of the state: what arms one again, and what arms none. That exactly the right ones are armed after a
 * step is asserted for every step of every test here (`Box.do`), against a list of its own.
 */
import { describe, expect, test } from 'vitest';
import { Box, inBackground } from '../support/core-driver.ts';

const drains = (box: Box): readonly string[] =>
  box.effects.flatMap((effect) =>
    'timer' in effect && effect.timer === 'drain' ? [`${effect.type} ${effect.subject}`] : [],
  );

describe('a deadline', () => {
  test('of a drain begins again with each interrupt that is written (core/11, core/19)', () => {
    const box = new Box();
    box.submit('A');
    box.ready();
    box.cancel('A');
    expect(box.acts).toEqual([]);
    expect(drains(box)).toEqual(['arm 1']);
    box.started();
    expect(box.acts).toEqual(['interrupt']);
    expect(drains(box)).toEqual(['arm 1']);
    box.output();
    expect(drains(box)).toEqual([]);
    box.passes('drain');
    expect(box.acts).toEqual(['interrupt']);
    expect(drains(box)).toEqual(['arm 1']);
    box.ack();
    expect(drains(box)).toEqual([]);
    box.result('interrupted');
    expect(drains(box)).toEqual(['disarm 1']);
  });

  test('is neither armed nor disarmed by what does not concern it (core/19)', () => {
    const box = inBackground();
    box.background('next');
    box.output();
    expect(box.effects).toEqual([]);
    box.background('last');
    expect(box.effects).toEqual([]);
  });

  test('of a hold is not armed while its turn is being interrupted (core/20)', () => {
    const box = inBackground();
    box.submit('A', { whenBusy: 'enqueue' });
    expect(box.armed).toContain('hold:1');
    box.submit('B');
    expect(box.acts).toEqual(['interrupt']);
    expect([...box.armed]).toEqual(['drain:1']);
    expect(box.late('hold', 1)).toMatchObject({ kind: 'stale', what: 'timer' });
  });

  test('of a daemon that is gone is armed again by the next one (core/19, core/25)', () => {
    const box = inBackground({}, { maxPassedOver: 3 });
    box.submit('A');
    box.drains();
    expect(box.armed).toContain('wait:bg');
    box.crash();
    expect(box.sent('arm')).toContainEqual({ type: 'arm', timer: 'wait', subject: 'bg' });
    expect(box.sent('disarm')).toEqual([]);
  });
});
