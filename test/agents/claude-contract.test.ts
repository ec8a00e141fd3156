/** The driver contract against the player of Claude Code, in the dialect of today and in that of 2.1.197. */
import { afterAll, describe, test } from 'vitest';
import { driverContract } from '../../src/testing/agents/index.ts';
import { claudePlayer } from './players/claude-subject.ts';

describe.each(['modern', 'old'] as const)('the agent contract, %s', (dialect) => {
  const held = claudePlayer(dialect);
  const { subject } = held;

  afterAll(() => held[Symbol.asyncDispose]());

  for (const one of driverContract) {
    test(`${subject.name}: ${one.title}`, async (context) => {
      const reason = one.skip(subject);
      if (reason !== null) {
        context.skip(reason);
      }
      await one.run(subject);
    });
  }
});
