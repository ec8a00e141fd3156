/** What happens at the hold limit: who gives way, to whom, and what that costs. */
import type { Mutant } from './mutant.ts';
import { mutant } from './mutant.ts';

export const holdLimit: readonly Mutant[] = [
  mutant(
    'a background owner is ended at the hold limit',
    'patient',
    'rules/timers',
    "if (task.lane === 'interactive') {",
    'if (task.attempts > 0) {',
  ),
  mutant(
    'an interactive owner gives way at the hold limit',
    'small',
    'rules/timers',
    "if (task.lane === 'interactive') {",
    'if (task.attempts < 0) {',
  ),
  mutant('who gives way at the hold limit is granted again', 'patient', 'rules/turn-end', '  lineUp(d);\n', ''),
  mutant(
    'the turn that is cut at the hold limit ends as after a preemption',
    'patient',
    'rules/turn-end',
    "if (turn.interrupt?.intent === 'hold') {",
    'if (d.s.fenced) {',
  ),
  mutant(
    'a background task that waits for the owner comes before an interactive one',
    'patient',
    'rules/fairness',
    'interactiveWaits(d.s) ? waiter : {',
    'd.s.fenced ? waiter : {',
  ),
  mutant(
    'a turn that is cut at the hold limit burns a retry',
    'patient',
    'rules/turn-end',
    "interrupt.intent === 'hold' ||",
    '',
  ),
  mutant(
    'an interactive turn ends at the hold limit for a task that is patient',
    'three',
    'rules/deadlines',
    'mayFail ? isPressed(session) : isWaitedFor(session)',
    'isWaitedFor(session)',
  ),
  mutant('a protected turn is cut at the hold limit', 'patient', 'rules/deadlines', ' || turn.protected);', ');'),
  mutant(
    'the hold limit runs for a runner that has not asked for a turn',
    'patient-runner',
    'rules/deadlines',
    'session.indexes.backgroundByAge.root !== null',
    'session.indexes.queue.root !== null',
  ),
  mutant(
    'the hold limit runs against an owner that may not go on',
    'throttle',
    'rules/deadlines',
    '  !stalled(session) &&\n',
    '',
  ),
  mutant(
    'the hold limit runs for those who wait for the throttle',
    'throttle',
    'rules/deadlines',
    '(session.throttle === null && ',
    '(',
  ),
  mutant(
    'the hold limit runs while the turn is interrupted',
    'small',
    'rules/deadlines',
    '(turn.interrupt !== null || turn.protected)',
    'turn.protected',
  ),
  mutant(
    'the receipt of a cancel does not name the verdict that stands',
    'three',
    'rules/turn-end',
    '= task.verdict ?? verdict;',
    '= verdict;',
  ),
];
