import { functionDriver } from '../../src/agents/index.ts';

/** Answers with its prompt. */
export const echo = functionDriver(async function* (prompt) {
  await Promise.resolve();
  yield prompt;
});
