/** Every driver through the same contract. */
import { afterAll, describe } from 'vitest';
import { contractTests } from './contract-tests.ts';
import { sandboxLack } from '../support/sandbox.ts';
import { functionSubject, sandboxedSubject, scriptedSubject } from './subjects.ts';

describe.each([scriptedSubject, functionSubject, sandboxedSubject])('the agent contract holds', (make) => {
  const held = make();
  const { subject } = held;

  afterAll(() => held[Symbol.asyncDispose]());

  const missing = make === sandboxedSubject ? () => sandboxLack : () => null;
  contractTests(subject.name, () => subject, { missing });
});
