/** The worker driver: through the contract, and with threads that are stuck. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { contractTests } from './contract-tests.ts';
import { AgentProbe } from '../../src/testing/agents/index.ts';
import type { WorkerDriver, WorkerDriverOptions } from '../../src/agents/worker/driver.ts';
import { workerDriver } from '../../src/agents/worker/driver.ts';
import type { ThreadExit } from '../../src/agents/worker/agent.ts';
import { running } from './players/running.ts';
import { codeSubject } from './subjects.ts';
import { pendingWaits, pause, realTimers } from '../../src/supervise/index.ts';

const state = mkdtempSync(join(tmpdir(), 'signalbox-worker-'));
afterAll(() => rmSync(state, { recursive: true, force: true }));

const moduleOf = (file: string): string => fileURLToPath(new URL(`players/${file}`, import.meta.url));
const make = (options: Partial<WorkerDriverOptions> = {}): WorkerDriver =>
  workerDriver({ module: moduleOf('worker-agent.ts'), env: { STATE: state }, closeGraceMs: 300, ...options });

const subject = codeSubject('thread', {
  name: 'worker',
  driver(variant) {
    if (variant === 'unstartable') {
      return make({ module: join(state, 'no-such-module.ts') });
    }
    return variant === 'never-ready' ? make({ module: moduleOf('worker-never.ts'), startDeadlineMs: 500 }) : make();
  },
  prompts: {
    die: 'die',
    stderr: 'stdout',
    stubborn: { unable: 'a thread takes no signals; see the ones that are stuck' },
    blocked: 'loop',
  },
  models: { other: 'another-model' },
});

describe('the agent contract holds', () => {
  contractTests('worker', () => subject);
});

const exitOf = async (agent: AgentProbe): Promise<ThreadExit & { readonly reason: string }> => {
  const { reason, data } = await agent.exited();
  return { ...(data as ThreadExit), reason };
};

async function stuck(driver: WorkerDriver, prompt: string): Promise<AgentProbe> {
  const agent = new AgentProbe(driver, { session: `stuck:${prompt}` });
  await agent.ready();
  agent.prompt(1, prompt);
  await agent.output(1);
  while (prompt === 'system' && running(`sleep 2.${process.pid}`).length === 0) {
    await pause(realTimers, 5);
  }
  return agent;
}

/** How late a timer of this loop can come while something happens. */
async function lag(until: Promise<unknown>): Promise<number> {
  let over = false;
  let worst = 0;
  void until.then(() => {
    over = true;
  });
  while (!over) {
    const before = performance.now();
    await pause(realTimers, 5);
    worst = Math.max(worst, performance.now() - before - 5);
  }
  return worst;
}

describe('S05: a thread that is stuck', () => {
  test.each(['loop', 'wait'])('in JavaScript (%s) is ended', async (prompt) => {
    const driver = make();
    const agent = await stuck(driver, prompt);
    agent.kill();
    expect(await exitOf(agent)).toMatchObject({ reason: 'killed', abandoned: false, rung: 'kill' });
    expect(driver.abandoned).toEqual([]);
    await agent[Symbol.asyncDispose]();
  });

  test('in the system is abandoned within the deadline, listed by name until it ends, and the daemon continues', async () => {
    const driver = make({ terminateDeadlineMs: 100 });
    const agent = await stuck(driver, 'system');
    agent.interrupt(1);
    agent.steer(1, 'one', 'to nobody');
    const began = performance.now();
    agent.kill();
    const late = await lag(agent.exited());
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(late).toBeLessThan(500);
    expect(await exitOf(agent)).toMatchObject({ reason: 'killed', abandoned: true, rung: 'kill', code: null });
    expect((await exitOf(agent)).hint).toContain('Restart the daemon');
    expect(driver.abandoned.map(({ name }) => name)).toEqual(['worker stuck:system #1']);
    const parked = pendingWaits.list().filter(({ owner }) => owner === 'worker stuck:system #1');
    expect(parked.map(({ name }) => name)).toEqual(['end of an abandoned thread']);
    // Its call returns, and the thread ends after all.
    while (driver.abandoned.length > 0) {
      await pause(realTimers, 10);
    }
    expect(pendingWaits.list().some(({ owner }) => owner === 'worker stuck:system #1')).toBe(false);
    expect(agent.breaches).toEqual([]);
  });

  test('is replaced only while few threads are abandoned', async () => {
    const driver = make({ terminateDeadlineMs: 20, abandonedMax: 1 });
    const agent = await stuck(driver, 'system');
    agent.kill();
    await agent.exited();
    const refused = new AgentProbe(driver);
    expect(await exitOf(refused)).toMatchObject({
      reason: 'spawn_failed',
      message: expect.stringContaining('stuck:system'),
    });
    while (driver.abandoned.length > 0) {
      await pause(realTimers, 10);
    }
    await using next = new AgentProbe(driver);
    await next.ready();
  });

  test('is detected as busy from outside, and reported once', async () => {
    const driver = make({ busyNoticeMs: 100 });
    const agent = await stuck(driver, 'wait');
    const notice = await agent.first('output', ({ part }) => part.kind === 'notice');
    expect(notice).toMatchObject({ turn: 1, part: { code: 'busy', message: expect.stringContaining('busy') } });
    await pause(realTimers, 300);
    expect(agent.of('output').filter(({ part }) => part.kind === 'notice')).toHaveLength(1);
    await agent[Symbol.asyncDispose]();
    const idle = await stuck(make({ busyNoticeMs: 100 }), 'deaf');
    await pause(realTimers, 300);
    expect(idle.of('output').filter(({ part }) => part.kind === 'notice')).toEqual([]);
    await idle[Symbol.asyncDispose]();
  });
});

describe('the port of a worker', () => {
  test('passes an error with its name, message, stack, code and cause', async () => {
    await using agent = new AgentProbe(make());
    agent.prompt(1, 'fail');
    const { error } = (await agent.result(1)).result.report as { readonly error: object };
    expect(error).toMatchObject({
      name: 'TypeError',
      message: 'the function fails',
      code: 'ODD',
      stack: expect.stringContaining('worker-agent.ts'),
      cause: { name: 'RangeError', message: 'too far', stack: expect.any(String) },
    });
  });

  test('passes an uncaught error, with the end of the thread', async () => {
    await using agent = new AgentProbe(make());
    agent.prompt(1, 'uncaught');
    expect(await exitOf(agent)).toMatchObject({
      reason: 'crashed',
      code: 1,
      error: { message: 'nobody catches this', code: 'ODD', cause: { message: 'at all' } },
    });
  });

  test('reports a value that cannot be cloned, and the turn completes', async () => {
    await using agent = new AgentProbe(make());
    agent.prompt(1, 'uncloneable');
    const { result } = await agent.result(1);
    expect(result.report).toMatchObject({ text: 'sent', error: { name: 'DataCloneError' } });
    expect(agent.of('output').map(({ part }) => part.kind)).toEqual(['raw', 'text']);
  });

  test('passes 5,000 pieces without a pause, in order, and only some of them while the daemon does not read', async () => {
    await using agent = new AgentProbe(make());
    agent.prompt(1, 'flood');
    await agent.output(1);
    const from = Date.now();
    while (Date.now() < from + 300) {}
    const until = Date.now();
    await agent.result(1);
    const pieces = agent
      .parts('text')
      .slice(0, 5_000)
      .map(({ text }) => text.split(' ').map(Number));
    expect(pieces.map(([piece]) => piece)).toEqual(Array.from({ length: 5_000 }, (_, index) => index + 1));
    const meanwhile = pieces.filter(([, at = 0]) => at > from && at < until);
    expect(meanwhile.length).toBeLessThan(600);
  });

  test('passes no secret of the daemon', async () => {
    const ambient = { ...process.env, SIGNALBOX_TOKEN: 'planted-secret' };
    await using agent = new AgentProbe(make({ ambient, env: { STATE: state, MINE: 'yes' } }));
    agent.prompt(1, 'environment');
    const text = JSON.stringify((await agent.result(1)).result.report);
    expect(text).toContain('MINE');
    expect(text).not.toContain('planted-secret');
  });
});

describe('a module of a worker', () => {
  test('may hold several functions', async () => {
    await using agent = new AgentProbe(make({ exported: 'other' }));
    agent.prompt(1, 'hello');
    await agent.result(1);
    expect(agent.text(1)).toBe('other: hello');
  });

  test('without such a function, or with an error in it, does not start', async () => {
    const none = new AgentProbe(make({ exported: 'notAFunction' }));
    expect(await exitOf(none)).toMatchObject({ reason: 'spawn_failed', error: { name: 'TypeError' } });
    const broken = new AgentProbe(workerDriver({ module: 'data:text/javascript,throw new RangeError("no")' }));
    expect(await exitOf(broken)).toMatchObject({
      reason: 'spawn_failed',
      message: expect.stringContaining('RangeError: no'),
      hint: expect.any(String),
    });
  });

  test('that outgrows its heap ends as crashed, and the daemon continues', async () => {
    const module = `data:text/javascript,${encodeURIComponent('export default async function* () { const all = []; for (;;) all.push(new Array(1000).fill(all.length)); }')}`;
    await using agent = new AgentProbe(workerDriver({ module, resourceLimits: { maxOldGenerationSizeMb: 16 } }));
    agent.prompt(1, 'grow');
    expect(await exitOf(agent)).toMatchObject({ reason: 'crashed', error: { code: 'ERR_WORKER_OUT_OF_MEMORY' } });
  });
});
