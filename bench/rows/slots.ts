/**
 * Urgent work when the background turns of other sessions have all agent slots, and thousands of sessions that wait for one; through the real
 * daemon (durability `power`), the real protocol and real child processes.
 *
 * 16 sessions stream for ever. Each sample: an interactive task is posted in another session; the agents log when one of them has read its
 * interrupt, and when the new one has read its prompt. Beside it: the same in one session, as the row `preempt` has it; and what cannot be
 * saved, with two programs and no daemon: drain the one, close it, start the other, and write to it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { agentNice } from '../../src/agents/child/json-lines.ts';
import { scriptedProgram } from '../../src/agents/index.ts';
import type { Figure, Row, Run } from '../harness.ts';
import { compared, inTurns, nowNs, pause, percentile, temporaryFolder } from '../harness.ts';
import { AgentLogReader, usBetween } from '../support/agent-log.ts';
import { type Program, startProgram } from '../support/child.ts';
import { ScriptedDaemon } from '../support/scripted-daemon.ts';
import { Connection } from '../support/connection.ts';

const slots = 16;

/** Microseconds, one of each per urgent task. */
interface Samples {
  readonly interrupt: number[];
  readonly prompt: number[];
}

export const row: Row = {
  name: 'slots',
  title: `an urgent task while background turns have all ${slots} slots; restart and stop with thousands of sessions that wait for one`,
  limit: 'a preemption in one session; drain, close and start of bare programs; a daemon with 40 such sessions',
  async measure(run: Run): Promise<readonly Figure[]> {
    return [...(await urgent(run)), ...(await many(run))];
  },
};

async function urgent(run: Run): Promise<readonly Figure[]> {
  using folder = temporaryFolder();
  await using all = await Side.start(join(folder.path, 'all'), slots);
  await using single = await Side.start(join(folder.path, 'single'), 1);
  const samples = run.quick ? 2 : 30;
  // The log of a round begins with it.
  let bares = 0;
  const pairs = await inTurns<Samples>(run, {
    limit: async () => ({
      interrupt: await single.within(samples),
      prompt: await bare(join(folder.path, `bare-${(bares += 1)}.log`), samples),
    }),
    ours: () => all.between(samples),
  });
  const figure = (what: keyof Samples, percent: number, measure: string, atMost: number): Figure =>
    compared(
      pairs.map(({ ours, limit }) => ({
        ours: percentile(ours[what], percent),
        limit: percentile(limit[what], percent),
      })),
      { measure: `${measure} p${percent}`, unit: 'µs', goal: { of: 'ratio', atMost } },
    );
  return [
    figure('interrupt', 50, 'interrupt of another session', 2),
    figure('interrupt', 99, 'interrupt of another session', 4),
    figure('prompt', 50, 'prompt of the urgent task', 1.2),
  ];
}

const streaming = '[[forever:200]]';

class Side implements AsyncDisposable {
  readonly #daemon: ScriptedDaemon;
  readonly #sessions: number;

  private constructor(daemon: ScriptedDaemon, sessions: number) {
    this.#daemon = daemon;
    this.#sessions = sessions;
  }

  static async start(folder: string, sessions: number): Promise<Side> {
    return new Side(await ScriptedDaemon.start(folder, { 'limits.maxAgents': slots }), sessions);
  }

  /** A background turn in each session, and what ends them. */
  async #begin(connection: Connection): Promise<() => Promise<void>> {
    const tasks: string[] = [];
    for (let at = 0; at < this.#sessions; at += 1) {
      const session = `bench:${at}`;
      const { body } = await connection.post('/v1/tasks', { session, lane: 'background', prompt: streaming });
      tasks.push((JSON.parse(body) as { readonly task: string }).task);
      await this.#daemon.log.next('prompt', (line) => line.session === session);
    }
    return async () => {
      for (const [at, task] of tasks.entries()) {
        await connection.post(`/v1/tasks/${task}/cancel`, {});
        await this.#daemon.log.next('result', (line) => line.session === `bench:${at}`);
      }
    };
  }

  /** From the request to the interrupt that the agent has read, within one session. */
  async within(samples: number): Promise<number[]> {
    using connection = await this.#daemon.connect();
    const end = await this.#begin(connection);
    const taken: number[] = [];
    for (let sample = 0; sample < samples; sample += 1) {
      await pause(10 + Math.random() * 20);
      const task = { session: 'bench:0', lane: 'interactive', prompt: '[[text:short]]' };
      const { sentAt } = await connection.post('/v1/tasks', task);
      taken.push(usBetween(sentAt, (await this.#daemon.log.next('interrupt')).at));
      await this.#daemon.log.next('prompt');
      await this.#daemon.log.next('result');
      await this.#daemon.log.next('prompt');
    }
    await end();
    return taken;
  }

  /** The same from another session, and further to the prompt that its agent has read. */
  async between(samples: number): Promise<Samples> {
    using connection = await this.#daemon.connect();
    const end = await this.#begin(connection);
    const taken: Samples = { interrupt: [], prompt: [] };
    for (let sample = 0; sample < samples; sample += 1) {
      await pause(10 + Math.random() * 20);
      const task = { session: 'bench:urgent', lane: 'interactive', prompt: '[[text:short]]' };
      const { sentAt } = await connection.post('/v1/tasks', task);
      const interrupted = await this.#daemon.log.next('interrupt');
      taken.interrupt.push(usBetween(sentAt, interrupted.at));
      const prompted = await this.#daemon.log.next('prompt', ({ session }) => session === 'bench:urgent');
      taken.prompt.push(usBetween(sentAt, prompted.at));
      // The urgent session's agent makes room for the one that gave way.
      await this.#daemon.log.next('prompt', ({ session }) => session === interrupted.session);
    }
    await end();
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]();
  }
}

/** A program that speaks the agent protocol. */
function bareAgent(log: string, incarnation: number) {
  const child = spawn(process.execPath, ['--max-semi-space-size=1', '--no-warnings', scriptedProgram, '--log', log], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  // As the daemon starts its agents.
  setPriority(child.pid ?? 0, Math.min(19, getPriority() + agentNice));
  const gone = once(child, 'exit');
  const waiting = new Map<string, () => void>();
  const said = (type: string): Promise<void> => new Promise((resolve) => waiting.set(type, resolve));
  createInterface({ input: child.stdout }).on('line', (line) => {
    waiting.get((JSON.parse(line) as { readonly type: string }).type)?.();
  });
  const say = (message: object): void => void child.stdin.write(`${JSON.stringify(message)}\n`);
  const start = {
    type: 'start',
    protocol: 1,
    session: 'bare',
    incarnation,
    conversation: null,
    model: null,
    folder: null,
  };
  const ready = said('ready');
  say(start);
  const close = async (): Promise<void> => {
    say({ type: 'close' });
    child.stdin.end();
    await gone;
  };
  return { say, said, ready, close };
}

/** Drains one program, closes it, starts another, and writes its first prompt: microseconds until that is read. */
async function bare(path: string, samples: number): Promise<number[]> {
  using log = new AgentLogReader(path);
  const taken: number[] = [];
  let agent = bareAgent(path, 1);
  await agent.ready;
  for (let sample = 0; sample < samples; sample += 1) {
    const incarnation = sample + 2;
    agent.say({ type: 'prompt', turn: 1, text: streaming });
    await log.next('prompt');
    await pause(10 + Math.random() * 20);
    const began = nowNs();
    const drained = agent.said('result');
    agent.say({ type: 'interrupt', turn: 1 });
    await drained;
    await agent.close();
    agent = bareAgent(path, incarnation);
    await agent.ready;
    agent.say({ type: 'prompt', turn: 1, text: '[[text:short]]' });
    taken.push(usBetween(began, (await log.next('prompt')).at));
    await log.next('result');
  }
  await agent.close();
  return taken;
}

/** Milliseconds. */
interface Round {
  readonly restart: number;
  readonly stop: number;
}

/** Restart and stop of the daemon with sessions that wait for one of two slots. */
async function many(run: Run): Promise<readonly Figure[]> {
  using folder = temporaryFolder();
  const count = run.quick ? 100 : 4_000;
  const sides = { ours: join(folder.path, 'many'), limit: join(folder.path, 'few') };
  await fill(sides.ours, count);
  await fill(sides.limit, 40);
  run.say(`${count} sessions wait`);
  const pairs = await inTurns<Round>(run, { limit: () => restart(sides.limit), ours: () => restart(sides.ours) });
  return (['restart', 'stop'] as const).map((what) =>
    compared(
      pairs.map(({ ours, limit }) => ({ ours: ours[what], limit: 3 * limit[what] + count })),
      {
        measure: `${what} with ${count} sessions that wait`,
        unit: 'ms',
        goal: { of: 'ratio', atMost: 1 },
        note: 'limit: three times that with 40 such sessions, and a millisecond for each',
      },
    ),
  );
}

const startFull = (folder: string): Promise<Program> =>
  startProgram('daemon', { folder, settings: { agent: { name: 'scripted' }, 'limits.maxAgents': 2 }, graceMs: 10_000 });

async function fill(folder: string, count: number): Promise<void> {
  await using daemon = await startFull(folder);
  const token = readFileSync(join(folder, 'token'), 'utf8').trim();
  const url = String(daemon.hello['url']);
  const lanes = Array.from({ length: 16 }, async (_, lane) => {
    using connection = await Connection.open(url, token);
    for (let at = lane; at < count; at += 16) {
      await connection.post('/v1/tasks', { session: `bench:${at}`, lane: 'background', prompt: streaming });
    }
  });
  await Promise.all(lanes);
}

async function restart(folder: string): Promise<Round> {
  const began = performance.now();
  const daemon = await startFull(folder);
  const up = performance.now();
  await daemon[Symbol.asyncDispose]();
  return { restart: up - began, stop: performance.now() - up };
}
