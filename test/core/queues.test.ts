/** What a message does that finds the session busy, and what becomes of it. */
import { describe, expect, test } from 'vitest';
import { turnId } from '../../src/core/model/ids.ts';
import type { Input } from '../../src/core/model/inputs.ts';
import type { Session } from '../../src/core/model/session.ts';
import { step } from '../../src/core/step.ts';
import type { Tree } from '../../src/core/tree.ts';
import { origin, Box, inBackground, taskOf } from '../support/core-driver.ts';

const p = { mergeGroup: 'p' } as const;

const sizes = (session: Session): readonly number[] =>
  [
    session.tasks,
    session.indexes.queue,
    session.indexes.demand,
    session.indexes.mergeGroups,
    session.indexes.parts,
  ].map(({ root }) => root?.size ?? 0);

/** The deepest stack that `step` has while it reads its input or the limits, or compares keys. */
function deepestStack(session: Session, input: Input): number {
  let deepest = 0;
  const look = (): void => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = Infinity;
    deepest = Math.max(deepest, (new Error('where').stack ?? '').split('\n').length);
    Error.stackTraceLimit = limit;
  };
  const watched = <T extends object>(object: T): T =>
    new Proxy(object, {
      get(target, name): unknown {
        look();
        return Reflect.get(target, name);
      },
    });
  const compared = <K, V>(tree: Tree<K, V>): Tree<K, V> => ({
    ...tree,
    compare: (a, b) => {
      look();
      return tree.compare(a, b);
    },
  });
  const { limits, tasks, indexes } = session;
  const { queue, demand, mergeGroups } = indexes;
  const comparedIndexes = {
    ...indexes,
    queue: compared(queue),
    demand: compared(demand),
    mergeGroups: compared(mergeGroups),
  };
  step({ ...session, tasks: compared(tasks), indexes: comparedIndexes, limits: watched(limits) }, watched(input));
  return deepest;
}

/** How many objects and characters can be reached from a value. */
function reachable(from: unknown): string {
  const seen = new Set<object>();
  const waiting = [from];
  let characters = 0;
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value === 'string') {
      characters += value.length;
    } else if (typeof value === 'object' && value !== null && !seen.has(value)) {
      seen.add(value);
      waiting.push(...Object.values(value));
    }
  }
  return `${seen.size} objects, ${characters} characters`;
}

describe('follow-ups', () => {
  test('D01 100,000 chained follow-ups keep the stack and the session at one size (core/5, core/31)', () => {
    const links = 100_000;
    const box = new Box();
    box.background('t0');
    box.ready();
    const inc = box.session.incarnations;
    let { session } = box;
    let owners = 0;
    const depths = new Set<number>();
    const amounts = new Set<string>();
    const shapes = new Set<string>();
    for (let link = 1; link <= links; link += 1) {
      const name = `t${String(link).padStart(6, '0')}`;
      const submit: Input = { at: 0, type: 'submit', payload: null, about: origin, task: taskOf(name, p) };
      session = step(session, submit).session;
      const result = { outcome: 'completed', empty: false, report: { text: '' } } as const;
      const answer: Input = { at: 0, type: 'result', incarnation: inc, turn: turnId(link), result };
      const after = step(session, answer);
      if (link % 10_000 === 0) {
        depths.add(deepestStack(session, answer));
        amounts.add(reachable(after));
      }
      session = after.session;
      owners += session.hold?.task === name ? 1 : 0;
      shapes.add(String(sizes(session)));
    }
    expect([owners, session.epoch]).toEqual([links, links + 1]);
    expect([...depths]).toEqual([expect.any(Number)]);
    expect([...amounts]).toEqual([expect.any(String)]);
    expect([...shapes]).toEqual(['1,0,0,0,0']);
  });

  test('a stop of a session with 20,000 waiting tasks ends each of them (core/17, core/31)', () => {
    const box = new Box({ maxOpen: Infinity });
    let { session } = box;
    for (let count = 0; count < 20_000; count += 1) {
      session = step(session, {
        at: 0,
        type: 'submit',
        payload: null,
        about: origin,
        task: taskOf(`t${count}`, p),
      }).session;
    }
    const { session: after, records, reply } = step(session, { at: 0, type: 'stop', scope: 'session', by: null });
    expect(records.filter((record) => record.type === 'end')).toHaveLength(20_000);
    expect(reply.kind === 'receipts' ? reply.receipts.length : 0).toBe(20_000);
    expect(sizes(after)).toEqual([0, 0, 0, 0, 0]);
  });

  test('D09 a stop in steps ends what one step would end, and the owner last (core/30)', () => {
    const filled = () => {
      const box = new Box();
      for (const id of ['A', 'B', 'C', 'D', 'E', 'F']) {
        box.submit(id);
      }
      return box.session;
    };
    const stop = { at: 0, type: 'stop', scope: 'session', by: null } as const;
    const whole = step(filled(), stop);
    let session = filled();
    const records: unknown[] = [];
    const receipts: unknown[] = [];
    let steps = 0;
    for (let goesOn = false; ; goesOn = true) {
      const result = step(session, { ...stop, atMost: 2, ...(goesOn ? { goesOn } : {}) });
      ({ session } = result);
      steps += 1;
      expect(result.records.filter(({ type }) => type === 'end').length).toBeLessThanOrEqual(2);
      records.push(...result.records.filter(({ type }) => type === 'end'));
      if (result.reply.kind !== 'receipts') {
        throw new Error(result.reply.kind);
      }
      receipts.push(...result.reply.receipts);
      if (result.reply.more !== true) {
        break;
      }
    }
    expect(steps).toBe(3);
    expect(records).toEqual(whole.records.filter(({ type }) => type === 'end'));
    expect(receipts).toEqual(whole.reply.kind === 'receipts' ? whole.reply.receipts : null);
    expect(sizes(session)).toEqual(sizes(whole.session));
  });

  test('D02 a predecessor that cleans up after the hand-over changes nothing (core/1, core/15)', () => {
    const box = new Box();
    box.submit('A', { mode: 'code' });
    box.submit('B', { mode: 'code' });
    box.finish('A', 1);
    expect(box.owner).toBe('B');
    expect(box.finish('A', 1)).toEqual({ kind: 'stale', what: 'ended' });
    box.submit('C');
    expect(box.owner).toBe('B');
    expect(box.queue).toEqual(['C']);
    expect(box.all('run')).toHaveLength(2);
  });

  test('D03 a message that arrives right after a result is the next to run (core/5)', () => {
    const box = new Box();
    box.submit('A');
    box.answers();
    box.submit('B');
    expect(box.owner).toBe('B');
    expect(box.sent('prompt')).toMatchObject([{ task: 'B' }]);
    box.started();
    box.submit('C');
    box.result('completed');
    expect(box.sent('prompt')).toMatchObject([{ task: 'C' }]);
    box.started();
    box.result('completed');
    expect(box.all('prompt').map(({ task }) => task)).toEqual(['A', 'B', 'C']);
    expect(['A', 'B', 'C'].map((id) => box.final(id))).toEqual(Array(3).fill('completed completed'));
  });

  test('D04 five messages during one turn are queued in their order (core/27)', () => {
    const box = new Box();
    box.submit('A', p);
    box.runs();
    for (const id of ['1', '2', '3', '4', '5']) {
      box.submit(id, p);
    }
    expect(box.queue).toEqual(['1', '2', '3', '4', '5']);
  });

  test('D05 a full queue refuses a message, and keeps those that it has accepted (core/24, core/27)', () => {
    const box = new Box({ maxOpen: 2 });
    box.submit('A');
    box.submit('B');
    expect(box.submit('C')).toEqual({ kind: 'refused', code: 'queue_full' });
    expect(box.records).toEqual([]);
    expect([box.owner, ...box.queue]).toEqual(['A', 'B']);
    box.cancel('B');
    expect(box.submit('C')).toMatchObject({ kind: 'admitted' });
  });

  test('D11 a waiter whose time runs out is cancelled and never runs (core/4, core/17)', () => {
    const box = new Box();
    box.submit('A');
    box.runs();
    box.submit('B');
    box.do({ type: 'cancel', task: taskOf('B').id, reason: 'wait_timed_out', by: null });
    box.result('completed');
    expect(box.final('B')).toBe('cancelled wait_timed_out');
    expect(box.state).toBe('free');
    expect(box.all('prompt')).toHaveLength(1);
  });
});

describe('a steered message', () => {
  const steer = { ...p, whenBusy: 'steer' } as const;

  test('D06 takes a turn by itself when the running turn ends before the agent has taken it (core/27, core/28)', () => {
    const box = new Box();
    box.submit('A', p);
    box.runs();
    expect(box.submit('S', steer)).toMatchObject({ stage: 'steered', mergedInto: 'A', fallback: false });
    expect(box.sent('steer')).toMatchObject([{ turn: 1, task: 'S' }]);
    box.result('completed');
    expect(box.final('A')).toBe('completed completed');
    expect(box.tape('S')).toEqual(['queued', 'steered', 'requeued', 'granted', 'turn-sent']);
    expect(box.steered('S', true)).toEqual({ kind: 'stale', what: 'unexpected' });
    box.answers();
    expect(box.final('S')).toBe('completed completed');
  });

  test('D06 ends with the turn that took it, and is queued when the agent cannot take it (core/28)', () => {
    const box = new Box();
    box.submit('A', p);
    box.runs();
    box.submit('S', steer);
    box.submit('T', steer);
    box.steered('S', true);
    box.steered('T', false);
    expect(box.queue).toEqual(['T']);
    box.result('completed');
    expect(box.final('S')).toBe('completed answered_with');
    expect(box.owner).toBe('T');
  });

  test('D06 is queued again when the turn that took it is preempted, fails, is evicted or is lost (core/27, core/28)', () => {
    const ways: readonly ((box: Box) => void)[] = [
      (box) => {
        box.submit('urgent');
        box.drains();
      },
      (box) => box.result('failed'),
      (box) => box.evict(),
      (box) => box.exited(),
      (box) => box.crash(),
      (box) => box.do({ type: 'fault', reason: 'test' }),
    ];
    for (const way of ways) {
      const box = new Box();
      box.background('bg', p);
      box.runs();
      box.submit('S', steer);
      box.steered('S', true);
      way(box);
      expect(box.tape('S')).toContain('requeued');
      expect(box.final('S')).toBeNull();
      expect(box.task('S').stage).not.toBe('merged');
    }
  });

  test('is queued when its merge group differs, no turn runs, or the agent cannot be steered (core/28)', () => {
    const box = inBackground(p);
    expect(box.submit('other', { mergeGroup: 'q', whenBusy: 'steer' })).toMatchObject({
      stage: 'waiting',
      fallback: true,
    });
    expect(box.submit('nobody', { whenBusy: 'steer' })).toMatchObject({ fallback: true });
    expect(box.acts).toEqual([]);
    expect(box.events('other', 'queued')).toMatchObject([{ whenBusy: 'steer', fallback: true }]);
    const unable = new Box();
    unable.submit('A', p);
    expect(unable.submit('S', steer)).toMatchObject({ fallback: true });
    unable.ready({ caps: { acks: true, steer: false, rewind: false, models: false, keepsPrompts: false } });
    unable.started();
    expect(unable.submit('T', steer)).toMatchObject({ fallback: true });
  });

  test('ends with that turn of a runner which took it (core/14, core/28)', () => {
    const box = new Box();
    box.submit('A', { ...p, mode: 'code' });
    box.call('A', 1, 1);
    box.runs();
    box.submit('S', steer);
    box.steered('S', true);
    box.result('completed');
    expect(box.final('S')).toBe('completed answered_with');
    expect(box.session.indexes.parts.root).toBeNull();
  });
});

describe('collected messages', () => {
  const part = { ...p, whenBusy: 'collect' } as const;

  test('D07 that arrive within the window share one turn, in their order (core/28)', () => {
    const box = new Box();
    expect(box.submit('1', part)).toMatchObject({ stage: 'collecting', mergedInto: null });
    expect(box.submit('2', part)).toMatchObject({ stage: 'merged', mergedInto: '1' });
    box.submit('3', part);
    expect(box.owner).toBeNull();
    box.passes('collect');
    box.ready();
    expect(box.sent('prompt')).toMatchObject([{ task: '1', mergedTasks: ['2', '3'] }]);
    box.started();
    expect(box.submit('4', part)).toMatchObject({ stage: 'collecting' });
    box.result('completed');
    expect(['1', '2', '3'].map((id) => box.final(id))).toEqual([
      'completed completed',
      'completed answered_with',
      'completed answered_with',
    ]);
    expect(box.final('4')).toBeNull();
  });

  test('D07 stay together when their turn is preempted or the daemon dies (core/25, core/28)', () => {
    for (const way of ['preempt', 'crash'] as const) {
      const box = new Box();
      box.background('1', part);
      box.background('2', part);
      box.passes('collect');
      box.runs();
      if (way === 'preempt') {
        box.submit('A');
        box.drains();
        box.answers();
      } else {
        box.crash();
        box.ready();
      }
      expect(box.sent('prompt')).toMatchObject([{ task: '1', mergedTasks: ['2'], resumed: true }]);
    }
  });

  test('D07 fail with their turn, and survive a cancel of the first one (core/27, core/28)', () => {
    for (const way of ['fail', 'cancel', 'cancel early'] as const) {
      const box = new Box();
      box.submit('1', part);
      box.submit('2', part);
      if (way === 'cancel early') {
        box.cancel('1');
        expect(box.armed).toContain('collect:2');
        expect(box.armed).not.toContain('collect:1');
        box.passes('collect');
      } else {
        box.passes('collect');
        box.runs();
        if (way === 'fail') {
          box.result('failed');
        } else {
          box.cancel('1');
          box.drains();
        }
      }
      expect(box.final('1')).toBe(way === 'fail' ? 'failed agent_failed' : 'cancelled cancelled');
      expect(way === 'fail' ? box.final('2') : box.owner).toBe(way === 'fail' ? 'failed failed_with' : '2');
    }
  });

  test('are not merged across another message, merge group or lane (core/3, core/28)', () => {
    const box = new Box();
    box.submit('owner');
    box.submit('1', part);
    box.submit('x', p);
    expect(box.submit('2', part)).toMatchObject({ stage: 'collecting', mergedInto: null });
    expect(box.submit('3', { ...part, mergeGroup: 'q' })).toMatchObject({ stage: 'collecting' });
    expect(box.submit('4', { ...part, mergeGroup: null })).toMatchObject({ stage: 'waiting' });
    expect(box.submit('5', { ...part, lane: 'background' })).toMatchObject({ stage: 'collecting' });
  });
});

describe('the other policies for a busy session', () => {
  test('a message that replaces cancels the queued messages of its merge group (core/27, core/29)', () => {
    const box = new Box();
    box.submit('owner', p);
    box.runs();
    box.submit('1', p);
    box.submit('other', { mergeGroup: 'q' });
    box.submit('2', { ...p, whenBusy: 'collect' });
    box.submit('3', { ...p, whenBusy: 'collect' });
    const reply = box.submit('new', { ...p, whenBusy: 'replace' });
    expect(reply).toMatchObject({ kind: 'admitted', stage: 'waiting', endedTasks: ['1', '2', '3'] });
    expect(['1', '2', '3'].map((id) => box.final(id))).toEqual(Array(3).fill('cancelled replaced'));
    expect(box.queue).toEqual(['new', 'other']);
    expect(box.owner).toBe('owner');
  });

  test('a message of the background lane replaces none of the interactive lane (core/6, core/29)', () => {
    const box = new Box();
    box.submit('owner');
    box.submit('1', p);
    box.background('2', p);
    box.submit('3', { ...p, whenBusy: 'collect' });
    box.submit('4', { ...p, whenBusy: 'collect' });
    expect(box.background('new', { ...p, whenBusy: 'replace' })).toMatchObject({ endedTasks: ['2'] });
    expect(box.queue).toEqual(['1', 'new']);
    expect(box.submit('all', { ...p, whenBusy: 'replace' })).toMatchObject({ endedTasks: ['1', '3', '4', 'new'] });
    expect(box.queue).toEqual(['all']);
  });

  test('a message that interrupts cancels the running task of its merge group (core/6, core/29)', () => {
    const box = new Box();
    box.submit('1', { ...p, whenBusy: 'collect' });
    box.submit('2', { ...p, whenBusy: 'collect' });
    box.passes('collect');
    box.runs();
    box.submit('steered', { ...p, whenBusy: 'steer' });
    const reply = box.submit('new', { ...p, whenBusy: 'interrupt' });
    expect(reply).toMatchObject({ kind: 'admitted', endedTasks: ['2', '1'] });
    expect(box.acts).toEqual(['interrupt']);
    box.drains();
    expect(box.final('1')).toBe('cancelled interrupted');
    expect(box.final('2')).toBe('cancelled interrupted');
    expect([box.owner, ...box.queue]).toEqual(['steered', 'new']);
  });

  test('a message that interrupts leaves a task of another merge group, or of none, alone (core/6, core/29)', () => {
    for (const mergeGroup of ['q', null]) {
      const box = new Box();
      box.submit('A', { mergeGroup });
      box.runs();
      expect(box.submit('new', { mergeGroup: mergeGroup === null ? null : 'p', whenBusy: 'interrupt' })).toMatchObject({
        endedTasks: [],
      });
      expect(box.acts).toEqual([]);
    }
  });

  test('a message that rolls back rewinds the turn, and is refused when the agent cannot rewind (core/29)', () => {
    const box = new Box();
    box.submit('A', p);
    box.runs();
    box.submit('new', { ...p, whenBusy: 'rollback' });
    box.drains();
    expect(box.final('A')).toBe('cancelled rolled_back');
    expect(box.sent('prompt')).toMatchObject([{ task: 'new', rewind: 1 }]);

    const unable = new Box();
    unable.submit('A', p);
    unable.ready({ caps: { acks: true, steer: true, rewind: false, models: false, keepsPrompts: false } });
    expect(unable.submit('new', { ...p, whenBusy: 'rollback' })).toEqual({
      kind: 'refused',
      code: 'rollback_unsupported',
    });
    expect(unable.state).toBe('sent');
  });

  test('a message that rejects is refused while the session is busy (core/24, core/29)', () => {
    const box = new Box();
    expect(box.submit('A', { whenBusy: 'reject' })).toMatchObject({ stage: 'owner' });
    expect(box.submit('B', { whenBusy: 'reject' })).toEqual({ kind: 'refused', code: 'session_busy' });
    box.answers();
    expect(box.submit('B', { whenBusy: 'reject' })).toMatchObject({ stage: 'owner' });
  });
});
