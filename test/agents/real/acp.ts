/** The real ACP agents as subjects of the drivers' contract: offline, each with a home of its own, against the fake model API. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Model } from '../../../e2e/model/index.ts';
import { startModel } from '../../../e2e/model/index.ts';
import type { AcpDriverOptions } from '../../../src/agents/acp/options.ts';
import { acpDriver } from '../../../src/agents/acp/driver.ts';
import { AgentProbe } from '../../../src/testing/agents/index.ts';
import type { Behaviour, DriverSubject, Unable } from '../../../src/testing/agents/index.ts';
import type { AgentDriver } from '../../../src/agents/port.ts';
import { pause, realTimers } from '../../../src/supervise/index.ts';
import type { ProgramName } from './acp-programs.ts';
import { realProgram } from './acp-programs.ts';
import { tools } from './acp-tools.ts';
import { running } from '../players/running.ts';
import { contractTests } from '../contract-tests.ts';
import { allowing } from './codex.ts';
import { realPrompts } from './prompts.ts';

interface RealAgent extends AsyncDisposable {
  readonly model: Model;
  readonly folder: string;
  /** Null: it is not installed here. */
  readonly missing: string | null;
  driver(options?: AcpDriverOptions): AgentDriver;
}

async function realAgent(name: ProgramName): Promise<RealAgent> {
  const model = await startModel();
  const root = mkdtempSync(join(tmpdir(), `signalbox-${name}-`));
  const folder = join(root, 'work');
  mkdirSync(folder);
  const program = realProgram(name, { model: model.url, home: join(root, 'home') });
  const missing = 'unable' in program ? program.unable : null;
  return {
    model,
    folder,
    missing,
    driver: (options = {}) => {
      const found = 'unable' in program ? { command: name, env: {} } : program;
      const own = name === 'gemini' ? { args: ['-m', 'gemini-2.5-flash'] } : {};
      const common = { profile: name, command: found.command, passEnv: [], ...own, cwd: folder };
      return acpDriver({ ...common, ...options, env: { ...found.env, ...options.env } });
    },
    async [Symbol.asyncDispose]() {
      await model[Symbol.asyncDispose]();
      rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/** What one program does not show, and how else it differs. */
interface Differences {
  readonly prompts?: { readonly [B in Behaviour]?: string | Unable };
  readonly resumes?: Unable;
  readonly steers?: true;
  readonly models: { readonly other: string } | Unable;
}

/** Tells this run's tools from those of any other; behind another command, since one program refuses to sleep alone. */
const seconds = `61.${process.pid}`;
const longTool = `touch begun.txt; sleep ${seconds}`;
const noAck: Unable = { unable: 'the protocol has no ack: the response to the prompt is the boundary' };

function realSubject(name: ProgramName, agent: RealAgent, differences: Differences): DriverSubject {
  const own = tools[name];
  return {
    name,
    driver(variant) {
      if (variant === 'plain') {
        return allowing(agent.driver({ lineMaxBytes: 1_048_576 }), 'touch begun');
      }
      if (variant === 'unstartable') {
        return agent.driver({ command: join(agent.folder, 'no-such-program') });
      }
      return agent.driver({ startDeadlineMs: 20 });
    },
    prompts: realPrompts({
      'ack-late': noAck,
      'ack-never': noAck,
      'ack-twice': noAck,
      'ack-after-result': noAck,
      'ack-before-result': noAck,
      'ack-with-result': noAck,
      'ack-none': noAck,
      tool: `[[tool:${own.execute(longTool)}]] [[text:done]]`,
      ask: `[[tool:${own.execute('touch asked.txt')}]] [[text:done]]`,
      ...differences.prompts,
    }),
    steers: differences.steers ?? { unable: 'it is not declared by this program' },
    resumes: differences.resumes ?? true,
    loses: true,
    rewinds: { unable: 'the protocol takes no turn back' },
    reportsUsage: true,
    models: differences.models,
    tools: () => running(`sleep ${seconds}`),
    deadlineMs: 40_000,
  };
}

/** The tests of one program. `more`: its own, beside those of all. */
export function realTests(name: ProgramName, differences: Differences, more?: (agent: () => RealAgent) => void): void {
  const held: { agent: RealAgent | null } = { agent: null };
  const agent = (): RealAgent => {
    if (held.agent === null) {
      throw new Error('it is not there yet');
    }
    return held.agent;
  };
  beforeAll(async () => {
    held.agent = await realAgent(name);
  });
  afterAll(() => held.agent?.[Symbol.asyncDispose]());

  describe('the agent contract holds', () => {
    contractTests(name, () => realSubject(name, agent(), differences), { missing: () => agent().missing });
  });

  test('a resumed conversation contains the earlier turns', async (context) => {
    const { missing, model, folder } = agent();
    if (missing !== null) {
      context.skip(missing);
    }
    const first = new AgentProbe(agent().driver(), { folder, deadlineMs: 40_000 });
    await first.ready();
    first.prompt(1, '[[text:the first answer]]');
    await first.result(1);
    first.close();
    await first.exited();
    const conversation = first.of('ready')[0]?.conversation ?? null;
    // Gemini CLI forgets a conversation that it takes up in the minute in which it was begun.
    const env = name === 'gemini' ? { NODE_OPTIONS: `--import=${new URL('later.ts', import.meta.url).href}` } : {};
    await using second = new AgentProbe(agent().driver({ env }), { folder, conversation, deadlineMs: 40_000 });
    const ready = await second.ready();
    expect(ready).toMatchObject({ conversation, conversationReset: false });
    const mark = model.log.mark();
    second.prompt(2, '[[text:the second answer]]');
    const asked = await model.log.next(
      'request',
      ({ asked: { items } }) => JSON.stringify(items).includes('the second answer'),
      { from: mark },
    );
    expect(JSON.stringify(asked.asked.items)).toContain('the first answer');
    await second.result(2);
    expect(second.text(2)).toBe('the second answer');
  }, 120_000);

  test('C05: no interrupt of 200 that come 0 to 5 ms after the prompt is lost', async (context) => {
    const { missing, folder } = agent();
    if (missing !== null) {
      context.skip(missing);
    }
    await using probe = new AgentProbe(agent().driver(), { folder, deadlineMs: 20_000 });
    await probe.ready();
    const took: number[] = [];
    for (let turn = 1; turn <= 200; turn += 1) {
      probe.prompt(turn, '[[slow:400,10]]');
      // Time is what this is about; the core waits for `started` too.
      await Promise.all([probe.started(turn), pause(realTimers, turn % 6)]);
      const at = performance.now();
      probe.interrupt(turn);
      const { result } = await probe.result(turn);
      took.push(performance.now() - at);
      expect(result.outcome, `turn ${turn}`).toBe('interrupted');
    }
    const sorted = took.toSorted((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.ceil(share * sorted.length) - 1] ?? 0).toFixed(1);
    console.log(`${name}: 200 early interrupts, ms: p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)}`);
  }, 180_000);

  test('each of 40 cancels in mid-stream gets its response', async (context) => {
    const { missing, folder } = agent();
    if (missing !== null) {
      context.skip(missing);
    }
    await using probe = new AgentProbe(agent().driver(), { folder, deadlineMs: 20_000 });
    await probe.ready();
    const took: number[] = [];
    for (let turn = 1; turn <= 40; turn += 1) {
      probe.prompt(turn, '[[slow:2000,5]]');
      await probe.first('output', (event) => event.turn === turn && event.part.kind === 'text');
      const at = performance.now();
      probe.interrupt(turn);
      expect((await probe.result(turn)).result.outcome).toBe('interrupted');
      took.push(performance.now() - at);
    }
    const sorted = took.toSorted((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.ceil(share * sorted.length) - 1] ?? 0).toFixed(1);
    console.log(`${name}: 40 cancels in mid-stream, ms: p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)}`);
  }, 180_000);

  more?.(agent);
}
