/**
 * Carries the effects of a step out, in their order, after its records are durable; and judges each of them by what is
 * really true of the process, runner or timer that it is aimed at.
 */
import type { TaskId } from '../../src/core/model/ids.ts';
import type { Session } from '../../src/core/model/session.ts';
import type { Effect } from '../../src/core/model/effects.ts';
import { timerNames } from '../../src/core/model/timers.ts';
import { treeEntries, treeGet } from '../../src/core/tree.ts';
import type { Config, Name } from './config.ts';
import { judgeHistory, judgeText, withoutTexts } from './history.ts';
import { emptyMemory, judgeRewind } from './memory.ts';
import type { Report } from './report.ts';
import { judgeAgent, noteClose, startTalk, writeTalk } from './talk.ts';
import { forgetUnread } from './rollback.ts';
import type { Message, Process, Runner, Slot, Timer, World } from './world.ts';
import { requestNumber, slotOf } from './world.ts';

type EffectOf<T extends Effect['type']> = Extract<Effect, { type: T }>;

const rule = {
  parked: 'a session that is parked or held back sends nothing',
  oneAgent: 'rules 12, 14: one live process per session, the old one gone before the next',
  boundary: 'rule 9: a prompt is written only to an agent that is really at a boundary',
  cancelled: 'rules 7, 15: what was to be cancelled is never prompted again',
  interrupt: 'rule 7: an interrupt names the turn that is on the wire, and goes out once (and once more)',
  killOne: 'rule 12: a kill names the live process it means',
  riders: 'messages are conserved: merged tasks are in the prompt',
  settled: 'what became of the parts of a turn is recorded before the next prompt',
  runner: 'rule 11: one live runner per task, called by its own token',
  model: 'rule 9: a prompt is written only to an agent with the model of its turn',
  answer: 'an answer goes to a turn that asks, and once',
  allowed: 'nothing is allowed but by the policy or a person',
  attempts: 'every start of a runner counts as an attempt',
} as const;

export function deliver(config: Config, world: World, effects: readonly Effect[], report: Report): World {
  let after = world;
  for (const effect of effects) {
    after = one(config, after, effect, report);
  }
  // A node that has lost the session drops the deadlines itself; nothing else takes them away but the core.
  return forgetUnread(after.session.fenced ? { ...after, timers: [] } : after);
}

function one(config: Config, world: World, effect: Effect, report: Report): World {
  switch (effect.type) {
    case 'start':
      return start(config, world, effect, report);
    case 'prompt':
      return prompt(config, world, effect, report);
    case 'interrupt':
      return interrupt(world, effect, report);
    case 'continue':
      return world;
    case 'steer':
      if (isStalled(world.session)) {
        report.fail(rule.parked, 'a message is steered');
      }
      if (world.session.hold?.turn?.id !== effect.turn || world.session.hold.turn.phase !== 'running') {
        report.fail(rule.boundary, 'a message is steered into a turn that the agent has not confirmed');
      }
      return write(world, effect.incarnation, { type: 'steer', turn: effect.turn, task: effect.task }, report);
    case 'respond':
      return answer(world, effect, report);
    case 'switch':
      return switchModel(config, world, effect, report);
    case 'kill':
      return end(world, effect, report);
    case 'close':
      return end(noteClose(config, world), effect, report);
    case 'run':
      return { ...world, runners: runners(world, effect, report), slots: charge(world, effect, report) };
    case 'abort':
    case 'settle':
      return { ...world, runners: runners(world, effect, report) };
    case 'arm':
      return { ...world, timers: arm(world, { name: effect.timer, of: effect.subject }) };
    case 'disarm':
      return {
        ...world,
        timers: world.timers.filter((timer) => !(timer.name === effect.timer && timer.of === effect.subject)),
      };
  }
}

function start(config: Config, world: World, effect: EffectOf<'start'>, report: Report): World {
  const turn = world.session.hold?.turn ?? null;
  if (isHeldBack(world.session)) {
    report.fail(rule.parked, 'an agent is started');
  }
  if (turn !== null && effect.model !== turn.model) {
    report.fail(rule.model, 'the agent is started with another one');
  }
  if (world.processes.length > 0) {
    report.fail(rule.oneAgent, 'an agent is started while another process lives');
  }
  judgeAgent(config, world, effect.agent, report);
  const process: Process = {
    inc: effect.incarnation,
    up: false,
    leaving: false,
    agent: effect.agent,
    inbox: [],
    turn: null,
    started: false,
    interrupted: false,
    owes: 0,
    unsolicited: false,
    model: nameOf(effect.model),
    asked: 0,
    asks: [],
    unanswered: [],
    last: null,
    lastStarted: false,
    interrupts: 0,
    acked: false,
  };
  const started = startTalk(config, { ...world, processes: [...world.processes, process] }, effect, report);
  // Without a conversation to resume, nothing of what was said is known to it.
  return effect.conversation === null ? { ...started, slots: withoutTexts(world.slots), memory: emptyMemory } : started;
}

export function replaceProcess(world: World, process: Process): World {
  return { ...world, processes: world.processes.map((other) => (other.inc === process.inc ? process : other)) };
}

function write(world: World, inc: number, message: Message, report: Report): World {
  const process = world.processes.find((other) => other.inc === inc);
  if (process === undefined || process.leaving) {
    report.fail(rule.oneAgent, `a ${message.type} is written to a process that is not there or is leaving`);
    return world;
  }
  if (message.type === 'steer' && process.last !== message.turn) {
    report.fail(rule.interrupt, 'a steer names a turn that is not the last one written');
  }
  return replaceProcess(world, { ...process, inbox: [...process.inbox, message] });
}

function whyNotAtBoundary(config: Config, process: Process): string | null {
  if (!process.up) {
    return 'it is still starting';
  }
  if (process.turn !== null) {
    return 'it is in a turn';
  }
  if (process.unsolicited) {
    return 'it is in a turn that nobody asked for';
  }
  if (process.inbox.some((message) => message.type === 'prompt')) {
    return 'it has not read the prompt before';
  }
  if (process.inbox.some((message) => message.type === 'switch')) {
    return 'it has not read the switch before';
  }
  if (config.caps.acks && process.interrupts > 0 && !process.acked) {
    return 'the interrupt before is not acknowledged';
  }
  return null;
}

function prompt(config: Config, world: World, effect: EffectOf<'prompt'>, report: Report): World {
  const process = world.processes.find((other) => other.inc === effect.incarnation);
  const why = process === undefined ? 'it is not there' : whyNotAtBoundary(config, process);
  if (why !== null) {
    report.fail(rule.boundary, `a prompt is written although ${why}`);
  }
  if (isHeldBack(world.session)) {
    report.fail(rule.parked, 'a prompt is written');
  }
  if (process !== undefined && process.model !== world.session.hold?.turn?.model) {
    report.fail(rule.model, `the agent has the model ${process.model}`);
  }
  judgeAgent(config, world, process?.agent ?? null, report);
  judgePrompt(world, effect, report);
  judgeRewind(world.memory, effect.rewind, report);
  const inTurn = new Set<TaskId>([effect.task, ...effect.mergedTasks]);
  const slots = world.slots.map((slot): Slot => ({
    ...slot,
    inTurn: slot.state === 'open' && inTurn.has(slot.id),
    prompted: slot.prompted || (slot.state === 'open' && inTurn.has(slot.id)),
    resumes: slot.resumes || (slot.state === 'open' && inTurn.has(slot.id)),
    text: slot.state === 'open' && inTurn.has(slot.id) && !effect.delivered ? 'sent' : slot.text,
  }));
  const written = write(
    { ...writeTalk(config, world, effect, report), slots, tool: 'none', spoke: false },
    effect.incarnation,
    { type: 'prompt', turn: effect.turn, rewind: effect.rewind },
    report,
  );
  const reader = written.processes.find((other) => other.inc === effect.incarnation);
  return reader === undefined
    ? written
    : replaceProcess(written, {
        ...reader,
        last: effect.turn,
        lastStarted: false,
        owes: 0,
        interrupts: 0,
        acked: false,
        asked: 0,
        asks: [],
        unanswered: [],
      });
}

const nameOf = (model: string | null): Name => (model === 'm' || model === 'n' ? model : null);

/** Stated a second time: nothing at all may be sent, or nothing for the owner. */
function isStalled({ parked, throttle }: Session): boolean {
  return parked !== null || throttle?.level === 'all';
}

export function isHeldBack(session: Session): boolean {
  const owner = session.hold === null ? undefined : treeGet(session.tasks, session.hold.task);
  return isStalled(session) || (session.throttle !== null && owner?.lane === 'background');
}

function switchModel(config: Config, world: World, effect: EffectOf<'switch'>, report: Report): World {
  const process = world.processes.find((other) => other.inc === effect.incarnation);
  const why = process === undefined ? 'it is not there' : whyNotAtBoundary(config, process);
  if (why !== null) {
    report.fail(rule.boundary, `a switch is written although ${why}`);
  }
  if (!config.caps.models) {
    report.fail(rule.model, 'a switch is written to an agent that cannot');
  }
  if (effect.model !== world.session.hold?.turn?.model) {
    report.fail(rule.model, 'the switch is to another one');
  }
  if (isHeldBack(world.session)) {
    report.fail(rule.parked, 'a switch is written');
  }
  return write(world, effect.incarnation, { type: 'switch', turn: null, model: nameOf(effect.model) }, report);
}

/** `unanswered` is the truth about what the agent may still be told; an interrupt tells it all. */
function answer(world: World, effect: EffectOf<'respond'>, report: Report): World {
  const request = requestNumber(effect.request);
  const process = world.processes.find((other) => other.inc === effect.incarnation);
  if (process === undefined || process.turn !== effect.turn || !process.unanswered.includes(request)) {
    report.fail(rule.answer, `${effect.request} of turn ${effect.turn} is answered and is not asked`);
    return world;
  }
  const unanswered = process.unanswered.filter((one) => one !== request);
  const told = replaceProcess(world, { ...process, unanswered });
  return write(told, effect.incarnation, { type: 'answer', turn: effect.turn, request }, report);
}

function judgePrompt(world: World, effect: EffectOf<'prompt'>, report: Report): void {
  const { session } = world;
  const slot = world.slots[slotOf(world, effect.task)];
  const turn = session.hold?.turn ?? null;
  if (session.hold?.task !== effect.task || turn?.id !== effect.turn || turn.phase !== 'sent') {
    report.fail(rule.boundary, 'the prompt is not the one of the turn that the session believes to be sent');
  }
  if (session.settling.length > 0) {
    report.fail(rule.settled, 'a prompt is written before the parts of the last turn are settled');
  }
  if (slot === undefined || slot.state !== 'open' || slot.asked) {
    report.fail(rule.cancelled, 'the prompt of a task is written after its end was asked for');
    return;
  }
  const owner = treeGet(session.tasks, effect.task);
  for (const [id, task] of treeEntries(session.tasks)) {
    const mine = task.stage === 'merged' && task.mergedInto === (owner?.leads ?? effect.task);
    if (mine !== effect.mergedTasks.includes(id)) {
      report.fail(rule.riders, mine ? `${id} is merged into it and is not in its prompt` : `${id} is in its prompt`);
    }
  }
  judgeHistory(slot, effect, report);
  judgeText(world.slots, effect, report);
}

function interrupt(world: World, effect: EffectOf<'interrupt'>, report: Report): World {
  const turn = world.session.hold?.turn ?? null;
  if (turn === null || turn.id !== effect.turn || turn.phase !== 'draining') {
    report.fail(rule.interrupt, 'an interrupt is written for a turn that the session is not draining');
  }
  const written = write(world, effect.incarnation, { type: 'interrupt', turn: effect.turn }, report);
  const process = written.processes.find((other) => other.inc === effect.incarnation);
  if (process === undefined) {
    return written;
  }
  if (process.last !== effect.turn) {
    report.fail(rule.interrupt, 'an interrupt names a turn that is not on the wire');
  }
  if (!process.lastStarted) {
    report.fail(rule.interrupt, 'an interrupt is written before the agent said that it started');
  }
  if (process.interrupts !== (effect.resend ? 1 : 0)) {
    report.fail(rule.interrupt, 'an interrupt is written too often');
  }
  return replaceProcess(written, { ...process, interrupts: process.interrupts + 1, unanswered: [] });
}

function end(world: World, effect: EffectOf<'kill' | 'close'>, report: Report): World {
  const process = world.processes.find((other) => other.inc === effect.incarnation);
  if (process === undefined || process.leaving) {
    report.fail(rule.killOne, `a ${effect.type} names a process that is not there or is leaving already`);
    return world;
  }
  if (
    effect.type === 'close' &&
    (process.turn !== null || process.inbox.some((message) => message.type === 'prompt'))
  ) {
    report.fail(rule.killOne, 'an agent that is not at rest is closed');
  }
  return replaceProcess(world, { ...process, leaving: true });
}

function runners(world: World, effect: EffectOf<'run' | 'abort' | 'settle'>, report: Report): readonly Runner[] {
  const live = world.runners.find(
    (runner) => runner.task === effect.task && runner.run === effect.run && !runner.aborted,
  );
  switch (effect.type) {
    case 'run': {
      const slot = slotOf(world, effect.task);
      if (world.runners.some((runner) => runner.task === effect.task && !runner.aborted)) {
        report.fail(rule.runner, 'a second runner is started for a task');
      }
      const runner = { slot, task: effect.task, run: effect.run, aborted: false, call: null, made: 0, released: false };
      return [...world.runners, runner].sort((a, b) => a.slot - b.slot || a.run - b.run);
    }
    case 'abort':
      if (live === undefined) {
        report.fail(rule.runner, 'an abort names a runner that does not live');
      }
      return world.runners.map((runner) => (runner === live ? { ...runner, aborted: true, call: null } : runner));
    case 'settle':
      if (live === undefined || live.call !== effect.call) {
        report.fail(rule.runner, 'an answer is given to a call that no live runner waits for');
      }
      return world.runners.map((runner) => (runner === live ? { ...runner, call: null } : runner));
  }
}

/** A task that kills its runners has so many attempts, and no more (corpus T10). */
function charge(world: World, effect: EffectOf<'run'>, report: Report): readonly Slot[] {
  return world.slots.map((slot): Slot => {
    if (slot.id !== effect.task || slot.state !== 'open') {
      return slot;
    }
    judgeHistory(slot, effect, report);
    if (effect.attempt <= slot.runs) {
      report.fail(rule.attempts, `run ${slot.runs + 1} is attempt ${effect.attempt}`);
    }
    return { ...slot, runs: slot.runs + 1 };
  });
}

const timerOrder = (world: World, timer: Timer): number =>
  timerNames.indexOf(timer.name) * 16 + (typeof timer.of === 'string' ? slotOf(world, timer.of) : 0);

function arm(world: World, timer: Timer): readonly Timer[] {
  const others = world.timers.filter((other) => !(other.name === timer.name && other.of === timer.of));
  return [...others, timer].sort((a, b) => timerOrder(world, a) - timerOrder(world, b));
}
