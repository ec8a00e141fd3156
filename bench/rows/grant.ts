/** The in-memory hand-over of a grant among 50 waiters: what a lock would do, done by `step`. No store, no agent. */
import { Mutex } from 'async-mutex';
import { type Epoch, epoch, sessionKey, taskId } from '../../src/core/model/ids.ts';
import { newSession } from '../../src/core/queue.ts';
import { step } from '../../src/core/step.ts';
import { partsPerStep } from '../../src/runtime/options.ts';
import type { Figure, Row, Run } from '../harness.ts';
import { compared, inTurns, rate } from '../harness.ts';
import { submitted } from '../support/inputs.ts';

const waiters = 50;

/** Resolves when the caller owns; the function it gives releases. */
type Lock = () => Promise<() => void>;

export const row: Row = {
  name: 'grant',
  title: 'in-memory grant hand-over with 50 waiters',
  limit: 'a queue of raw promise resolvers; async-mutex',
  async measure(run: Run): Promise<readonly Figure[]> {
    const count = run.quick ? 10_000 : 400_000;
    const against = (lock: () => Lock) =>
      inTurns(run, {
        limit: () => rate(count, () => contend(lock(), count)),
        ours: () => rate(count, () => contend(sessionLock(), count)),
      });
    return [
      compared(await against(rawLock), {
        measure: 'to raw promises',
        unit: '/s',
        goal: { of: 'ratio', atLeast: 0.15 },
      }),
      compared(await against(mutexLock), {
        measure: 'to async-mutex',
        unit: '/s',
        goal: { of: 'ratio', atLeast: 1.5 },
      }),
    ];
  },
};

/** Fifty callers that take the lock again and again, `count` times in all; never two inside at once. */
async function contend(lock: Lock, count: number): Promise<void> {
  let inside = 0;
  let left = count;
  const call = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const release = await lock();
      inside += 1;
      if (inside !== 1) {
        throw new Error('two owners');
      }
      inside -= 1;
      release();
    }
  };
  await Promise.all(Array.from({ length: waiters }, call));
}

function rawLock(): Lock {
  const queue: ((release: () => void) => void)[] = [];
  let head = 0;
  let held = false;
  const release = (): void => {
    const next = queue[head];
    if (next === undefined) {
      held = false;
      return;
    }
    head += 1;
    if (head === 1024) {
      queue.splice(0, head);
      head = 0;
    }
    next(release);
  };
  return () => {
    if (!held) {
      held = true;
      return Promise.resolve(release);
    }
    return new Promise((resolve) => queue.push(resolve));
  };
}

function mutexLock(): Lock {
  const mutex = new Mutex();
  return () => mutex.acquire();
}

/** Every caller is a code task; its grant is the effect `run`, its release the input `finish`. */
function sessionLock(): Lock {
  let session = newSession(sessionKey('bench:grant'), {
    maxPassedOver: 3,
    maxOpen: 1_000,
    partsPerStep,
    freshWhenFull: true,
  });
  let made = 0;
  const waiting = new Map<string, (release: () => void) => void>();
  const take = (input: Parameters<typeof step>[1]): void => {
    const taken = step(session, input);
    session = taken.session;
    for (const effect of taken.effects) {
      if (effect.type === 'run') {
        const { task, run } = effect;
        const resolve = waiting.get(task);
        waiting.delete(task);
        resolve?.(() => finish(task, run));
      }
    }
  };
  const finish = (task: string, run: Epoch): void =>
    take({
      type: 'finish',
      at: 1,
      task: taskId(task),
      run: epoch(run),
      status: 'completed',
      reason: 'completed',
      result: null,
    });
  return () =>
    new Promise((resolve) => {
      const id = `task-${(made += 1)}`;
      waiting.set(id, resolve);
      take(submitted(id, 'interactive', 'code'));
    });
}
