/** Which agent a session has, and how another takes its place. */
import { describe, expect, test } from 'vitest';
import { Box, everything, inBackground, somebody } from '../support/core-driver.ts';

const named = (agent: string, model: string | null = null) => ({ agent, model, named: true });
const usual = { agent: 'claude', model: null, named: false };

/** A session of `claude` with a conversation `c1` in which a task was answered, and an agent at rest. */
function answered(): Box {
  const box = new Box();
  box.submit('before', {}, usual);
  box.answers();
  return box;
}

/** What the session's tape says of the agents that it got. */
const assignments = (box: Box): readonly unknown[] =>
  box.whole().flatMap(({ type, data }) => (type === 'agent-assigned' ? [data] : []));

describe('the agent of a session', () => {
  test('is the one that its first sender names, with the model of tasks that name none (core/48)', () => {
    const box = new Box();
    box.submit('A', {}, named('codex', 'large'));
    expect(box.sent('start')).toMatchObject([{ agent: 'codex', model: 'large' }]);
    expect(assignments(box)).toMatchObject([{ agent: 'codex', model: 'large', from: null, conversationLost: false }]);
    box.answers();
    box.submit('B', { model: 'small' });
    expect(box.sent('switch')).toMatchObject([{ model: 'small' }]);
  });

  test('is the usual one if its first sender names none, and its tape says so where it starts (core/48)', () => {
    const box = new Box();
    box.submit('A', {}, usual);
    expect(box.session.assigned).toEqual({ agent: 'claude', model: null });
    expect(assignments(box)).toEqual([]);
    expect(box.whole().find(({ type }) => type === 'agent-starting')?.data).toMatchObject({ agent: 'claude' });
    // What the configuration says later is for other sessions.
    box.submit('B', {}, { ...usual, agent: 'codex' });
    expect(box.session.assigned?.agent).toBe('claude');
  });

  test('refuses a message that names another, also the one that is about to go (core/48)', () => {
    const box = answered();
    const refused = { kind: 'refused', code: 'agent_differs' };
    expect(box.submit('A', {}, named('codex'))).toEqual(refused);
    expect(box.submit('A', {}, named('claude'))).toMatchObject({ kind: 'admitted' });
    box.assign('codex');
    expect(box.submit('B', {}, named('claude'))).toEqual(refused);
    expect(box.submit('B', {}, named('codex'))).toMatchObject({ kind: 'admitted' });
  });

  test('is not forgotten when its daemon dies, and neither is the next (core/48)', () => {
    const box = answered();
    box.submit('A');
    box.started();
    box.assign('codex', 'large');
    box.crash();
    expect(box.sent('start')).toMatchObject([{ agent: 'codex', model: 'large', conversation: null }]);
    box.crash();
    expect(box.session.assigned).toEqual({ agent: 'codex', model: 'large' });
  });
});

describe('an agent that is assigned', () => {
  test('changes at once where it is idle, and the next prompt says that the conversation is lost (core/48)', () => {
    const box = answered();
    expect(box.assign('codex')).toEqual({ kind: 'assigned', state: 'applied', turn: null, conversationLost: true });
    expect(box.acts).toEqual(['close']);
    expect(assignments(box)).toEqual([
      { agent: 'codex', model: null, from: 'claude', conversationLost: true, by: somebody },
    ]);
    box.submit('A');
    box.exited();
    expect(box.sent('start')).toMatchObject([{ agent: 'codex', conversation: null }]);
    box.ready({ conversation: 'c2' });
    expect(box.sent('prompt')).toMatchObject([{ task: 'A', conversationReset: 'agent' }]);
  });

  test('changes with the end of the turn that runs, which is left alone (core/48)', () => {
    const box = inBackground();
    box.assign('claude');
    expect(box.assign('codex')).toMatchObject({ state: 'requested', turn: 1, conversationLost: true });
    expect(box.acts).toEqual([]);
    box.result('completed');
    expect(box.acts).toEqual(['close']);
    expect(box.session.assigned?.agent).toBe('codex');
  });

  test('changes as soon as the agent that starts is ready, before that gets a prompt (core/48)', () => {
    const box = new Box();
    box.submit('A', {}, usual);
    expect(box.assign('codex', 'large')).toMatchObject({ state: 'requested', turn: null, conversationLost: false });
    box.ready();
    expect(box.acts).toEqual(['close']);
    box.exited();
    expect(box.sent('start')).toMatchObject([{ agent: 'codex', model: 'large', conversation: null }]);
    box.ready({ conversation: 'c2' });
    expect(box.sent('prompt')).toMatchObject([{ task: 'A', conversationReset: null }]);
  });

  test('keeps its conversation where only the model is another (core/48)', () => {
    const box = answered();
    expect(box.assign('claude', 'large')).toMatchObject({ state: 'applied', conversationLost: false });
    expect(box.acts).toEqual([]);
    box.submit('A');
    box.exited();
    expect(box.sent('start')).toMatchObject([{ agent: 'claude', conversation: 'c1', model: 'large' }]);
    expect(box.assign('claude', 'large')).toMatchObject({ state: 'unchanged' });
  });

  test('is the last one of several, and the first again where that was taken back (core/48)', () => {
    const box = answered();
    box.submit('A');
    box.started();
    box.assign('codex');
    expect(box.assign('claude')).toMatchObject({ state: 'unchanged', conversationLost: false });
    box.result('completed');
    expect(box.acts).toEqual([]);
    expect(assignments(box)).toEqual([]);
  });

  test('takes what is owed to the conversation with it (core/48)', () => {
    const box = new Box();
    box.submit('A', { mergeGroup: 'ada' }, usual);
    box.ready({ caps: everything });
    box.started();
    box.submit('B', { mergeGroup: 'ada', whenBusy: 'rollback' });
    box.assign('codex');
    box.drains();
    expect(box.session.conversation).toMatchObject({ rewind: null, id: null, ending: null });
    box.exited();
    box.ready({ conversation: 'c2' });
    expect(box.sent('prompt')).toMatchObject([{ task: 'B', rewind: null, conversationReset: 'agent' }]);
  });

  test('knows nothing of the login that the one before had (core/48)', () => {
    const box = answered();
    expect(box.session.answered).toBe(true);
    box.assign('codex');
    expect(box.session.answered).toBe(false);
  });
});
