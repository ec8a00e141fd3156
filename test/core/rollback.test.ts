/** What a rollback takes out of the conversation, and that it is owed until an agent has read it. */
import { describe, expect, test } from 'vitest';
import { Box, everything } from '../support/core-driver.ts';

const p = { mergeGroup: 'p' } as const;
const rollback = { ...p, whenBusy: 'rollback' } as const;

/** The turn of `A` runs and is rolled back by `R`, whose prompt is written. */
function rolledBack(): Box {
  const box = new Box();
  box.submit('A', p);
  box.runs();
  box.submit('R', rollback);
  box.drains();
  expect(box.final('A')).toBe('cancelled rolled_back');
  expect(box.sent('prompt')).toMatchObject([{ task: 'R', turn: 2, rewind: 1 }]);
  return box;
}

const told = (box: Box): readonly unknown[] =>
  box.whole().flatMap(({ type, data }) => (type === 'conversation-rewound' ? [data] : []));

describe('C33: a rollback', () => {
  test('is owed until a turn that carried it has started (core/39)', () => {
    const box = rolledBack();
    expect(box.session.conversation.rewind).toBe(1);
    box.started();
    expect(box.session.conversation.rewind).toBeNull();
    expect(told(box)).toEqual([{ from: 1, turn: 2, ok: true }]);
    box.result('completed');
    box.submit('B', p);
    expect(box.sent('prompt')).toMatchObject([{ task: 'B', rewind: null }]);
  });

  test('is carried by the next prompt when its agent dies, its node dies, or its own task is cancelled (core/39)', () => {
    const losses: readonly ((box: Box) => void)[] = [
      (box) => (box.exited(), box.ready()),
      (box) => (box.crash(), box.ready()),
      (box) => (box.cancel('R'), box.exited(), box.submit('B'), box.ready()),
      (box) => (box.evict(), box.exited(), box.submit('B'), box.ready()),
      (box) => (box.do({ type: 'fault', reason: 'x' }), box.exited(), box.unpark(), box.ready()),
    ];
    for (const lose of losses) {
      const box = rolledBack();
      lose(box);
      expect(box.sent('prompt')).toMatchObject([{ turn: 3, rewind: 1 }]);
      box.started();
      expect(told(box)).toEqual([{ from: 1, turn: 3, ok: true }]);
    }
  });

  test('is carried by the message that comes first (core/39)', () => {
    const box = new Box();
    box.submit('A', p);
    box.runs();
    box.submit('other', { whenBusy: 'enqueue' });
    box.submit('R', rollback);
    box.drains();
    expect(box.sent('prompt')).toMatchObject([{ task: 'other', rewind: 1 }]);
    box.started();
    box.result('completed');
    expect(box.sent('prompt')).toMatchObject([{ task: 'R', rewind: null }]);
  });

  test('adds up with one before it that no agent has read yet (core/39)', () => {
    const before = rolledBack();
    before.submit('S', rollback);
    before.exited();
    before.ready();
    expect(before.sent('prompt')).toMatchObject([{ task: 'S', turn: 3, rewind: 1 }]);
    // The turn of R starts after all: turn 1 is taken out with its prompt, and turn 2 itself is still to be.
    const after = rolledBack();
    after.submit('S', rollback);
    after.started();
    expect(told(after)).toEqual([{ from: 1, turn: 2, ok: true }]);
    after.drains();
    expect(after.sent('prompt')).toMatchObject([{ task: 'S', turn: 3, rewind: 2 }]);
    after.started();
    expect(after.session.conversation.rewind).toBeNull();
  });

  test('is read also by an agent that answers without having confirmed the turn (core/39)', () => {
    const box = rolledBack();
    box.result('completed');
    expect(told(box)).toEqual([{ from: 1, turn: 2, ok: true }]);
    const transient = rolledBack();
    transient.fails('overloaded', true);
    expect(transient.sent('prompt')).toMatchObject([{ task: 'R', turn: 3, rewind: 1 }]);
  });

  test('is given up, and the tape says so, when its turn fails before it started or the agent cannot rewind (core/39)', () => {
    const failed = rolledBack();
    failed.fails('unknown', false);
    expect(told(failed)).toEqual([{ from: 1, turn: 2, ok: false }]);
    failed.submit('B', p);
    expect(failed.sent('prompt')).toMatchObject([{ task: 'B', rewind: null }]);

    const unable = rolledBack();
    unable.exited();
    unable.ready({ caps: { ...everything, rewind: false } });
    expect(unable.sent('prompt')).toMatchObject([{ task: 'R', rewind: null }]);
    expect(unable.session.conversation.rewind).toBe(1);
    unable.started();
    expect([unable.session.conversation.rewind, told(unable)]).toEqual([null, [{ from: 1, turn: 3, ok: false }]]);
  });

  test('ends with the conversation that the agent has lost (core/39)', () => {
    const box = rolledBack();
    box.exited();
    box.ready({ conversation: 'c2', conversationReset: true });
    expect(box.sent('prompt')).toMatchObject([{ task: 'R', rewind: null }]);
    expect([box.session.conversation.rewind, told(box)]).toEqual([null, []]);
  });

  test('of a turn that was not sent takes out nothing (core/39)', () => {
    const box = new Box();
    box.submit('A', p);
    box.submit('R', rollback);
    expect(box.final('A')).toBe('cancelled rolled_back');
    box.ready();
    expect(box.sent('prompt')).toMatchObject([{ task: 'R', turn: 2, rewind: null }]);
  });
});
