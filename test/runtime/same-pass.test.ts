/** What holds only where the store answers at once: there is no promise between a commit and the interrupt that it orders. */
import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/port.ts';
import { openMemoryStore } from '../../src/store/index.ts';
import { loopPasses, openBox } from '../support/box.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A store that logs each commit once it has returned. */
function loggingCommits(log: string[]): Store {
  const store = openMemoryStore();
  return new Proxy(store, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (name !== 'commit' || typeof value !== 'function') {
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return (commits: Parameters<Store['commit']>[0]) => {
        const outcomes = store.commit(commits);
        const interrupts = commits.some(({ records }) =>
          records.some((record) => record.type === 'event' && record.event.type === 'interrupt-requested'),
        );
        log.push(interrupts ? 'commit of an interrupt' : 'commit');
        return outcomes;
      };
    },
  });
}

describe('over a store that answers at once', () => {
  it('C01 the interrupt leaves in the first pass after the urgent submit, right after the commit', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    await using one = await openBox({ store: loggingCommits(log), clock });
    await one.background();
    const turn = await one.stage.turn();
    turn.context.signal.addEventListener('abort', () => log.push('interrupt'));
    await loopPasses(3);
    log.length = 0;
    clock.holdPasses();
    const urgent = one.send({});
    await loopPasses(3);
    const before = { passes: clock.heldPasses, log: [...log] };
    clock.releasePasses();
    // The function agent aborts one microtask after it was told.
    await Promise.resolve();
    // Time stands still: the submit has asked for a pass, and that pass has committed and interrupted.
    expect([before, log]).toEqual([{ passes: 1, log: [] }, ['commit of an interrupt', 'interrupt']]);
    await urgent;
    (await one.stage.turn()).finish();
  });
});
