/** Moves into one gap: each puts another of the waiting tasks just before the same one, so that the gap is full again and again. */
import { sessionKey, taskId } from '../../src/core/model/ids.ts';
import type { Session } from '../../src/core/model/session.ts';
import { newSession } from '../../src/core/queue.ts';
import { step } from '../../src/core/step.ts';
import { treeEntries } from '../../src/core/tree.ts';
import { partsPerStep } from '../../src/runtime/options.ts';
import { alone, type Figure, type Row, type Run } from '../harness.ts';
import { submitted } from '../support/inputs.ts';

const waiting = 1_000;
const limits = { maxPassedOver: 3, maxOpen: 1_000_000, partsPerStep, freshWhenFull: true };

export const row: Row = {
  name: 'moves',
  title: `task rows that a move into one gap writes, beside ${waiting.toLocaleString('en')} waiting tasks`,
  limit: '-',
  measure(run: Run): Promise<readonly Figure[]> {
    const count = run.quick ? 10_000 : 1_000_000;
    const rowsEach = moved(count) / count;
    // The logarithm of the number of tasks.
    const goal = { of: 'ours', atMost: Math.log2(waiting) } as const;
    return Promise.resolve([
      alone(rowsEach, { measure: `of ${count.toLocaleString('en')} moves`, unit: 'rows', goal }),
    ]);
  },
};

const nameOf = (index: number): string => `task-${String(index).padStart(4, '0')}`;

/** Returns the number of task rows. */
function moved(count: number): number {
  let session: Session = newSession(sessionKey('bench:moves'), limits);
  for (let index = 0; index <= waiting; index += 1) {
    session = step(session, submitted(nameOf(index), 'background')).session;
  }
  const before = taskId(nameOf(1));
  let rows = 0;
  for (let at = 0; at < count; at += 1) {
    const task = taskId(nameOf(2 + (at % (waiting - 1))));
    const common = { type: 'move', at: 1, lane: null, priority: null, by: null } as const;
    const after = step(session, { ...common, task, where: { before } });
    rows += after.records.filter(({ type }) => type === 'task').length;
    session = after.session;
  }
  mustBeInOrder(session, count);
  return rows;
}

/** Oldest move first, and then the task before which all went. */
function mustBeInOrder(session: Session, count: number): void {
  const is = [...treeEntries(session.indexes.queue)].map(([, id]) => id);
  const last = Array.from({ length: waiting - 1 }, (_, back) => 2 + ((count + back) % (waiting - 1)));
  const wanted = [...last, 1].map((index) => taskId(nameOf(index)));
  if (is.join() !== wanted.join()) {
    throw new Error('the moves did not keep the order');
  }
}
