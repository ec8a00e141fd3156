/** The driver with the real Codex, offline. Left out, and said so, where it is not installed. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { driverContract } from '../../src/agents/contract.ts';
import type { RealCodex } from './real/codex.ts';
import { codexBinary, missing, realCodex, realCodexSubject } from './real/codex.ts';

let codex: RealCodex;

beforeAll(async () => {
  codex = await realCodex();
});
afterAll(() => codex[Symbol.asyncDispose]());

describe('the agent contract', () => {
  for (const one of driverContract) {
    test(`codex: ${one.title}`, async (context) => {
      if (codexBinary === null) context.skip(missing);
      const subject = realCodexSubject(codex);
      const reason = one.skip(subject);
      if (reason !== null) context.skip(reason);
      await one.run(subject);
    });
  }
});
