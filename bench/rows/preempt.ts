/**
 * Preemption and hand-over through the real daemon (durability `power`), the real protocol and a real child process.
 *
 * One session; its background task streams for ever. Each sample: an interactive task is posted at a random moment; the
 * agent logs when it has read the interrupt, written the result, read the next prompt. All times are of CLOCK_MONOTONIC,
 * which the processes of a machine share.
 * The limit does the least that keeps the promise: it commits the same rows, then writes the same line to the same program.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { scriptedProgram } from '../../src/agents/index.ts';
import { sessionKey } from '../../src/core/model/ids.ts';
import type { Record as CoreRecord } from '../../src/core/model/records.ts';
import { newSession } from '../../src/core/queue.ts';
import { step } from '../../src/core/step.ts';
import { partsPerStep } from '../../src/runtime/options.ts';
import type { Figure, Row, Run } from '../harness.ts';
import { compared, inTurns, nowNs, pause, percentile, temporaryFolder } from '../harness.ts';
import { AgentLogReader, usBetween } from '../support/agent-log.ts';
import { ScriptedDaemon } from '../support/scripted-daemon.ts';
import type { Connection } from '../support/connection.ts';
import { agentReady, result, submitted, turnStarted } from '../support/inputs.ts';
import { RawStore } from '../support/raw-store.ts';

/** Microseconds, one of each per preemption. */
interface Samples {
  readonly preempt: number[];
  readonly handOver: number[];
}

export const row: Row = {
  name: 'preempt',
  title: 'last byte of the request to interrupt readable by the agent; result boundary to next prompt readable',
  limit: 'one durable commit of the same rows, and one write to a pipe',
  async measure(run: Run): Promise<readonly Figure[]> {
    using folder = temporaryFolder();
    await using ours = await startOurs(folder.path);
    await using limit = startLimit(folder.path);
    const samples = run.quick ? 5 : 150;
    const pairs = await inTurns(run, { limit: () => limit.round(samples), ours: () => ours.round(samples) });
    return (['preempt', 'handOver'] as const).flatMap((what) =>
      ([50, 99] as const).map((percent) =>
        compared(
          pairs.map((pair) => ({
            ours: percentile(pair.ours[what], percent),
            limit: percentile(pair.limit[what], percent),
          })),
          {
            measure: `${what === 'preempt' ? 'preempt' : 'hand-over'} p${percent}`,
            unit: 'µs',
            goal: { of: 'ratio', atMost: percent === 50 ? 2 : 4 },
          },
        ),
      ),
    );
  },
};

interface Side extends AsyncDisposable {
  round(samples: number): Promise<Samples>;
}

const streaming = '[[forever:20]]';

async function startOurs(folder: string): Promise<Side> {
  const daemon = await ScriptedDaemon.start(join(folder, 'data'));
  const agent = daemon.log;
  const submit = (connection: Connection, lane: string, prompt: string) =>
    connection.post('/v1/tasks', { session: 'bench:preempt', lane, prompt });
  let background = '';
  /** A new one for each round, since the longest row of preemptions that a configuration allows is 1,000. */
  const begin = async (connection: Connection): Promise<void> => {
    if (background !== '') {
      await connection.post(`/v1/tasks/${background}/cancel`, {});
      await agent.next('result');
    }
    const { body } = await submit(connection, 'background', streaming);
    background = (JSON.parse(body) as { readonly task: string }).task;
    await agent.next('prompt');
  };
  return {
    async round(samples) {
      // The server gives up a connection that is idle for as long as a round of the limit takes.
      using connection = await daemon.connect();
      await begin(connection);
      const taken: Samples = { preempt: [], handOver: [] };
      for (let sample = 0; sample < samples; sample += 1) {
        await pause(10 + Math.random() * 20);
        const { sentAt } = await submit(connection, 'interactive', '[[text:short]]');
        const interrupted = await agent.next('interrupt');
        const cut = await agent.next('result');
        const first = await agent.next('prompt');
        const done = await agent.next('result');
        const second = await agent.next('prompt');
        taken.preempt.push(usBetween(sentAt, interrupted.at));
        taken.handOver.push(usBetween(cut.at, first.at), usBetween(done.at, second.at));
      }
      return taken;
    },
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
    },
  };
}

function startLimit(folder: string): Side {
  const log = join(folder, 'limit-agent.log');
  const child: ChildProcessByStdio<Writable, null, null> = spawn(
    process.execPath,
    ['--max-semi-space-size=1', '--no-warnings', scriptedProgram, '--log', log],
    { stdio: ['pipe', 'ignore', 'inherit'] },
  );
  const agent = new AgentLogReader(log);
  const store = new RawStore(join(folder, 'limit.db'), 'power');
  const say = (message: object): void => void child.stdin.write(`${JSON.stringify(message)}\n`);
  say({ type: 'start', protocol: 1, session: 'bench:limit', incarnation: 1, conversation: null });
  const rows = committedRows();
  let turn = 0;
  return {
    async round(samples) {
      await (turn === 0 ? agent.next('started') : null);
      const taken: Samples = { preempt: [], handOver: [] };
      for (let sample = 0; sample < samples; sample += 1) {
        turn += 1;
        await pause(10 + Math.random() * 20);
        const posted = nowNs();
        store.write(rows.preempt);
        say({ type: 'interrupt', turn });
        taken.preempt.push(usBetween(posted, (await agent.next('interrupt')).at));
        await pause(2);
        const ended = nowNs();
        store.write(rows.handOver);
        say({ type: 'prompt', turn, text: '[[text:short]]' });
        taken.handOver.push(usBetween(ended, (await agent.next('prompt')).at));
        await agent.next('result');
      }
      return taken;
    },
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      await gone;
      agent[Symbol.dispose]();
      store[Symbol.dispose]();
    },
  };
}

/** What the core commits before the interrupt, and before the next prompt, in exactly this situation. */
function committedRows(): { readonly preempt: readonly CoreRecord[]; readonly handOver: readonly CoreRecord[] } {
  let session = newSession(sessionKey('bench:preempt'), {
    maxPassedOver: 1_000_000,
    maxOpen: 100,
    partsPerStep,
    freshWhenFull: true,
  });
  const take = (input: Parameters<typeof step>[1]): readonly CoreRecord[] => {
    const taken = step(session, input);
    session = taken.session;
    return taken.records;
  };
  take(submitted('018f0000-0000-7000-8000-000000000001', 'background'));
  take(agentReady(session));
  take(turnStarted(session));
  const preempt = take(submitted('018f0000-0000-7000-8000-000000000002', 'interactive'));
  take({ type: 'ack', at: 1, incarnation: session.incarnations, turn: session.turns, noResult: false });
  return { preempt, handOver: take(result(session, 'interrupted')) };
}
