/** Tasks and calls that ask for a model: by protocol where the agent can, else by a restart with its conversation resumed. */
import { describe, expect, test } from 'vitest';
import { Box, everything, inBackground } from '../support/core-driver.ts';

const stale = (what: string): unknown => ({ kind: 'stale', what });
const refused = (code: string): unknown => ({ kind: 'refused', code });

/** A runner between two turns of one hold, the second of which is for another model. */
function switching(): Box {
  const box = new Box();
  box.submit('R', { mode: 'code' });
  box.call('R', 1, 1);
  box.runs();
  box.result('completed');
  box.call('R', 1, 2, 'large');
  return box;
}

describe('a hold that spans several turns', () => {
  test('C27 changes the model of its agent between two turns (core/14, core/36)', () => {
    const box = switching();
    expect(box.sent('switch')).toEqual([{ type: 'switch', incarnation: 1, model: 'large' }]);
    expect(box.acts).toEqual(['switch']);
    expect([...box.armed]).toEqual(['switch:1']);
    expect(box.owner).toBe('R');
    expect(box.state).toBe('pending');
    box.switched('large');
    expect(box.acts).toEqual(['prompt']);
    expect(box.armed).not.toContain('switch:1');
    box.answers();
    // The third turn says nothing of a model: it is for that of its task.
    box.call('R', 1, 3);
    expect(box.sent('switch')).toEqual([{ type: 'switch', incarnation: 1, model: null }]);
    box.switched(null);
    expect(box.acts).toEqual(['prompt']);
    expect(box.epoch).toBe(1);
    expect(box.tape()).toEqual(expect.arrayContaining(['model-switching', 'model-switched']));
  });

  test('C27 restarts an agent that refuses the model, does not answer, dies over it, or cannot change it (core/36, core/33, core/13)', () => {
    const ways: readonly ((box: Box) => unknown)[] = [
      (box) => {
        box.switched('large', false);
        expect(box.acts).toEqual(['close']);
        box.exited();
      },
      (box) => {
        box.passes('switch');
        expect(box.acts).toEqual(['kill']);
        expect(box.events('R', 'deadline-reached')).toEqual([{ name: 'switch', turn: 2, epoch: 1 }]);
        expect(box.switched('large')).toEqual(stale('incarnation'));
        box.exited();
      },
      (box) => box.exited(),
    ];
    for (const way of ways) {
      const box = switching();
      way(box);
      expect(box.sent('start')).toEqual([
        { type: 'start', incarnation: 2, conversation: 'c1', agent: null, model: 'large' },
      ]);
      box.runs();
      expect(box.task('R')).toMatchObject({ attempts: 1, interruptedMidTurn: false });
      expect(box.epoch).toBe(1);
    }
    const box = new Box();
    box.submit('A');
    box.ready({ caps: { ...everything, models: false } });
    box.started();
    box.result('completed');
    box.submit('B', { model: 'large' });
    expect(box.acts).toEqual(['close']);
    box.exited();
    expect(box.sent('start')).toEqual([
      { type: 'start', incarnation: 2, conversation: 'c1', agent: null, model: 'large' },
    ]);
  });

  test('C27 gives way to a demand, and obeys a cancel, while the model changes (core/6, core/17, core/36)', () => {
    const box = inBackground();
    box.result('completed');
    box.background('big', { model: 'large' });
    box.submit('A', { model: 'small' });
    // Nothing of it is on the wire: it gives way at once, and the switch goes to its end.
    expect(box.owner).toBe('A');
    expect(box.acts).toEqual([]);
    box.switched('large');
    expect(box.sent('switch')).toEqual([{ type: 'switch', incarnation: 1, model: 'small' }]);
    expect(box.sent('prompt')).toEqual([]);
    box.cancel('A');
    expect(box.final('A')).toBe('cancelled cancelled');
    box.switched('small');
    expect(box.sent('switch')).toEqual([{ type: 'switch', incarnation: 1, model: 'large' }]);
    box.switched('large');
    expect(box.sent('prompt')).toMatchObject([{ task: 'big', resumed: false }]);
    expect(box.outcomes('A')).toEqual([]);
  });

  test('C05 C06 never sends a cancelled turn when the agent dies while it changes its model (core/9, core/36)', () => {
    const box = switching();
    box.submit('B', { model: 'small' });
    box.cancel('R');
    expect(box.final('R')).toBe('cancelled cancelled');
    expect(box.owner).toBe('B');
    box.exited();
    box.runs();
    // The turn that was cancelled before it was sent is never sent.
    expect(box.all('prompt').map(({ task, turn }) => `${task} ${turn}`)).toEqual(['R 1', 'B 3']);
    expect(box.all('start').map(({ model }) => model)).toEqual([null, 'small']);
  });
});

describe('an agent that changes its model', () => {
  test('is ignored when it reports another model, or a change that was not requested (core/15, core/24, core/36)', () => {
    const box = switching();
    expect(box.switched('small')).toEqual(stale('unexpected'));
    expect(box.switched('large', true, 7)).toEqual(stale('incarnation'));
    box.switched('large');
    expect(box.switched('large')).toEqual(stale('unexpected'));
    expect(box.late('switch', box.incarnation)).toEqual(stale('timer'));
  });

  test('gets the next prompt after the unsolicited turn that it began meanwhile (core/10, core/36)', () => {
    const box = switching();
    box.unsolicited('began');
    box.switched('large');
    expect(box.acts).toEqual([]);
    box.unsolicited('ended');
    expect(box.acts).toEqual(['prompt']);
  });

  test('is not closed to make room, and becomes idle when its owner ends (core/33, core/36)', () => {
    const box = switching();
    expect(box.do({ type: 'make-room' })).toEqual(refused('agent_not_running'));
    expect(box.late('idle', box.incarnation)).toEqual(stale('timer'));
    box.cancel('R');
    expect(box.owner).toBeNull();
    box.switched('large');
    expect([...box.armed]).toEqual(['idle:1']);
    box.submit('A', { model: 'large' });
    expect(box.acts).toEqual(['prompt']);
  });

  test('never gets a message for another model by steer or merge (core/28, core/36)', () => {
    const box = new Box();
    box.submit('A', { mergeGroup: 'p', model: 'large' });
    box.runs();
    box.submit('none', { mergeGroup: 'p', whenBusy: 'steer' });
    box.submit('same', { mergeGroup: 'p', whenBusy: 'steer', model: 'large' });
    expect(box.all('steer').map(({ task }) => task)).toEqual(['none', 'same']);
    box.submit('other', { mergeGroup: 'p', whenBusy: 'steer', model: 'small' });
    expect(box.reply).toMatchObject({ fallback: true, stage: 'waiting' });
    box.submit('part 1', { mergeGroup: 'q', whenBusy: 'collect', model: 'large' });
    box.submit('part 2', { mergeGroup: 'q', whenBusy: 'collect', model: 'small' });
    expect(box.task('part 2').mergedInto).toBeNull();
    box.submit('part 3', { mergeGroup: 'q', whenBusy: 'collect', model: 'small' });
    expect(box.task('part 3').mergedInto).toBe('part 2');
  });
});
