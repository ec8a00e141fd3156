/**
 * A chain of follow-ups in one session through the real runtime on SQLite: each task is submitted by the turn before it.
 * What is asked: that the stack is no deeper at the end than at the start, that the heap stays flat, and that the session had
 * an owner at every point of the chain, by the steps, and once more by the tapes.
 */
import { join } from 'node:path';
import type { Figure, Row, Run } from '../harness.ts';
import { alone, temporaryFolder } from '../harness.ts';
import { runChain } from '../support/chain.ts';

export const row: Row = {
  name: 'chain',
  title: 'chained follow-ups in one session: stack, heap, one owner',
  limit: 'a chain of one',
  async measure(run: Run): Promise<readonly Figure[]> {
    const length = run.quick ? 500 : 100_000;
    using folder = temporaryFolder();
    const progress = (done: number): void => {
      if (done % Math.ceil(length / 10) === 0) {
        run.say(`${done} follow-ups`);
      }
    };
    const chain = await runChain(join(folder.path, 'chain.db'), { length, progress });
    const { heapBefore, heapAfter, seconds, depthFirst, depthMost, freeWindows, owners, tapes } = chain;
    const mib = (bytes: number): number => bytes / 2 ** 20;
    return [
      alone(length / seconds, { measure: `${length} follow-ups`, unit: '/s', goal: null }),
      alone(depthMost - depthFirst, {
        measure: 'stack, deepest less first',
        unit: 'frames',
        // A pass that a timer began stands a frame or two deeper than one that an input began.
        goal: { of: 'ours', atMost: 4 },
      }),
      alone(mib(heapAfter - heapBefore), {
        measure: 'heap, end less begin',
        unit: 'MiB',
        goal: { of: 'ours', atMost: 4 },
        note: `heap after collection: ${mib(heapBefore).toFixed(1)} MiB after a tenth of the chain, ${mib(heapAfter).toFixed(1)} MiB at its end; ${seconds.toFixed(1)} s`,
      }),
      alone(freeWindows, { measure: 'steps without an owner', unit: 'steps', goal: { of: 'ours', atMost: 0 } }),
      alone(owners - length, { measure: 'grants beyond one a task', unit: 'grants', goal: { of: 'ours', atMost: 0 } }),
      alone(tapes.broken, {
        measure: `tapes of ${tapes.read} that do not follow on`,
        unit: 'tapes',
        goal: { of: 'ours', atMost: 0 },
      }),
    ];
  },
};
