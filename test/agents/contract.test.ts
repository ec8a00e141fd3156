/** Every driver through the same contract. */
import { afterAll, describe } from 'vitest';
import { contractTests } from './contract-tests.ts';
import { functionSubject, scriptedSubject } from './subjects.ts';

describe.each([scriptedSubject, functionSubject])('the agent contract holds', (make) => {
  const held = make();
  const { subject } = held;

  afterAll(() => held[Symbol.asyncDispose]());

  contractTests(subject.name, () => subject);
});
