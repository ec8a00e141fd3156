/**
 * The configurations. Each lets some features interact, in full, over all interleavings; together they cover what the design
 * lists. All of them at once would be millions of times larger, and no less would be found.
 */
import type { Config } from './config.ts';
import { background, configOf, interactive } from './config.ts';
import { external } from './external.ts';
import { supervised } from './supervised.ts';
import { words } from './words.ts';

const mergeGroup = 'p';
const every = ['start', 'drain', 'silence', 'hold', 'protected', 'unsolicited', 'idle', 'collect'] as const;

const daily: readonly Config[] = [
  configOf({
    name: 'small',
    about: 'one background and one interactive task, one cancel',
    slots: [background('B1'), interactive('I1')],
    budgets: { cancel: 1 },
    chatty: true,
  }),
  configOf({
    name: 'small-protection',
    about: 'an interactive task that comes again and again beside one background task',
    slots: [background('B1'), interactive('I1', { recurs: true })],
    maxPassedOver: 1,
    honest: true,
    renamed: true,
    timers: ['drain', 'silence', 'hold', 'unsolicited'],
  }),
  configOf({
    name: 'names',
    about:
      'one background and one interactive task, cancels, a dying agent; every step taken again with all names changed',
    slots: [background('B1'), interactive('I1')],
    budgets: { cancel: 2, die: 1 },
    renamed: true,
  }),
  configOf({
    name: 'names-runner',
    about: 'a code runner that is preempted, evicted, and lost with its node; all names changed as well',
    slots: [background('B1', { mode: 'code', turns: 1 }), interactive('I1', { mergeGroup, whenBusy: 'collect' })],
    budgets: { evict: 1, crash: 1 },
    timers: ['drain', 'silence', 'collect'],
    honest: true,
    renamed: true,
    chatty: true,
  }),
  configOf({
    name: 'system',
    about: 'system work that is labelled urgent, and interrupts of other lanes: they preempt nobody',
    slots: [
      background('B1', { mergeGroup }),
      background('B2', { whenBusy: 'preempt' }),
      background('B3', { mergeGroup, whenBusy: 'interrupt' }),
      interactive('I1', { mergeGroup, whenBusy: 'interrupt' }),
    ],
    budgets: { cancel: 1 },
    timers: ['drain', 'silence'],
    honest: true,
  }),
  configOf({
    name: 'order',
    about: 'two background tasks and two interactive ones, cancelled at any moment',
    slots: [background('B1'), background('B2', { priority: 1 }), interactive('I1'), interactive('I2')],
    budgets: { cancel: 1 },
    timers: ['drain', 'hold'],
    honest: true,
  }),
  configOf({
    name: 'three',
    about: 'one background and three interactive tasks, one of them waiting politely, withdrawn at any moment',
    slots: [background('B1'), interactive('I1'), interactive('I2', { whenBusy: 'enqueue' }), interactive('I3')],
    budgets: { cancel: 1 },
    timers: ['drain', 'hold'],
    honest: true,
  }),
  configOf({
    name: 'protection',
    about: 'an interactive task that comes again and again beside two background tasks: they still end',
    slots: [background('B1'), background('B2'), interactive('I1', { recurs: true })],
    maxPassedOver: 2,
    honest: true,
    // The window of a protected turn is long enough for an honest agent to end the turn.
    timers: ['drain', 'silence', 'hold', 'unsolicited'],
  }),
  configOf({
    name: 'patient',
    about: 'two background tasks, and an interactive one that waits politely: at the hold limit the owner gives way',
    slots: [background('B1'), background('B2'), interactive('I1', { whenBusy: 'enqueue' })],
    budgets: { cancel: 1, pass: 1 },
    timers: ['drain', 'hold'],
    honest: true,
  }),
  configOf({
    name: 'patient-window',
    about: 'two background tasks that outlast the hold limit and the windows of their protected turns',
    slots: [background('B1'), background('B2')],
    timers: ['drain', 'silence', 'hold', 'protected'],
    // They take turns, and the end of neither is promised.
    live: false,
  }),
  configOf({
    name: 'patient-runner',
    about: 'two background runners and a background task: at the hold limit they give way, also between two turns',
    slots: [
      background('B1', { mode: 'code', turns: 1 }),
      background('B2', { mode: 'code', turns: 1, priority: 1 }),
      background('B3'),
    ],
    timers: ['drain', 'hold'],
    honest: true,
  }),
  configOf({
    name: 'two-callers',
    about: 'two interactive tasks that come again and again, so that one always waits: the background task still ends',
    slots: [background('B1'), interactive('I1', { recurs: true }), interactive('I2', { recurs: true })],
    maxPassedOver: 2,
    honest: true,
    timers: ['drain', 'silence', 'wait'],
  }),
  configOf({
    name: 'two-priorities',
    about:
      'two background tasks of a higher priority that come again and again: the one of the lower priority still ends',
    slots: [
      background('B1'),
      background('B2', { priority: 1, recurs: true }),
      background('B3', { priority: 2, recurs: true }),
    ],
    maxPassedOver: 2,
    honest: true,
    timers: ['drain', 'silence', 'wait'],
  }),
  configOf({
    name: 'fair-runner',
    about:
      'a background runner with two turns beside two callers that come again and again, and its runner is slow to ask',
    slots: [
      background('B1', { mode: 'code', turns: 2 }),
      interactive('I1', { recurs: true }),
      interactive('I2', { recurs: true }),
    ],
    maxPassedOver: 1,
    honest: true,
    timers: ['drain', 'silence'],
  }),
  configOf({
    name: 'window',
    about: 'the window of a protected turn closes',
    slots: [background('B1'), interactive('I1', { recurs: true })],
    maxPassedOver: 1,
    budgets: { cancel: 1 },
    // Against messages without end and an agent without end, its end is not promised.
    live: false,
  }),
  configOf({
    name: 'lies',
    about:
      'an agent that acks and answers late, twice, never, before or after; begins unasked; ends empty; fails; dies',
    slots: [background('B1'), interactive('I1')],
    budgets: { cancel: 1, twice: 1, unsolicited: 1, fail: 1, die: 1 },
    mute: true,
    sly: true,
  }),
  configOf({
    name: 'silent-acks',
    about: 'an agent without acks, the same lies',
    slots: [background('B1'), interactive('I1')],
    caps: { acks: false, steer: false, rewind: false, models: false, keepsPrompts: false },
    budgets: { twice: 1, unsolicited: 2, fail: 1, die: 1, cancel: 1 },
    mute: true,
    sly: true,
  }),
  configOf({
    name: 'runner',
    about: 'a background code runner with two turns: preempted, evicted, cancelled; its late calls after that',
    slots: [background('B1', { mode: 'code', turns: 2 }), interactive('I1')],
    budgets: { cancel: 1, evict: 1, die: 1 },
    wild: true,
  }),
  configOf({
    name: 'reentrant',
    about:
      'an interactive code runner with two turns under one hold; a background and another interactive task try to slip in',
    slots: [background('B1'), interactive('I1', { mode: 'code', turns: 2 }), interactive('I2')],
    budgets: { evict: 1, die: 1, cancel: 1 },
    timers: ['drain', 'hold'],
    honest: true,
    wild: true,
  }),
  configOf({
    name: 'steer',
    about: 'messages steered into a running turn, taken or not, while it is cancelled or lost',
    slots: [
      interactive('I1', { mergeGroup }),
      interactive('I2', { mergeGroup, whenBusy: 'steer' }),
      interactive('I3', { mergeGroup: 'q', whenBusy: 'steer' }),
    ],
    caps: { acks: true, steer: true, rewind: false, models: false, keepsPrompts: false },
    budgets: { cancel: 1, die: 1 },
    timers: ['drain', 'silence'],
    honest: true,
  }),
  configOf({
    name: 'steer-runner',
    about: 'a message steered into the turn of a code runner, while it is stopped or parked',
    slots: [
      interactive('I1', { mergeGroup, mode: 'code', turns: 2 }),
      interactive('I2', { mergeGroup, whenBusy: 'steer' }),
    ],
    caps: { acks: true, steer: true, rewind: false, models: false, keepsPrompts: false },
    budgets: { cancel: 1, die: 1, stop: 1, park: 1 },
    sly: true,
  }),
  configOf({
    name: 'hang-up',
    about: 'an agent that closes its channel and lives, with a message steered into its turn; its turn says so',
    slots: [
      background('B1'),
      interactive('I1', { mergeGroup, onLost: 'fail' }),
      interactive('I2', { mergeGroup, whenBusy: 'steer' }),
    ],
    caps: { acks: true, steer: true, rewind: false, models: false, keepsPrompts: false },
    budgets: { hangup: 2 },
    timers: ['drain'],
    honest: true,
  }),
  configOf({
    name: 'collect',
    about: 'parts of a message that are merged within a window, cancelled one by one, preempting',
    slots: [
      background('B1'),
      interactive('I1', { mergeGroup, whenBusy: 'collect' }),
      interactive('I2', { mergeGroup, whenBusy: 'collect' }),
      interactive('I3', { mergeGroup: 'q', whenBusy: 'collect' }),
    ],
    budgets: { cancel: 1 },
    timers: ['drain', 'collect'],
    honest: true,
  }),
  configOf({
    name: 'slices',
    about:
      'one part is settled in a step: merged parts are granted, answered, stopped and lost, with a crash between two of them',
    slots: [
      interactive('I1', { mergeGroup, whenBusy: 'collect' }),
      interactive('I2', { mergeGroup, whenBusy: 'collect' }),
      interactive('I3', { mergeGroup, whenBusy: 'collect' }),
    ],
    budgets: { cancel: 1, stop: 1, crash: 1 },
    timers: ['drain', 'collect'],
    partsPerStep: 1,
    honest: true,
  }),
  configOf({
    name: 'slices-steered',
    about:
      'one part is settled in a step: messages steered into a turn that completes, is stopped, or is lost with its node',
    slots: [
      interactive('I1', { mergeGroup }),
      interactive('I2', { mergeGroup, whenBusy: 'steer', onLost: 'fail' }),
      interactive('I3', { mergeGroup, whenBusy: 'steer' }),
    ],
    caps: { acks: true, steer: true, rewind: false, models: false, keepsPrompts: false },
    budgets: { stop: 1, crash: 1 },
    timers: ['drain'],
    partsPerStep: 1,
    honest: true,
  }),
  configOf({
    name: 'displace',
    about: 'replace and interrupt among tasks of one merge group, beside one that is not of it',
    slots: [
      interactive('I1', { mergeGroup }),
      interactive('I2', { mergeGroup, whenBusy: 'replace' }),
      interactive('I3', { mergeGroup, whenBusy: 'interrupt' }),
      background('B1'),
    ],
    timers: ['drain', 'silence'],
    honest: true,
  }),
  configOf({
    name: 'last-word',
    about:
      'a second message that interrupts comes before, while or after the first drains; a turn fails for a reason that passes',
    slots: [
      interactive('I1', { mergeGroup }),
      interactive('I2', { mergeGroup, whenBusy: 'interrupt' }),
      interactive('I3', { mergeGroup, whenBusy: 'interrupt' }),
      interactive('I4', { mergeGroup: 'q', whenBusy: 'interrupt' }),
    ],
    budgets: { pass: 1, throttle: 1 },
    timers: ['drain'],
    honest: true,
  }),
  configOf({
    name: 'displace-lanes',
    about: 'replace from the background lane and from the interactive one, with queued tasks and merged parts in both',
    slots: [
      interactive('I1', { mergeGroup }),
      interactive('I2', { mergeGroup, whenBusy: 'collect' }),
      interactive('I3', { mergeGroup, whenBusy: 'collect' }),
      background('B1', { mergeGroup, whenBusy: 'replace' }),
      interactive('I4', { mergeGroup, whenBusy: 'replace' }),
    ],
    timers: ['collect'],
    honest: true,
    live: false,
  }),
  configOf({
    name: 'rollback',
    about:
      'rollback of a running turn and of what rides on it, with an agent that can rewind; a message that is rejected when busy',
    slots: [
      interactive('I1', { mergeGroup }),
      interactive('I2', { mergeGroup, whenBusy: 'collect' }),
      interactive('I3', { mergeGroup, whenBusy: 'rollback' }),
      interactive('I4', { whenBusy: 'reject' }),
    ],
    caps: { acks: true, steer: true, rewind: true, models: false, keepsPrompts: false },
    budgets: { die: 1 },
    timers: ['drain', 'collect'],
    honest: true,
    renamed: true,
  }),
  configOf({
    name: 'rollbacks',
    about:
      'a second rollback, and the message of another sender, while the first is not read: an agent or the node dies, or it is cancelled',
    slots: [
      interactive('I1', { mergeGroup }),
      interactive('I2', { mergeGroup, whenBusy: 'rollback' }),
      interactive('I3', { mergeGroup, whenBusy: 'rollback' }),
    ],
    caps: { acks: true, steer: false, rewind: true, models: false, keepsPrompts: false },
    budgets: { die: 1, crash: 1, cancel: 1 },
    timers: ['drain'],
    honest: true,
  }),
  configOf({
    name: 'rollback-unread',
    about:
      'an agent that begins without a word, fails, or has lost its conversation, while a rollback waits to be read',
    slots: [
      interactive('I1', { mergeGroup }),
      interactive('I2', { mergeGroup, whenBusy: 'rollback' }),
      interactive('I3', { mergeGroup, whenBusy: 'rollback' }),
    ],
    caps: { acks: true, steer: false, rewind: true, models: false, keepsPrompts: false },
    budgets: { die: 1, fail: 1, pass: 1, lost: 1 },
    timers: ['drain'],
    honest: true,
    mute: true,
    conversation: true,
  }),
  configOf({
    name: 'unable',
    about: 'steer and rollback asked of an agent that can neither',
    slots: [
      interactive('I1', { mergeGroup }),
      interactive('I2', { mergeGroup, whenBusy: 'steer' }),
      interactive('I3', { mergeGroup, whenBusy: 'rollback' }),
    ],
    timers: ['drain', 'silence'],
    honest: true,
    renamed: true,
  }),
  configOf({
    name: 'steer-preempted',
    about: 'a message steered into a background turn that is then preempted, cancelled, or lost with its node',
    slots: [background('B1', { mergeGroup }), interactive('I1', { mergeGroup, whenBusy: 'steer' }), interactive('I2')],
    caps: { acks: true, steer: true, rewind: false, models: false, keepsPrompts: false },
    budgets: { cancel: 1, die: 1, crash: 1 },
    timers: ['drain', 'silence'],
    honest: true,
  }),
  configOf({
    name: 'collect-preempted',
    about: 'parts merged into a background task that is preempted and resumed, evicted, or lost with its node',
    slots: [
      background('B1', { mergeGroup, whenBusy: 'collect' }),
      background('B2', { mergeGroup, whenBusy: 'collect' }),
      interactive('I1'),
    ],
    budgets: { cancel: 1, evict: 1, crash: 1 },
    timers: ['drain', 'silence', 'collect'],
    honest: true,
  }),
  configOf({
    name: 'displace-runner',
    about: 'interrupt and rollback of a code runner, with what was merged into or steered into its turn',
    slots: [
      interactive('I1', { mergeGroup, mode: 'code', turns: 1 }),
      interactive('I2', { mergeGroup, whenBusy: 'steer' }),
      interactive('I3', { mergeGroup, whenBusy: 'interrupt' }),
      interactive('I4', { mergeGroup, whenBusy: 'rollback' }),
    ],
    caps: { acks: true, steer: true, rewind: true, models: false, keepsPrompts: false },
    budgets: { die: 1 },
    timers: ['drain', 'silence'],
    honest: true,
    wild: true,
  }),
  configOf({
    name: 'operator-runner',
    about: 'park, evict, restart and a fault, with a code runner that is preempted',
    slots: [background('B1', { mode: 'code', turns: 1 }), interactive('I1')],
    budgets: { park: 1, evict: 1, restart: 1, fault: 1 },
    timers: ['start', 'drain', 'silence', 'hold'],
    wild: true,
  }),
  configOf({
    name: 'release',
    about:
      'a runner gives the session back, between two turns or in one, and works on; it is stopped, evicted, or lost with its node',
    slots: [interactive('I1', { mode: 'code', turns: 1 }), background('B1', { mode: 'code', turns: 1 })],
    budgets: { release: 1, stop: 1, crash: 1 },
    timers: ['drain', 'hold'],
    honest: true,
  }),
  configOf({
    name: 'crash',
    about: 'the node dies twice and recovers from the records alone; conversations are resumed or lost',
    slots: [background('B1'), interactive('I1', { onLost: 'fail' })],
    budgets: { crash: 2, cancel: 1, lost: 1, die: 1 },
    conversation: true,
  }),
  configOf({
    name: 'crash-runner',
    about: 'the node dies while a code runner is alive or preempted, and while parts are being collected',
    slots: [
      background('B1', { mode: 'code', turns: 1, onLost: 'fail' }),
      interactive('I1', { mergeGroup, whenBusy: 'collect' }),
      interactive('I2', { mergeGroup, whenBusy: 'collect' }),
    ],
    budgets: { crash: 1 },
    timers: ['drain', 'silence', 'collect'],
    honest: true,
  }),
  configOf({
    name: 'lease',
    about: 'the lease is lost; the old node ends its agent, decides nothing more, and another takes over',
    slots: [background('B1', { mode: 'code', turns: 1, maxAttempts: 3 }), interactive('I1', { maxAttempts: 1 })],
    budgets: { fence: 2 },
    wild: true,
  }),
  configOf({
    name: 'operator',
    about: 'park, evict, cancel and restart of the agent at any moment',
    slots: [background('B1'), interactive('I1')],
    budgets: { park: 1, evict: 1, restart: 1, cancel: 1 },
  }),
  configOf({
    name: 'parks',
    about: 'the operator, the daemon that closes and a fault park a session that is parked already; it recovers',
    slots: [background('B1')],
    budgets: { park: 2, close: 1, fault: 1, restart: 1, crash: 1 },
    timers: ['drain'],
    honest: true,
  }),
  configOf({
    name: 'rest',
    about:
      'an agent that is closed when idle or to make room, a fault of the core, a parked session, a turn that nobody asked for',
    slots: [background('B1'), interactive('I1')],
    budgets: { park: 1, room: 1, fault: 1, unsolicited: 1 },
    timers: every,
  }),
  configOf({
    name: 'stop',
    about: 'stop of a turn, of the queue, of the session, with riders and a runner',
    slots: [
      background('B1', { mode: 'code', turns: 1 }),
      interactive('I1', { mergeGroup, whenBusy: 'collect' }),
      interactive('I2', { mergeGroup, whenBusy: 'collect' }),
    ],
    budgets: { stop: 2, die: 1 },
    timers: ['drain', 'collect'],
    honest: true,
  }),
  configOf({
    name: 'arrange',
    about: 'waiting tasks are moved between lanes and places, twice',
    slots: [background('B1'), background('B2', { priority: 1 }), interactive('I1', { whenBusy: 'enqueue' })],
    budgets: { move: 2 },
    timers: ['drain'],
    honest: true,
  }),
  configOf({
    name: 'rearrange',
    about: 'a task is moved beside parts that are collected, and a cancel',
    slots: [
      background('B1', { mergeGroup, whenBusy: 'collect' }),
      background('B2', { mergeGroup, whenBusy: 'collect' }),
      background('B3'),
    ],
    budgets: { move: 1, cancel: 1 },
    timers: ['drain', 'collect'],
    honest: true,
  }),
  configOf({
    name: 'reword',
    about: 'a text is edited beside parts that are collected, a preemption, a cancel and a crash of the node',
    slots: [
      background('B1', { mergeGroup, whenBusy: 'collect' }),
      background('B2', { mergeGroup, whenBusy: 'collect' }),
      interactive('I1'),
    ],
    budgets: { edit: 1, cancel: 1, crash: 1 },
    timers: ['drain', 'collect'],
    honest: true,
  }),
  configOf({
    name: 'reword-parts',
    about: 'a text is edited in an entry of three parts, the first of which is cancelled',
    slots: [
      background('B1', { mergeGroup, whenBusy: 'collect' }),
      background('B2', { mergeGroup, whenBusy: 'collect' }),
      background('B3', { mergeGroup, whenBusy: 'collect' }),
    ],
    budgets: { edit: 1, cancel: 1 },
    timers: ['collect'],
    honest: true,
  }),
  configOf({
    name: 'reword-steered',
    about: 'texts of a steered message and of a code task are edited, while an agent takes them or dies',
    slots: [
      background('B1', { mergeGroup }),
      interactive('I1', { mergeGroup, whenBusy: 'steer' }),
      interactive('I2', { mode: 'code', turns: 1 }),
    ],
    caps: { acks: true, steer: true, rewind: false, models: false, keepsPrompts: false },
    budgets: { edit: 1, die: 1 },
    timers: ['drain'],
    honest: true,
  }),
  configOf({
    name: 'rearrange-replace',
    about: 'tasks of one merge group are moved, and a message replaces them',
    slots: [
      interactive('I1', { mergeGroup }),
      interactive('I2', { mergeGroup }),
      interactive('I3', { mergeGroup }),
      interactive('I4', { mergeGroup, whenBusy: 'replace' }),
    ],
    budgets: { move: 1 },
    timers: ['drain'],
    honest: true,
  }),
  configOf({
    name: 'full',
    about: 'a queue with room for two; tasks are edited and cancelled',
    slots: [background('B1'), interactive('I1'), interactive('I2')],
    maxOpen: 2,
    budgets: { cancel: 2, edit: 1 },
    timers: ['drain', 'hold', 'silence'],
    honest: true,
  }),
];

const rare: readonly Config[] = [
  configOf({
    name: 'deep-arrange',
    about: 'waiting tasks are moved between lanes and places, twice, beside one that preempts',
    slots: [
      background('B1'),
      background('B2', { priority: 1 }),
      interactive('I1', { whenBusy: 'enqueue' }),
      interactive('I2'),
    ],
    budgets: { move: 2 },
    timers: ['drain'],
    honest: true,
    deep: true,
  }),
  configOf({
    name: 'deep-steer',
    about: 'messages steered into a turn that preempted a background task',
    slots: [
      background('B1'),
      interactive('I1', { mergeGroup }),
      interactive('I2', { mergeGroup, whenBusy: 'steer' }),
      interactive('I3', { mergeGroup: 'q', whenBusy: 'steer' }),
    ],
    caps: { acks: true, steer: true, rewind: false, models: false, keepsPrompts: false },
    budgets: { cancel: 1, die: 1 },
    timers: ['drain', 'silence'],
    honest: true,
    deep: true,
  }),
  configOf({
    name: 'deep-all-timers',
    about:
      'two background and two interactive tasks, cancels and a death, every deadline but the end of a protected turn (`patient-window`)',
    slots: [background('B1'), background('B2', { priority: 1 }), interactive('I1'), interactive('I2')],
    budgets: { cancel: 2, die: 1 },
    timers: every.filter((name) => name !== 'protected'),
    deep: true,
  }),
  configOf({
    name: 'deep-three',
    about: 'two background and three interactive tasks',
    slots: [background('B1'), background('B2'), interactive('I1'), interactive('I2'), interactive('I3')],
    budgets: { cancel: 1 },
    timers: ['drain', 'silence', 'hold'],
    honest: true,
    deep: true,
  }),
  configOf({
    name: 'deep-crash-reentrant',
    about: 'code runners in both lanes, evictions, a crash and a lost lease',
    slots: [
      background('B1', { mode: 'code', turns: 2 }),
      interactive('I1', { mode: 'code', turns: 2 }),
      interactive('I2'),
    ],
    budgets: { crash: 1, fence: 1, evict: 1, cancel: 1 },
    wild: true,
    deep: true,
  }),
  configOf({
    name: 'deep-lies',
    about: 'the lying agent with three tasks and every lie twice',
    slots: [background('B1'), interactive('I1'), interactive('I2')],
    budgets: { twice: 2, unsolicited: 2, fail: 1, die: 2, cancel: 1 },
    mute: true,
    sly: true,
    deep: true,
  }),
];

export const configs: readonly Config[] = [...daily, ...supervised, ...external, ...words, ...rare];

export function configNamed(name: string): Config | undefined {
  return configs.find((config) => config.name === name);
}
