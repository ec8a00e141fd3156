/** The driver with the real Claude Code, offline. Left out, and said so, where it is not installed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contractTests } from './contract-tests.ts';
import { AgentProbe } from '../../src/testing/agents/index.ts';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pause, realTimers } from '../../src/supervise/index.ts';
import type { RealClaude } from './real/claude.ts';
import { claudeBinary, missing, realClaude, realClaudeSubject } from './real/claude.ts';

let claude: RealClaude;

beforeAll(async () => {
  claude = await realClaude();
});
afterAll(() => claude[Symbol.asyncDispose]());

describe('the agent contract holds', () => {
  contractTests('claude', () => realClaudeSubject(claude), {
    missing: () => (claudeBinary === null ? missing : null),
  });
});

test('C05: no interrupt of 50 that come 0 to 5 ms after the prompt is lost', async (context) => {
  if (claudeBinary === null) {
    context.skip(missing);
  }
  await using agent = new AgentProbe(claude.driver(), { deadlineMs: 20_000 });
  await agent.ready();
  for (let turn = 1; turn <= 50; turn += 1) {
    agent.prompt(turn, '[[slow:400,5]]');
    await pause(realTimers, turn % 6);
    // The core would wait for `started`.
    agent.interrupt(turn);
    expect((await agent.result(turn)).result.outcome, agent.transcript()).toBe('interrupted');
    await agent.first('ack', (event) => event.turn === turn);
  }
});

test('a prompt from outside runs no command of Claude Code and reads no file', async (context) => {
  if (claudeBinary === null) {
    context.skip(missing);
  }
  const secret = join(claude.home, 'secret.txt');
  writeFileSync(secret, 'a-word-that-stays-here');
  await using agent = new AgentProbe(claude.driver());
  await agent.ready();
  agent.prompt(1, `/clear @${secret} [[text:I see]]`);
  expect((await agent.result(1)).result).toMatchObject({ outcome: 'completed', report: { text: 'I see' } });
  const asked = claude.model.log.of('request').map(({ asked: { items } }) => JSON.stringify(items));
  expect(asked.some((items) => items.includes(`@${secret}`))).toBe(true);
  expect(asked.filter((items) => items.includes('a-word-that-stays-here'))).toEqual([]);
});
