/** The example agent in Python, as it stands, through the contract that Signalbox's own drivers pass. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Behaviour, DriverSubject, Unable } from '../../src/testing/agents/index.ts';
import { AgentProbe, driverContract } from '../../src/testing/agents/index.ts';
import { processDriver } from '../../src/agents/index.ts';
import { running } from '../agents/players/running.ts';
import { quick } from '../agents/subjects.ts';

const missing = spawnSync('python3', ['--version']).status === 0 ? null : 'python3 is not installed here';
const driver = processDriver({
  ...quick,
  command: 'python3',
  args: [fileURLToPath(new URL('../../examples/agent.py', import.meta.url))],
});
const simple: Unable = { unable: 'the example is a simple agent' };
const able: { readonly [behaviour in Behaviour]?: string } = {
  answer: 'hello from everybody here',
  forever: 'word '.repeat(20_000),
  empty: ' ',
  ask: 'run echo hello',
};

const subject: DriverSubject = {
  name: 'example',
  driver: (variant) => (variant === 'plain' ? driver : simple),
  prompts: new Proxy<{ [behaviour in Behaviour]?: string | Unable }>(
    {},
    { get: (_target, behaviour) => able[behaviour as Behaviour] ?? simple },
  ) as DriverSubject['prompts'],
  steers: true,
  resumes: simple,
  loses: { unable: 'it names no conversation' },
  rewinds: simple,
  reportsUsage: true,
  models: { other: 'loud' },
};

describe('the agent in Python', () => {
  for (const one of driverContract) {
    if (one.skip(subject) !== null) {
      continue;
    }
    test(`fulfils the contract: ${one.title}`, async (context) => {
      if (missing !== null) {
        context.skip(missing);
      }
      await one.run(subject);
    });
  }

  test('runs an allowed command, and ends it with an interrupt', async (context) => {
    if (missing !== null) {
      context.skip(missing);
    }
    const command = `sleep 64.${process.pid}`;
    await using agent = new AgentProbe(driver);
    await agent.ready();
    agent.prompt(1, `run echo begun; ${command}`);
    const { request, action: ask } = await agent.first('permission-requested', () => true);
    expect(ask).toEqual({ kind: 'execute', tool: 'shell', title: `echo begun; ${command}` });
    agent.respond(1, request, true);
    await agent.first('output', ({ part }) => part.kind === 'tool');
    agent.interrupt(1);
    const { result } = await agent.result(1);
    expect(result).toMatchObject({ outcome: 'interrupted' });
    expect(running(command)).toEqual([]);
  });

  test('refuses a model that it does not know', async (context) => {
    if (missing !== null) {
      context.skip(missing);
    }
    await using agent = new AgentProbe(driver, { model: 'loud' });
    await agent.ready();
    agent.switchModel('unheard-of');
    expect((await agent.first('switched', () => true)).ok).toBe(false);
    agent.prompt(1, 'as before');
    await agent.result(1);
    expect(agent.text(1)).toBe('AS BEFORE ');
  });
});
