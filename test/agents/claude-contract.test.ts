/** The driver contract against the player of Claude Code, in the dialect of today and in that of 2.1.197. */
import { afterAll, describe } from 'vitest';
import { contractTests } from './contract-tests.ts';
import { claudePlayer } from './players/claude-subject.ts';

describe.each(['modern', 'old'] as const)('the agent contract holds for %s', (dialect) => {
  const held = claudePlayer(dialect);
  const { subject } = held;

  afterAll(() => held[Symbol.asyncDispose]());

  contractTests(subject.name, () => subject);
});
