/** Configurations about what an agent is told of earlier turns, and about what its conversation has. */
import type { Config } from './config.ts';
import { background, configOf, interactive } from './config.ts';

const mergeGroup = 'p';
const keeping = { acks: true, steer: false, rewind: false, models: false, keepsPrompts: true } as const;

export const words: readonly Config[] = [
  configOf({
    name: 'words',
    about: 'a turn that is interrupted in the middle of a tool, or fails for a reason that passes; its agent dies',
    slots: [background('B1'), interactive('I1')],
    caps: keeping,
    budgets: { tool: 1, die: 1, pass: 1 },
    timers: ['drain'],
    honest: true,
    conversation: true,
  }),
  configOf({
    name: 'words-lost',
    about:
      'a background turn that is interrupted in the middle of a tool, and whose conversation is lost; all names changed as well',
    slots: [background('B1'), interactive('I1')],
    caps: keeping,
    budgets: { tool: 1, lost: 1, restart: 1 },
    timers: ['drain'],
    honest: true,
    conversation: true,
    renamed: true,
  }),
  configOf({
    name: 'words-again',
    about:
      'a background turn that is interrupted twice, by an agent that begins and stops without a word and has no conversation to resume',
    slots: [background('B1'), interactive('I1'), interactive('I2')],
    caps: keeping,
    budgets: { tool: 1, pass: 1, room: 1 },
    timers: ['drain'],
    honest: true,
    mute: true,
    sly: true,
  }),
  configOf({
    name: 'words-parts',
    about: 'messages that share a turn, which is preempted, and one of which is cancelled at any moment',
    slots: [
      background('B1', { mergeGroup, whenBusy: 'collect' }),
      background('B2', { mergeGroup, whenBusy: 'collect' }),
      interactive('I1'),
    ],
    caps: keeping,
    budgets: { cancel: 1, die: 1 },
    timers: ['drain', 'collect'],
    honest: true,
    conversation: true,
  }),
  configOf({
    name: 'words-steered',
    about: 'a message that is steered into a turn with a tool, and taken or not when that is preempted or cut off',
    slots: [background('B1', { mergeGroup }), interactive('I1', { mergeGroup, whenBusy: 'steer' }), interactive('I2')],
    caps: { ...keeping, steer: true },
    budgets: { tool: 1, die: 1 },
    partsPerStep: 1,
    timers: ['drain'],
    honest: true,
    conversation: true,
  }),
  configOf({
    name: 'words-runner',
    about: 'the turns of a code runner that are preempted in a tool, and whose node dies',
    slots: [background('B1', { mode: 'code', turns: 2 }), interactive('I1')],
    caps: keeping,
    budgets: { tool: 1, crash: 1 },
    timers: ['drain'],
    honest: true,
    conversation: true,
  }),
  configOf({
    name: 'words-rollback',
    about: 'turns that are taken out of a conversation which has the text of a task that waits to continue',
    slots: [
      background('B1'),
      interactive('I1', { mergeGroup }),
      interactive('I2', { mergeGroup, whenBusy: 'rollback' }),
      interactive('I3', { mergeGroup, whenBusy: 'steer' }),
    ],
    caps: { ...keeping, steer: true, rewind: true },
    budgets: { die: 1 },
    timers: ['drain'],
    honest: true,
    conversation: true,
  }),
];
