/** Memory of idle sessions; CPU and memory of the idle installed daemon. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { functionDriver } from '../../src/agents/index.ts';
import { createClient } from '../../src/client/index.ts';
import { createSignalbox } from '../../src/runtime/index.ts';
import { openSqliteStore } from '../../src/store/index.ts';
import type { Figure, Row, Run } from '../harness.ts';
import { alone, pause, temporaryFolder } from '../harness.ts';
import { collectGarbage } from '../support/garbage.ts';
import { mustBeBuilt, startDaemon } from '../support/built-daemon.ts';
import { sendAll } from '../support/no-op-tasks.ts';
import { usage } from '../support/usage.ts';

export const row: Row = {
  name: 'idle',
  title: 'memory of an idle session; CPU and memory of the idle daemon',
  limit: 'nothing',
  async measure(run: Run): Promise<readonly Figure[]> {
    return [...(await sessionsAtRest(run)), ...(await daemonAtRest(run))];
  },
};

/** Rows of sessions are loaded, served, and left to their end; what the heap has gained is theirs. */
async function sessionsAtRest(run: Run): Promise<readonly Figure[]> {
  const count = run.quick ? 200 : 10_000;
  using folder = temporaryFolder();
  const agent = functionDriver(async function* () {
    yield 'done';
  });
  const limits = { agentIdleMs: 1, maxAgents: 500 };
  const box = createSignalbox({
    store: openSqliteStore({ path: join(folder.path, 'idle.db'), durability: 'process' }),
    agent,
    limits,
  });
  await box.ready;
  const serve = async (wave: number): Promise<number> => {
    await sendAll({ sessions: count, perSession: 1, inFlight: 500 }, async (session) => {
      const answer = await box.submit({ session: `bench:idle-${wave}-${session}`, prompt: 'nothing' });
      if (answer.kind === 'accepted') {
        await box.result(answer.task);
      }
    });
    while ((await box.stats()).sessionsLive > 0) {
      await pause(20);
    }
    await pause(50);
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  // The store remembers at most 20,000 tasks and sessions; the first three waves fill that. It is fuller or emptier at the end of
  // a wave by more than what is looked for, so of each half of the waves after them the leanest is taken.
  const warm = 3;
  const half = 4;
  const heaps: number[] = [];
  for (let wave = 0; wave < warm + 2 * half; wave += 1) {
    const heap = await serve(wave);
    if (wave >= warm) {
      heaps.push(heap);
    }
    run.say(`wave ${wave}: heap ${(heap / 2 ** 20).toFixed(2)} MiB`);
  }
  await box.close({ graceMs: 0 });
  const grown = Math.min(...heaps.slice(half)) - Math.min(...heaps.slice(0, half));
  return [
    alone(Math.max(0, grown / (half * count)), {
      measure: `heap for each of ${half * count} further idle sessions`,
      unit: 'B',
      goal: { of: 'ours', atMost: 16 },
      note: 'the leanest of four waves of sessions against the leanest of the four before, after a collection of garbage; three waves before them fill the bounded caches',
    }),
  ];
}

async function daemonAtRest(run: Run): Promise<readonly Figure[]> {
  mustBeBuilt();
  const seconds = run.quick ? 0.5 : 10;
  using folder = temporaryFolder();
  const data = join(folder.path, 'data');
  await using daemon = await startDaemon(data);
  const client = createClient({ baseUrl: daemon.url, token: readFileSync(join(data, 'token'), 'utf8').trim() });
  const receipt = await client.submit({ session: 'bench:idle', prompt: '[[text:done]]' });
  for await (const event of client.follow(receipt.task)) {
    if (event.type === 'final') {
      break;
    }
  }
  // Its agent is still there, as it would be: it is not counted.
  await pause(run.quick ? 100 : 2_000);
  const before = usage(daemon.pid);
  const launcher = usage(daemon.launcher);
  await pause(seconds * 1_000);
  const after = usage(daemon.pid);
  return [
    alone(((after.cpuMs - before.cpuMs) / (seconds * 1_000)) * 100, {
      measure: `daemon, ${seconds} s idle, of a core`,
      unit: '%',
      goal: { of: 'ours', atMost: 1 },
      note: 'the daemon has run one task; its agent, a process of its own, is not counted',
    }),
    alone(launcher.rss / 2 ** 20, { measure: 'launcher, resident memory', unit: 'MiB', goal: null }),
    alone(after.rss / 2 ** 20, { measure: 'daemon, resident memory', unit: 'MiB', goal: { of: 'ours', atMost: 90 } }),
  ];
}
