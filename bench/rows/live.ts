/**
 * Many live sessions on one daemon: 200 agents, real processes, at rest or in a turn. What each costs, and what a preemption in
 * one of them costs more than in a daemon that has no other. The agent is the scripted one: a real one is several times as large,
 * and its share of a preemption is its own (`npm run e2e:all` tells both).
 */
import { join } from 'node:path';
import type { Figure, Row, Run } from '../harness.ts';
import { alone, compared, inTurns, median, pause, percentile, temporaryFolder } from '../harness.ts';
import { usBetween } from '../support/agent-log.ts';
import { ScriptedDaemon } from '../support/scripted-daemon.ts';
import { usage } from '../support/usage.ts';

export const row: Row = {
  name: 'live',
  title: '200 live sessions on one daemon: memory, starts, preemption in one of them',
  limit: 'the same daemon with one live session',
  async measure(run: Run): Promise<readonly Figure[]> {
    const count = run.quick ? 4 : 200;
    const samples = run.quick ? 3 : 60;
    using folder = temporaryFolder();
    await using few = await Side.start(join(folder.path, 'few'), 1);
    await using many = await Side.start(join(folder.path, 'many'), count);
    await few.raise(1);
    const lean = usage(many.pid).rss;
    const began = performance.now();
    const agents = await many.raise(count);
    const raisedMs = performance.now() - began;
    run.say(`${count} agents are up`);
    const each = (usage(many.pid).rss - lean) / count;
    const agentRss = median(agents.map((pid) => usage(pid).rss));
    const pairs = await inTurns(run, { limit: () => few.preempt(samples), ours: () => many.preempt(samples) });
    return [
      alone(each / 1024, {
        measure: `daemon, for each of ${count} live sessions`,
        unit: 'KiB',
        goal: null,
        note: 'resident memory of the daemon with all agents up, less that without',
      }),
      alone(2 ** 30 / (agentRss + each), {
        measure: 'live sessions for each GiB, scripted agent included',
        unit: 'sessions',
        goal: null,
        note: `an agent of ${(agentRss / 2 ** 20).toFixed(0)} MiB (median), shared pages counted each time`,
      }),
      alone(raisedMs / count, {
        measure: 'start of a session and its agent, one after the other',
        unit: 'ms',
        goal: null,
      }),
      ...([50, 99] as const).map((percent) =>
        compared(
          pairs.map(({ ours, limit }) => ({ ours: percentile(ours, percent), limit: percentile(limit, percent) })),
          { measure: `preempt p${percent}`, unit: 'µs', goal: { of: 'ratio', atMost: percent === 50 ? 1.5 : 3 } },
        ),
      ),
    ];
  },
};

class Side implements AsyncDisposable {
  readonly #daemon: ScriptedDaemon;
  readonly #sessions: number;
  #next = 0;

  private constructor(daemon: ScriptedDaemon, sessions: number) {
    this.#daemon = daemon;
    this.#sessions = sessions;
  }

  static async start(folder: string, sessions: number): Promise<Side> {
    return new Side(
      await ScriptedDaemon.start(folder, {
        'limits.maxAgents': sessions + 1,
        'limits.agentIdleMs': 3_600_000,
      }),
      sessions,
    );
  }

  get pid(): number {
    return this.#daemon.pid;
  }

  /** One turn in each session; its agent stays. Gives the agents' pids. */
  async raise(sessions: number): Promise<readonly number[]> {
    const pids: number[] = [];
    for (let session = 0; session < sessions; session += 1) {
      using connection = await this.#daemon.connect();
      await connection.post('/v1/tasks', { session: `live:${session}`, prompt: '[[text:up]]' });
      pids.push((await this.#daemon.log.next('result')).pid);
    }
    return pids;
  }

  /** Microseconds from the request to the interrupt read by the agent; each in another session. */
  async preempt(samples: number): Promise<readonly number[]> {
    using connection = await this.#daemon.connect();
    const taken: number[] = [];
    for (let sample = 0; sample < samples; sample += 1) {
      const session = `live:${this.#next % this.#sessions}`;
      this.#next += 1;
      const { body } = await connection.post('/v1/tasks', { session, lane: 'background', prompt: '[[forever:20]]' });
      await this.#daemon.log.next('prompt');
      await pause(10 + Math.random() * 20);
      const { sentAt } = await connection.post('/v1/tasks', { session, lane: 'interactive', prompt: '[[text:short]]' });
      taken.push(usBetween(sentAt, (await this.#daemon.log.next('interrupt')).at));
      await this.#daemon.log.next('prompt');
      await this.#daemon.log.next('result');
      await this.#daemon.log.next('prompt');
      const { task } = JSON.parse(body) as { readonly task: string };
      await connection.post(`/v1/tasks/${task}/cancel`, {});
      await this.#daemon.log.next('result');
    }
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]();
  }
}
