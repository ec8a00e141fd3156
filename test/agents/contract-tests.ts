/** The contract of all drivers as tests. A case that a subject cannot act is skipped with the subject's reason. */
import { test } from 'vitest';
import { type ContractCase, driverContract, type DriverSubject } from '../../src/testing/agents/index.ts';

interface ContractOptions {
  /** Default: all. */
  readonly cases?: readonly ContractCase[];
  /** Why the subject is not on this machine; null: it is. */
  readonly missing?: () => string | null;
}

/** `subject` is made when a case runs, after the hooks of the file. */
export function contractTests(
  name: string,
  subject: () => DriverSubject,
  { cases = driverContract, missing = () => null }: ContractOptions = {},
): void {
  for (const one of cases) {
    test(`${name}: ${one.title}`, async (context) => {
      const absent = missing();
      if (absent !== null) {
        context.skip(absent);
      }
      const made = subject();
      const reason = one.skip(made);
      if (reason !== null) {
        context.skip(reason);
      }
      await one.run(made);
    });
  }
}
