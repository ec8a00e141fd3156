/** All operators. A new one needs its entry here, and an example in `test/check/mutation.test.ts`. */
import { argumentOrder, pairedFunction, passThrough, sum } from './calls.ts';
import { comparison, condition, connective, negation } from './conditions.ts';
import type { Operator } from './operator.ts';
import { element, field } from './parts.ts';
import { omission, otherCase } from './statements.ts';
import { constant, value } from './values.ts';

export type { Edit } from './operator.ts';

export const operators: readonly Operator[] = [
  condition,
  comparison,
  connective,
  negation,
  omission,
  otherCase,
  constant,
  value,
  field,
  element,
  argumentOrder,
  pairedFunction,
  passThrough,
  sum,
];
