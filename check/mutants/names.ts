/** Rules that look at what they should not. */
import type { Mutant } from './mutant.ts';
import { mutant } from './mutant.ts';

export const names: readonly Mutant[] = [
  mutant(
    'what was never sent is charged by the policy',
    'crash',
    'rules/turn-end',
    "((sent && task.onLost === 'fail')",
    "(task.onLost === 'fail'",
  ),
  mutant(
    'a message is steered while parked',
    'steer-runner',
    'rules/submit',
    '!stalled(d.s) && sameGroup',
    'sameGroup',
  ),
  mutant(
    'a rule looks at the number of an epoch',
    'names',
    'rules/deadlines',
    '!isLeft && (mayFail ? isPressed(session) : isWaitedFor(session)) ?',
    '!isLeft && (mayFail ? isPressed(session) : isWaitedFor(session)) && session.epoch < 500 ?',
  ),
  mutant('system work preempts', 'system', 'queue', "task.lane === 'interactive' && busyPolicies", 'busyPolicies'),
];
