/** Every driver through the same contract. */
import { afterAll, describe, test } from 'vitest';
import { driverContract } from '../../src/testing/agents/index.ts';
import { functionSubject, scriptedSubject } from './subjects.ts';

describe.each([scriptedSubject, functionSubject])('the agent contract', (make) => {
  const held = make();
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
