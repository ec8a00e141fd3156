/** The order of the open tasks: where `move` puts them, whatever their number and however often. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sessionKey, taskId } from '../../src/core/model/ids.ts';
import type { Session } from '../../src/core/model/session.ts';
import type { Where } from '../../src/core/model/task.ts';
import { newSession } from '../../src/core/queue.ts';
import { step } from '../../src/core/step.ts';
import { type Tree, treeEntries } from '../../src/core/tree.ts';
import { Box, inBackground, origin, taskOf } from '../support/core-driver.ts';

const ok = { kind: 'ok' };
const refused = (code: string) => ({ kind: 'refused', code });
const p = { mergeGroup: 'p' } as const;

/** The owner `o`, and `count` background tasks that wait behind it. */
function waiting(count: number): Session {
  let session = newSession(sessionKey('s'), {
    maxPassedOver: 5,
    maxOpen: 1_000_000,
    partsPerStep: 128,
    freshWhenFull: true,
  });
  for (const name of ['o', ...Array.from({ length: count }, (_, index) => `t${index}`)]) {
    const task = taskOf(name, { lane: 'background' });
    session = step(session, { at: 0, type: 'submit', payload: null, about: origin, task }).session;
  }
  return session;
}

const moveTo = (session: Session, name: string, where: Where) =>
  step(session, { at: 0, type: 'move', task: taskId(name), lane: null, priority: null, where, by: null });

const namesIn = <K>(tree: Tree<K, string>): readonly string[] => [...treeEntries(tree)].map(([, id]) => id);

describe('a move', () => {
  test('into a gap that is full changes few positions on average, and keeps the order (core/3, core/30)', () => {
    const [count, moves] = [1_000, 20_000];
    let session = waiting(count);
    let changed = 0;
    for (let at = 0; at < moves; at += 1) {
      const {
        session: after,
        reply,
        records,
      } = moveTo(session, `t${1 + (at % (count - 1))}`, {
        before: taskId('t0'),
      });
      expect(reply).toEqual(ok);
      changed += records.filter(({ type }) => type === 'task').length;
      session = after;
    }
    // The last of each name that was moved, in the order of the moves, and then the one before which they all went.
    const names = Array.from({ length: count - 1 }, (_, index) => `t${1 + ((moves + index) % (count - 1))}`);
    expect(namesIn(session.indexes.queue)).toEqual([...names, 't0']);
    expect(changed / moves).toBeLessThan(Math.log2(count));
  });

  test('puts its task where a plain list would have it, among tasks that wait, collect and own (core/3, core/30)', () => {
    const lanes = ['interactive', 'background'] as const;
    const change = fc.tuple(fc.nat(4), fc.nat(11), fc.nat(11));
    fc.assert(
      fc.property(fc.array(change, { minLength: 40, maxLength: 200, size: 'max' }), (changes) => {
        const box = new Box({ maxOpen: 20 });
        let line: string[] = [];
        changes.forEach(([kind, a, b], at) => {
          const open = line.filter((id) => id !== box.owner);
          const [one, two] = [open[a % open.length] ?? '', open[b % open.length] ?? ''];
          if (kind === 0) {
            const whenBusy = b % 3 === 0 ? 'collect' : 'enqueue';
            const merges = box.submit(`t${at}`, { lane: lanes[a % 2] ?? 'background', whenBusy, mergeGroup: `p${at}` });
            line = merges.kind === 'admitted' ? [...line, `t${at}`] : line;
            return;
          }
          const where = kind === 1 ? 'first' : kind === 2 ? 'last' : { before: taskId(two) };
          if (one === '' || box.move(one, { where }).kind === 'refused') {
            return;
          }
          const others = line.filter((id) => id !== one);
          const index = where === 'first' ? 0 : where === 'last' ? others.length : others.indexOf(two);
          line = others.toSpliced(index, 0, one);
        });
        expect(namesIn(box.session.indexes.order)).toEqual(line);
      }),
      { numRuns: 60 },
    );
  });

  test('is granted to each task that waits, collects, or has no turn on the wire (core/30)', () => {
    const box = inBackground();
    box.submit('A');
    box.drains();
    // It was preempted, and waits again.
    expect(box.move('bg', { where: 'first' })).toEqual(ok);
    box.submit('C', { ...p, whenBusy: 'collect' });
    expect(box.move('C', { where: 'first' })).toEqual(ok);
    expect(box.task('C').stage).toBe('collecting');
    expect([...box.armed]).toContain('collect:C');
    box.submit('D', { ...p, whenBusy: 'collect' });
    expect(box.move('D', { where: 'first' })).toEqual(refused('task_merged'));
    expect(box.move('A', { where: 'last' })).toEqual(refused('turn_sent'));
  });

  test('takes the session from an owner whose turn is not sent, and the next one gets it (core/14, core/30)', () => {
    const box = new Box();
    box.submit('A');
    box.submit('B');
    expect(box.state).toBe('pending');
    box.move('A', { where: 'last' });
    expect([box.owner, ...box.queue]).toEqual(['B', 'A']);
    expect(box.tape('A').slice(-2)).toEqual(['preempted', 'moved']);
    box.ready();
    expect(box.sent('prompt')).toMatchObject([{ task: 'B' }]);
  });

  test('holds for all that is merged into its task, also after that was cancelled (core/28, core/30)', () => {
    const box = inBackground();
    box.background('first', { ...p, whenBusy: 'collect' });
    box.background('second', { ...p, whenBusy: 'collect' });
    box.background('other');
    box.move('first', { lane: 'interactive', where: 'last' });
    box.cancel('first');
    expect(box.task('second')).toMatchObject({ lane: 'interactive', stage: 'collecting' });
    expect(namesIn(box.session.indexes.order)).toEqual(['bg', 'other', 'second']);
  });

  test('to the interactive lane makes a task preempt that had the policy of its old lane by default (core/6, core/30)', () => {
    const box = inBackground();
    box.background('B');
    expect(box.acts).toEqual([]);
    box.move('B', { lane: 'interactive' });
    expect(box.task('B').whenBusy).toBe('preempt');
    expect(box.acts).toEqual(['interrupt']);
    box.move('B', { lane: 'background' });
    expect(box.task('B').whenBusy).toBe('enqueue');
  });
});

describe('an age', () => {
  test('is not changed by a move or by a new place, and decides who is passed over (core/18)', () => {
    const box = inBackground({}, { maxPassedOver: 1 });
    box.background('old', { mergeGroup: 'q' });
    box.background('new');
    box.move('old', { where: 'last' });
    expect(box.queue).toEqual(['new', 'old']);
    expect(box.task('old').admission).toBe(2);
    box.result('completed');
    expect([box.owner, box.session.passedOver]).toEqual(['new', { task: 'old', admission: 2, times: 1 }]);
  });

  test('does not pass to a message that replaces another, and its place does (core/29)', () => {
    const box = inBackground();
    box.background('old', p);
    box.background('next');
    box.background('new', { ...p, whenBusy: 'replace' });
    expect(box.queue).toEqual(['new', 'next']);
    expect(box.task('new').admission).toBe(4);
  });
});

describe('an edit', () => {
  test('is accepted until the text is sent: queued, merged, with an agent that starts, preempted before it was sent (core/30)', () => {
    const box = new Box();
    box.background('bg', { ...p, whenBusy: 'collect' });
    box.background('part', { ...p, whenBusy: 'collect' });
    expect([box.edit('bg'), box.edit('part')]).toEqual([ok, ok]);
    box.passes('collect');
    expect([box.owner, box.state]).toEqual(['bg', 'pending']);
    expect([box.edit('bg'), box.edit('part')]).toEqual([ok, ok]);
    box.submit('A');
    expect(box.owner).toBe('A');
    expect([box.edit('bg'), box.edit('part')]).toEqual([ok, ok]);
    box.answers();
    expect([box.owner, box.state]).toEqual(['bg', 'sent']);
    expect([box.edit('bg'), box.edit('part')]).toEqual([refused('text_sent'), refused('text_sent')]);
  });

  test('is accepted of a merged text also after the first of its entry was cancelled, until the next one is sent (core/30)', () => {
    const box = new Box();
    for (const id of ['first', 'second', 'third']) {
      box.background(id, { ...p, whenBusy: 'collect' });
    }
    box.passes('collect');
    box.cancel('first');
    expect([box.owner, box.edit('third')]).toEqual(['second', ok]);
    box.runs();
    expect(box.edit('third')).toEqual(refused('text_sent'));
  });

  test('is accepted of a steered text until its turn is confirmed (core/30)', () => {
    const box = new Box();
    box.submit('A', p);
    box.ready();
    box.submit('S', { ...p, whenBusy: 'steer' });
    expect([box.task('S').stage, box.edit('S')]).toEqual(['steered', ok]);
    box.started();
    expect(box.edit('S')).toEqual(refused('text_sent'));
  });

  test('is refused after the text was sent, also while its task waits again (core/30)', () => {
    const box = inBackground();
    box.submit('A');
    box.drains();
    expect(box.task('bg').stage).toBe('waiting');
    expect(box.edit('bg')).toEqual(refused('text_sent'));
    box.crash();
    expect(box.edit('bg')).toEqual(refused('text_sent'));
  });

  test('is refused once the runner of a code task was started (core/30)', () => {
    const box = new Box();
    box.submit('A');
    box.submit('code', { mode: 'code' });
    expect(box.edit('code')).toEqual(ok);
    box.answers();
    expect(box.edit('code')).toEqual(refused('text_sent'));
  });
});
