/** A stop of more tasks than one commit ends. */
import { describe, expect, it } from 'vitest';
import { stopsPerStep } from '../../src/runtime/options.ts';
import { expectSound, openBox, type Box } from '../support/box.ts';

const waiting = 3 * stopsPerStep + 1;

/** A session with an owner whose turn runs, and with so many tasks that wait. */
async function filled(one: Box) {
  const owner = await one.send({ session: 'many', prompt: 'owner' });
  const turn = await one.stage.turn();
  const tasks = await Promise.all(
    Array.from({ length: waiting }, async () => one.send({ session: 'many', prompt: 'waits', whenBusy: 'enqueue' })),
  );
  return { owner, turn, tasks };
}

const statuses = async (one: Box, tasks: readonly string[]): Promise<readonly (string | undefined)[]> =>
  Promise.all(tasks.map(async (task) => (await one.box.task(task))?.status));

describe('a stop of many tasks', () => {
  it('lets other sessions in between its commits, and answers once for all', async () => {
    await using one = await openBox();
    const { owner, tasks } = await filled(one);
    const order: string[] = [];
    const stopped = one.box.stop('many', 'queue').then((answer) => {
      order.push('stop');
      return answer;
    });
    const other = one.box.submit({ session: 'other', prompt: 'now' }).then(() => order.push('other'));
    const answer = await stopped;
    await other;
    expect(order).toEqual(['other', 'stop']);
    expect(answer.kind === 'receipts' ? answer.receipts.map(({ task }) => task) : null).toEqual(tasks);
    expect(new Set(await statuses(one, tasks))).toEqual(new Set(['cancelled']));
    expect((await one.box.task(owner))?.status).toBe('running');
    const [first = ''] = tasks;
    expectSound(await one.ended(first), await one.tape(first));
  });

  it('grants none of them, also when the owner ends in between', async () => {
    await using one = await openBox();
    const { owner, turn, tasks } = await filled(one);
    const stopped = one.box.stop('many', 'queue');
    turn.finish();
    await stopped;
    await one.ended(owner);
    expect(new Set(await statuses(one, tasks))).toEqual(new Set(['cancelled']));
    expect(one.stage.prompts).toEqual(['owner']);
  });

  it('is over when a commit of it fails: what was ended stays so, and the rest waits', async () => {
    let commits = Number.POSITIVE_INFINITY;
    await using one = await openBox({
      faults: {
        at(point) {
          if (point === 'store.before-commit' && --commits < 0) {
            throw new Error('the disk is full');
          }
        },
      },
    });
    const { tasks } = await filled(one);
    commits = 2;
    await expect(one.box.stop('many', 'queue')).rejects.toThrow('the disk is full');
    commits = Number.POSITIVE_INFINITY;
    const after = await statuses(one, tasks);
    expect(after.filter((status) => status === 'cancelled')).toHaveLength(2 * stopsPerStep);
    const answer = await one.box.stop('many', 'queue');
    expect(answer.kind === 'receipts' ? answer.receipts.length : 0).toBe(waiting - 2 * stopsPerStep);
    expect(new Set(await statuses(one, tasks))).toEqual(new Set(['cancelled']));
  });
});
