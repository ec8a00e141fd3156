/** How a conversation ends and another begins: by a command, for a task, or since it is too long for its model. */
import { describe, expect, test } from 'vitest';
import { Box, everything, inBackground, somebody } from '../support/core-driver.ts';

const fresh = { conversation: 'fresh' } as const;

/** What the session's tape says of conversations that ended. */
const ends = (box: Box): readonly unknown[] =>
  box.whole().flatMap(({ type, data }) => (type === 'conversation-ended' ? [data] : []));

/** A session with a conversation `c1` in which a task was answered, and an agent at rest. */
function answered(): Box {
  const box = new Box();
  box.submit('before');
  box.answers();
  return box;
}

describe('a conversation that was lost', () => {
  test('is in the next prompt again after a turn that failed before its agent had confirmed it (core/33)', () => {
    const box = new Box();
    box.submit('A');
    box.ready({ conversation: 'c2', conversationReset: true });
    expect(box.sent('prompt')).toMatchObject([{ conversationReset: 'lost' }]);
    box.fails('overloaded', true);
    expect(box.sent('prompt')).toMatchObject([{ conversationReset: 'lost' }]);
    box.started();
    box.fails('overloaded', true);
    expect(box.sent('prompt')).toMatchObject([{ conversationReset: null }]);
  });
});

describe('a command for a fresh conversation', () => {
  test('ends that of an idle agent at once, and the next prompt says so once (core/47)', () => {
    const box = answered();
    expect(box.renew()).toEqual({ kind: 'conversation', state: 'ended', turn: null });
    expect(box.acts).toEqual(['close']);
    expect(ends(box)).toEqual([{ conversation: 'c1', why: 'command', by: somebody }]);
    box.submit('A');
    box.exited();
    expect(box.sent('start')).toMatchObject([{ conversation: null }]);
    box.ready({ conversation: 'c2' });
    expect(box.sent('prompt')).toMatchObject([{ task: 'A', conversationReset: 'fresh' }]);
    box.started();
    box.result('completed');
    box.submit('B');
    expect(box.sent('prompt')).toMatchObject([{ task: 'B', conversationReset: null }]);
  });

  test('leaves the turn that runs alone, and applies at its boundary (core/47)', () => {
    const box = inBackground();
    expect(box.renew()).toEqual({ kind: 'conversation', state: 'requested', turn: 1 });
    expect(box.acts).toEqual([]);
    box.submit('A');
    box.drains();
    expect(box.acts).toEqual(['close']);
    box.exited();
    box.ready({ conversation: 'c2' });
    box.answers();
    // What the old conversation had of the background task, the new one does not have.
    expect(box.sent('prompt')).toMatchObject([
      { task: 'bg', delivered: false, resumed: true, conversationReset: null },
    ]);
  });

  test('waits for an agent that starts, and for one in an unsolicited turn (core/47)', () => {
    const starting = answered();
    starting.passes('idle');
    starting.exited();
    starting.submit('A');
    expect(starting.renew()).toEqual({ kind: 'conversation', state: 'requested', turn: null });
    starting.ready();
    expect(starting.acts).toEqual(['close']);
    const busy = answered();
    busy.unsolicited('began');
    expect(busy.renew()).toEqual({ kind: 'conversation', state: 'requested', turn: null });
    busy.submit('A');
    busy.unsolicited('ended');
    expect(busy.acts).toEqual(['close']);
  });

  test('changes nothing where nothing was said yet, or the conversation was lost meanwhile (core/47)', () => {
    const unused = new Box();
    expect(unused.renew()).toEqual({ kind: 'conversation', state: 'unused', turn: null });
    const lost = answered();
    lost.passes('idle');
    lost.exited();
    lost.submit('A');
    lost.renew();
    lost.ready({ conversation: 'c2', conversationReset: true });
    expect(lost.sent('prompt')).toMatchObject([{ task: 'A', conversationReset: 'lost' }]);
    expect(ends(lost)).toEqual([]);
  });

  test('is not forgotten when the daemon dies before it applies (core/47, core/25)', () => {
    const box = inBackground();
    box.renew();
    box.crash();
    expect(ends(box)).toEqual([{ conversation: 'c1', why: 'command', by: somebody }]);
    expect(box.all('start').at(-1)).toMatchObject({ conversation: null });
    box.crash();
    box.ready({ conversation: 'c2' });
    expect(box.sent('prompt')).toMatchObject([{ task: 'bg', conversationReset: 'fresh' }]);
  });

  test('ends the agent of a parked session too (core/47)', () => {
    const box = answered();
    box.park();
    expect(box.renew()).toMatchObject({ state: 'ended' });
    expect(box.acts).toEqual(['close']);
  });

  test('takes a rollback that is owed with it (core/47, core/39)', () => {
    const box = new Box();
    box.submit('A', { mergeGroup: 'p' });
    box.runs();
    box.submit('R', { mergeGroup: 'p', whenBusy: 'rollback' });
    box.renew();
    box.drains();
    box.exited();
    box.ready({ conversation: 'c2' });
    expect(box.sent('prompt')).toMatchObject([{ task: 'R', rewind: null, conversationReset: 'fresh' }]);
  });
});

describe('a task that wants a fresh conversation', () => {
  test('begins it with its first turn, and continues in it (core/47)', () => {
    const box = answered();
    box.background('bg', fresh);
    expect(box.acts).toEqual(['close']);
    expect(ends(box)).toEqual([{ conversation: 'c1', why: 'task', by: { kind: 'task', name: 'bg' } }]);
    box.exited();
    box.ready({ conversation: 'c2' });
    box.started();
    box.output();
    box.submit('A');
    box.drains();
    box.answers();
    expect(box.sent('prompt')).toMatchObject([{ task: 'bg', delivered: true }]);
    expect(ends(box)).toHaveLength(1);
  });

  test('needs no other where the conversation is fresh (core/47)', () => {
    const box = new Box();
    box.submit('A', fresh);
    box.answers();
    expect(box.final('A')).toBe('completed completed');
    expect(ends(box)).toEqual([]);
  });

  test('leaves the conversation alone if it is cancelled before its turn can begin (core/47)', () => {
    const box = inBackground();
    box.do({ type: 'restart-agent', by: null });
    box.submit('A', fresh);
    box.cancel('A');
    box.exited();
    expect(box.sent('start')).toMatchObject([{ conversation: 'c1' }]);
    expect(ends(box)).toEqual([]);
  });

  test('shares a turn with those that want it too, and with no other (core/47, core/28)', () => {
    const p = { mergeGroup: 'p', whenBusy: 'collect' } as const;
    const box = answered();
    box.submit('A', { ...p, ...fresh });
    expect(box.submit('B', { ...p, ...fresh })).toMatchObject({ mergedInto: 'A' });
    expect(box.submit('C', p)).toMatchObject({ mergedInto: null });
    const busy = inBackground({ mergeGroup: 'p' });
    expect(busy.submit('D', { mergeGroup: 'p', whenBusy: 'steer', ...fresh })).toMatchObject({
      mergedInto: null,
      fallback: true,
    });
  });
});

describe('a conversation that is too long for its model', () => {
  test('ends, and its task continues in a fresh one with its whole text; no attempt is lost (core/47)', () => {
    const box = answered();
    box.submit('A');
    box.started();
    box.fails('context', false);
    expect(ends(box)).toEqual([{ conversation: 'c1', why: 'full', by: { kind: 'task', name: 'A' } }]);
    expect(box.task('A')).toMatchObject({ attempts: 1, retries: 1 });
    box.exited();
    box.ready({ conversation: 'c2' });
    expect(box.sent('prompt')).toMatchObject([
      { task: 'A', delivered: false, resumed: true, conversationReset: 'full' },
    ]);
    box.answers();
    expect(box.final('A')).toBe('completed completed');
  });

  test('fails the task whose turn has begun it (core/47)', () => {
    const box = answered();
    box.submit('A');
    box.started();
    box.fails('context', false);
    box.exited();
    box.ready({ conversation: 'c2' });
    box.started();
    box.fails('context', false);
    expect(box.final('A')).toBe('failed context');
    expect(ends(box)).toHaveLength(1);
  });

  test('fails the task at once if the daemon is to begin none (core/47)', () => {
    const box = new Box({ freshWhenFull: false });
    box.submit('before');
    box.answers();
    box.submit('A');
    box.started();
    box.fails('context', false);
    expect(box.final('A')).toBe('failed context');
  });

  test('ends also after a turn that was to be preempted, which costs no retry (core/47)', () => {
    const box = answered();
    box.background('bg');
    box.started();
    box.submit('A');
    box.ack();
    box.fails('context', false);
    expect(box.outcomes('bg')).toEqual(['preempted']);
    expect(box.task('bg').retries).toBe(0);
    expect(ends(box)).toHaveLength(1);
    expect(box.acts).toEqual(['close']);
  });

  test('has its runner told nothing: the call is answered by the turn in the fresh one (core/47)', () => {
    const box = new Box();
    box.submit('before');
    box.ready({ caps: everything });
    box.started();
    box.result('completed');
    box.background('code', { mode: 'code' });
    box.call('code', box.epoch, 1);
    box.started();
    box.fails('context', false);
    expect(box.sent('settle')).toEqual([]);
    box.exited();
    box.ready({ conversation: 'c2' });
    box.started();
    box.result('completed');
    expect(box.sent('settle')).toMatchObject([{ call: 1, outcome: 'completed' }]);
  });
});
