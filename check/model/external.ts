/** Configurations of external tasks: programs outside the daemon that claim them, hold the session, fall silent, and outlive the daemon. */
import type { Config } from './config.ts';
import { background, configOf, interactive } from './config.ts';

const mergeGroup = 'p';
const mode = 'external';
const timers = ['drain', 'lease'] as const;

/** Nothing but its own time ends a task that no program claims: only `external-lapse` looks at what ends at last. */
const safety = { live: false, honest: true } as const;

export const external: readonly Config[] = [
  configOf({
    name: 'external',
    about:
      'an external task with two turns beside an interactive one: claimed, preempted, silent, cancelled; its late calls after that',
    slots: [background('B1', { mode, turns: 2 }), interactive('I1')],
    budgets: { claim: 2, cancel: 1 },
    timers,
    wild: true,
    ...safety,
  }),
  configOf({
    name: 'external-lapse',
    about: 'three holders in a row for two attempts, whose agent dies; each task ends, if only by its own time',
    slots: [background('B1', { mode, turns: 1 }), interactive('I1')],
    budgets: { claim: 3, die: 1 },
    timers,
    expires: true,
    honest: true,
  }),
  configOf({
    name: 'external-crash',
    about: 'a holder that outlives its daemon between turns or in its turn; it asks its last call again',
    slots: [background('B1', { mode, turns: 2 }), interactive('I1')],
    budgets: { claim: 2, crash: 1 },
    timers,
    chatty: true,
    ...safety,
  }),
  configOf({
    name: 'external-fail',
    about:
      'a holder that must not be lost beside an interactive owner: evicted, while the daemon closes, dies or faults',
    slots: [background('B1', { mode, turns: 1, onLost: 'fail' }), interactive('I1')],
    budgets: { claim: 1, evict: 1, close: 1, crash: 1, fault: 1 },
    timers,
    ...safety,
  }),
  configOf({
    name: 'external-fault',
    about: 'a holder that is taken from its task by a fault, and the next one; a turn fails for a reason that passes',
    slots: [background('B1', { mode, turns: 1 }), interactive('I1')],
    budgets: { claim: 2, fault: 1, pass: 1 },
    timers,
    ...safety,
  }),
  configOf({
    name: 'external-release',
    about:
      'an interactive holder that gives the session back and works on, beside a background one; one of them falls silent',
    slots: [interactive('I1', { mode, turns: 1 }), background('B1', { mode, turns: 1 })],
    budgets: { claim: 2, release: 1 },
    timers,
    ...safety,
  }),
  configOf({
    name: 'external-steered',
    about: 'a message that is steered into the turn of a holder, which is lost or stopped meanwhile',
    slots: [interactive('I1', { mergeGroup, mode, turns: 1 }), interactive('I2', { mergeGroup, whenBusy: 'steer' })],
    caps: { acks: true, steer: true, rewind: false, models: false, keepsPrompts: false },
    budgets: { claim: 2, stop: 1 },
    timers,
    ...safety,
  }),
  configOf({
    name: 'external-operator',
    about: 'an external task that nobody has claimed yet, or that is: moved, edited, replaced, and expired',
    slots: [background('B1', { mergeGroup, mode, turns: 1 }), interactive('I1', { mergeGroup, whenBusy: 'replace' })],
    budgets: { claim: 1, move: 1, edit: 1 },
    timers,
    expires: true,
    ...safety,
  }),
  configOf({
    name: 'names-external',
    about: 'an external task that is preempted, lost, fenced and taken over by another node; all names changed as well',
    slots: [background('B1', { mode, turns: 1 }), interactive('I1')],
    budgets: { claim: 2, fence: 1 },
    timers,
    renamed: true,
    chatty: true,
    ...safety,
  }),
];
