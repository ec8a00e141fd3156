/** For how long the main loop is busy at a stretch in work that takes seconds: a stop of a long queue, a start with many sessions. */
import { join } from 'node:path';
import { functionDriver } from '../../src/agents/index.ts';
import { createSignalbox, type Signalbox } from '../../src/runtime/index.ts';
import { openSqliteStore } from '../../src/store/index.ts';
import type { Figure, Row, Run } from '../harness.ts';
import { alone, temporaryFolder } from '../harness.ts';
import { sendAll } from '../support/no-op-tasks.ts';

const goal = { of: 'ours', atMost: 50 } as const;

export const row: Row = {
  name: 'slices',
  title: 'longest stretch of the main loop in long work',
  limit: 'nothing',
  async measure(run: Run): Promise<readonly Figure[]> {
    const [tasks, sessions] = run.quick ? [1_000, 200] : [30_000, 4_000];
    using folder = temporaryFolder();
    const open = (): Signalbox => openBox(join(folder.path, 'slices.db'));
    let box = open();
    await box.ready;
    await send(box, tasks, () => 'bench:long');
    const stop = await longest(async () => box.stop('bench:long', 'queue'));
    await send(box, sessions, (n) => `bench:${n}`);
    await box.close({ graceMs: 0 });
    const start = await longest(async () => {
      box = open();
      await box.ready;
    });
    await box.close({ graceMs: 0 });
    return [
      alone(stop, { measure: `stop of ${tasks} waiting tasks`, unit: 'ms', goal }),
      alone(start, { measure: `start with ${sessions} open sessions`, unit: 'ms', goal }),
    ];
  },
};

function openBox(path: string): Signalbox {
  const agent = functionDriver(async function* (_prompt, { signal }) {
    yield 'begun';
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  });
  const most = 1_000_000;
  const limits = { maxAgents: 4, maxOpen: most, maxOpenTasks: most, maxOpenPerSource: most };
  return createSignalbox({ store: openSqliteStore({ path, durability: 'process' }), agent, limits });
}

const send = (box: Signalbox, count: number, session: (n: number) => string): Promise<void> =>
  sendAll({ sessions: count, perSession: 1, inFlight: 500 }, async (n) => {
    await box.submit({ session: session(n), prompt: 'wait', lane: 'background', whenBusy: 'enqueue' });
  });

/** Milliseconds of processor time of this thread: those of another program on the machine do not count. */
function busyMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** The longest time between two passes of the event loop during the work. */
async function longest(work: () => Promise<unknown>): Promise<number> {
  let most = 0;
  let last = busyMs();
  let over = false;
  const look = (): void => {
    const now = busyMs();
    most = Math.max(most, now - last);
    last = now;
    if (!over) {
      setImmediate(look);
    }
  };
  setImmediate(look);
  await work();
  over = true;
  return Math.max(most, busyMs() - last);
}
