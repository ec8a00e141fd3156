/** The driver with the real Claude Code, offline. Left out, and said so, where it is not installed. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { driverContract } from '../../src/agents/contract.ts';
import type { RealClaude } from './real/claude.ts';
import { claudeBinary, missing, realClaude, realClaudeSubject } from './real/claude.ts';

let claude: RealClaude;

beforeAll(async () => {
  claude = await realClaude();
});
afterAll(() => claude[Symbol.asyncDispose]());

describe('the agent contract', () => {
  for (const one of driverContract) {
    test(`claude: ${one.title}`, async (context) => {
      if (claudeBinary === null) context.skip(missing);
      const subject = realClaudeSubject(claude);
      const reason = one.skip(subject);
      if (reason !== null) context.skip(reason);
      await one.run(subject);
    });
  }
});
