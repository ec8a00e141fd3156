/** What is merged into a queued task, or steered into a running turn: rules 8, 10 and 15 for each message by itself. */
import { describe, expect, test } from 'vitest';
import { newSession, step, treeSize, type Input, type Session } from '../../src/core/index.ts';
import { sessionKey, taskId } from '../../src/core/model/ids.ts';
import { Box, limits, origin, taskOf } from '../support/core-driver.ts';

const p = { mergeGroup: 'p' } as const;
const part = { ...p, whenBusy: 'collect' } as const;
const steer = { ...p, whenBusy: 'steer' } as const;

/** An owner in the middle of its turn, and a message that the turn has taken. */
function steered(fields: Parameters<typeof taskOf>[1] = {}, owner: Parameters<typeof taskOf>[1] = {}): Box {
  const box = new Box();
  box.submit('A', { ...p, ...owner });
  box.runs();
  box.submit('S', { ...steer, ...fields });
  box.steered('S', true);
  return box;
}

describe('C34: a steered message that the agent has read', () => {
  test('fails when its turn is lost, if its policy says so, and its owner continues (core/28)', () => {
    const box = steered({ onLost: 'fail' });
    box.exited();
    expect(box.final('S')).toBe('failed agent_lost');
    expect(box.final('A')).toBeNull();
  });

  test('takes another attempt when its turn is lost, and its prompt asks to continue (core/28)', () => {
    const box = steered({}, { onLost: 'fail' });
    expect(box.task('S').attempts).toBe(1);
    box.exited();
    expect(box.final('A')).toBe('failed agent_lost');
    box.ready();
    expect(box.sent('prompt')).toMatchObject([{ task: 'S', attempt: 2, resumed: true, interruptedMidTurn: true }]);
  });

  test('fails when its own attempts are used up (core/28)', () => {
    const box = steered({ maxAttempts: 1 });
    box.exited();
    expect(box.final('S')).toBe('failed agent_lost');
    expect(box.task('A').attempts).toBe(2);
  });

  test('burns no attempt when its turn is preempted, and its prompt asks to continue (core/28)', () => {
    const box = steered({ lane: 'background' }, { lane: 'background' });
    box.submit('I');
    box.drains();
    expect(box.task('S')).toMatchObject({ stage: 'waiting', attempts: 1, started: true, status: 'running' });
    expect(box.tape('S')).toEqual(['queued', 'steered', 'steered', 'requeued']);
  });

  test('shows that it runs, and its final has the answer (core/28)', () => {
    const box = steered();
    expect(box.task('S').status).toBe('running');
    box.result('completed');
    expect(box.events('S', 'final')).toMatchObject([{ reason: 'answered_with', attempts: 1 }]);
    expect(box.events('S', 'final')[0]?.answer).toEqual(box.events('A', 'final')[0]?.answer);
  });
});

describe('a message that is steered before the agent has confirmed the turn', () => {
  test('is sent with the confirmation (core/28)', () => {
    const box = new Box();
    box.submit('A', p);
    box.ready();
    expect(box.submit('S', steer)).toMatchObject({ stage: 'steered', mergedInto: 'A', fallback: false });
    expect(box.sent('steer')).toEqual([]);
    box.started();
    expect(box.sent('steer')).toMatchObject([{ task: 'S', turn: 1 }]);
  });

  test('waits on its own while the session is parked (core/28)', () => {
    const box = new Box();
    box.submit('A', p);
    box.ready();
    box.submit('S', steer);
    box.park();
    box.started();
    expect(box.sent('steer')).toEqual([]);
    expect(box.task('S')).toMatchObject({ stage: 'waiting', attempts: 0, started: false });
  });
});

describe('merged messages', () => {
  test('are of one policy for a lost turn, so that each follows its own (core/28)', () => {
    const box = new Box();
    box.submit('1', part);
    expect(box.submit('2', { ...part, onLost: 'fail' })).toMatchObject({ stage: 'collecting', mergedInto: null });
    expect(box.submit('3', { ...part, maxAttempts: 1 })).toMatchObject({ stage: 'collecting', mergedInto: null });
  });

  test('show that they run once their turn is granted, and their finals have the answer (core/28)', () => {
    const box = new Box();
    box.submit('1', part);
    box.submit('2', part);
    expect(box.task('2').status).toBe('queued');
    box.passes('collect');
    expect(box.task('2').status).toBe('running');
    box.runs();
    box.result('completed');
    expect(box.events('2', 'final')[0]?.answer).toEqual(box.events('1', 'final')[0]?.answer);
  });

  test('stay together when the first is cancelled: the next leads, with its window and its attempts (core/28)', () => {
    const box = new Box();
    box.submit('1', part);
    box.submit('2', part);
    box.submit('3', part);
    box.cancel('1');
    expect(box.task('2')).toMatchObject({ stage: 'collecting', mergedInto: null });
    expect(box.submit('4', part)).toMatchObject({ stage: 'merged', mergedInto: '2' });
    box.passes('collect');
    box.runs();
    expect(box.all('prompt')).toMatchObject([{ task: '2', mergedTasks: ['3', '4'] }]);
    box.cancel('2');
    box.drains();
    expect(box.all('prompt').at(-1)).toMatchObject({ task: '3', mergedTasks: ['4'], attempt: 1, resumed: true });
    box.started();
    box.result('completed');
    expect(box.final('4')).toBe('completed answered_with');
  });
});

describe('a part that leads its entry because the first was cancelled', () => {
  test('is sent as one that was cut off when the turn was (core/28)', () => {
    const box = new Box();
    box.submit('1', part);
    box.submit('2', part);
    box.passes('collect');
    box.runs();
    box.cancel('1');
    box.exited();
    expect(box.final('1')).toBe('cancelled cancelled');
    box.ready();
    expect(box.sent('prompt')).toMatchObject([{ task: '2', resumed: true, interruptedMidTurn: true }]);
  });
});

describe('a code task', () => {
  test('is neither merged nor a window for others (core/28)', () => {
    const box = new Box();
    box.submit('O', { lane: 'interactive' });
    expect(box.submit('1', { ...part, mode: 'code' })).toMatchObject({ stage: 'waiting', mergedInto: null });
    expect(box.submit('2', part)).toMatchObject({ stage: 'collecting', mergedInto: null });
    expect(box.submit('3', { ...part, mode: 'code' })).toMatchObject({ stage: 'waiting', mergedInto: null });
  });
});

describe('C39: ten thousand merged messages', () => {
  const count = 10_000;
  const inputs = (): Input[] =>
    Array.from({ length: count }, (_, at): Input => ({
      type: 'submit',
      at,
      task: taskOf(`t${at}`, part),
      about: origin,
      payload: null,
    }));

  const filled = (): Session =>
    inputs().reduce(
      (session, input) => step(session, input).session,
      newSession(sessionKey('s'), { ...limits, maxOpen: count }),
    );

  /** Steps until nothing is left to settle, and the most records of one of them. */
  function settled(first: Session, input: Input): { session: Session; steps: number; most: number; ends: number } {
    let steps = 0;
    let most = 0;
    let ends = 0;
    let session = first;
    for (let next: Input | null = input; next !== null;) {
      const result = step(session, next);
      session = result.session;
      steps += 1;
      most = Math.max(most, result.records.length);
      ends += result.records.filter(({ type }) => type === 'end').length;
      next = result.effects.some(({ type }) => type === 'continue') ? { type: 'continue', at: 0 } : null;
    }
    return { session, steps, most, ends };
  }

  test('cost the same for each: one row and two events (core/31)', () => {
    const last = step(filled(), {
      ...inputs()[0],
      type: 'submit',
      at: 0,
      task: taskOf('last', part),
      about: origin,
      payload: null,
    });
    expect(last.reply).toMatchObject({ kind: 'refused' });
    let session = newSession(sessionKey('s'), { ...limits, maxOpen: count });
    for (const input of inputs()) {
      const result = step(session, input);
      session = result.session;
      expect(result.records.length).toBeLessThanOrEqual(4);
    }
    expect(treeSize(session.indexes.parts)).toBe(count - 1);
  });

  test('end in slices of one bound when they are stopped, and each of them once (core/31)', () => {
    const { session, steps, most, ends } = settled(filled(), { type: 'stop', at: 0, scope: 'session', by: null });
    expect(ends).toBe(count);
    expect(treeSize(session.tasks)).toBe(0);
    expect(steps).toBe(Math.ceil((count - 1) / limits.partsPerStep));
    expect(most).toBeLessThanOrEqual(limits.partsPerStep + 3);
  });

  test('end as was decided, also when they are cancelled or stopped before that is recorded (core/17, core/31)', () => {
    let session = settled(filled(), { type: 'timer', at: 0, name: 'collect', subject: taskId('t0') }).session;
    const take = (input: Input) => {
      const taken = step(session, input);
      ({ session } = taken);
      return taken;
    };
    const inTurn = () => ({ at: 0, incarnation: session.incarnations, turn: session.turns }) as const;
    const caps = { acks: true, steer: true, rewind: true, models: true, keepsPrompts: false };
    const { incarnations: incarnation } = session;
    take({ type: 'agent-ready', at: 0, incarnation, caps, conversation: null, conversationReset: false });
    take({ type: 'turn-started', ...inTurn() });
    take({ type: 'result', ...inTurn(), result: { outcome: 'completed', empty: false, report: { text: 'yes' } } });
    expect(session.settling).toHaveLength(1);
    const decided = {
      state: 'acknowledged',
      status: 'completed',
      verdict: 'completed',
      reason: 'answered_with',
      turn: null,
    };
    const last = taskId(`t${count - 1}`);
    expect(take({ type: 'cancel', at: 0, task: last, reason: 'cancelled', by: null }).reply).toEqual({
      kind: 'receipt',
      receipt: { task: last, ...decided },
    });
    const left = treeSize(session.tasks);
    expect(left).toBeGreaterThan(limits.partsPerStep);
    const { reply } = take({ type: 'stop', at: 0, scope: 'queue', by: null });
    const given = reply.kind === 'receipts' ? reply.receipts : [];
    expect(given).toHaveLength(left);
    const others = given.filter((receipt) => JSON.stringify({ ...receipt, ...decided }) !== JSON.stringify(receipt));
    expect(others).toEqual([]);
  });

  test('are granted in slices, and their prompt comes after the last of them (core/31)', () => {
    const { session } = settled(filled(), { type: 'timer', at: 0, name: 'collect', subject: taskId('t0') });
    expect(session.hold?.turn?.phase).toBe('pending');
    const ready = step(session, {
      type: 'agent-ready',
      at: 0,
      incarnation: session.incarnations,
      caps: { acks: true, steer: true, rewind: true, models: true, keepsPrompts: false },
      conversation: null,
      conversationReset: false,
    });
    const prompt = ready.effects.find(({ type }) => type === 'prompt');
    expect(prompt?.type === 'prompt' && prompt.mergedTasks.length).toBe(count - 1);
  });
});
