/** Every input that can arrive in a state, and every step that the environment can take by itself. */
import type { Input, InputOf } from '../../src/core/inputs.ts';
import type { TurnResult } from '../../src/core/model.ts';
import { treeGet } from '../../src/core/tree.ts';
import type { Config, SlotSpec } from './config.ts';
import { replaceProcess } from './deliver.ts';
import type { Process, Runner, World } from './world.ts';
import { has, kinds, slotId, spend, timerNames } from './world.ts';
import type { Who } from './world.ts';

/** `world` is the environment just before the input is applied; the session in it has not moved yet. */
export type Offer = (who: Who, kind: number, world: World, input: Input | null) => void;

export const at = 1;

export function moves(config: Config, world: World, offer: Offer): void {
  senders(config, world, offer);
  operators(world, offer);
  for (const process of world.processes) agentMoves(config, world, process, offer);
  for (const runner of world.runners) runnerMoves(config, world, runner, offer);
  for (const timer of world.timers) {
    if (!config.timers.includes(timer.name)) continue;
    const slot = world.slots.findIndex((other) => other.id === timer.of);
    const kind =
      timer.name === 'collect' ? kinds.collect + Math.max(0, slot) : kinds.timer + timerNames.indexOf(timer.name);
    const timers = world.timers.filter((other) => other !== timer);
    offer('timer', kind, { ...world, timers }, { at, type: 'timer', name: timer.name, of: timer.of });
  }
  if (has(world, 'fence') && !world.session.fenced) {
    offer('node', kinds.fault, spend(world, 'fence'), { at, type: 'fenced' });
  }
}

export const submitOf = (spec: SlotSpec, generation: number): InputOf<'submit'> & { readonly at: number } => ({
  at,
  type: 'submit',
  payload: null,
  task: {
    id: slotId(spec.name, generation),
    lane: spec.lane,
    mode: spec.mode,
    priority: spec.priority,
    party: spec.party,
    whenBusy: spec.whenBusy,
    onLost: spec.onLost,
    maxAttempts: spec.maxAttempts,
    model: null,
  },
});

function senders(config: Config, world: World, offer: Offer): void {
  for (const [index, spec] of config.slots.entries()) {
    const slot = world.slots[index];
    if (slot === undefined) continue;
    if (slot.state === 'unborn') offer('sender', kinds.sender, world, submitOf(spec, slot.generation));
    if (slot.state !== 'open') continue;
    if (has(world, 'cancel')) {
      const input: Input = { at, type: 'cancel', task: slot.id, reason: 'cancelled', by: null };
      offer('sender', kinds.sender, spend(world, 'cancel'), input);
    }
    if (has(world, 'edit')) {
      offer('sender', kinds.sender, spend(world, 'edit'), { at, type: 'edit', task: slot.id, payload: 1, by: null });
    }
    if (has(world, 'move')) moveTask(world, index, offer);
  }
}

function moveTask(world: World, index: number, offer: Offer): void {
  const slot = world.slots[index];
  const task = slot === undefined ? undefined : treeGet(world.session.tasks, slot.id);
  if (task === undefined) return;
  const spent = spend(world, 'move');
  const common = { at, type: 'move', task: task.id, lane: null, priority: null, where: null, by: null } as const;
  offer('operator', kinds.operator, spent, {
    ...common,
    lane: task.lane === 'background' ? 'interactive' : 'background',
  });
  offer('operator', kinds.operator, spent, { ...common, priority: 1 });
  offer('operator', kinds.operator, spent, { ...common, where: 'first' });
  offer('operator', kinds.operator, spent, { ...common, where: 'last' });
  for (const other of world.slots) {
    if (other.state === 'open' && other.id !== task.id) {
      offer('operator', kinds.operator, spent, { ...common, where: { before: other.id } });
    }
  }
}

function operators(world: World, offer: Offer): void {
  const { session } = world;
  if (has(world, 'stop')) {
    for (const scope of ['turn', 'queue', 'session'] as const) {
      offer('operator', kinds.operator, spend(world, 'stop'), { at, type: 'stop', scope, by: null });
    }
  }
  if (has(world, 'evict') && session.hold !== null) {
    const input: Input = { at, type: 'evict', epoch: session.hold.epoch, by: null };
    offer('operator', kinds.operator, spend(world, 'evict'), input);
  }
  if (has(world, 'park') && session.parked === null) {
    offer('operator', kinds.operator, spend(world, 'park'), { at, type: 'park', reason: 'parked', by: null });
  }
  if (session.parked !== null) offer('operator', kinds.unpark, world, { at, type: 'unpark', by: null });
  if (has(world, 'restart') && session.agent.kind !== 'none') {
    offer('operator', kinds.operator, spend(world, 'restart'), { at, type: 'restart-agent', by: null });
  }
  if (has(world, 'fault')) offer('node', kinds.fault, spend(world, 'fault'), { at, type: 'fault', reason: 'x' });
  if (has(world, 'room')) offer('node', kinds.operator, spend(world, 'room'), { at, type: 'make-room' });
}

function agentMoves(config: Config, world: World, process: Process, offer: Offer): void {
  const { inc } = process;
  const gone = { ...world, processes: world.processes.filter((other) => other !== process) };
  const exited: Input = { at, type: 'agent-exited', inc, reason: 'exited', data: null };
  if (process.leaving) offer('process', kinds.exit, gone, exited);
  else if (has(world, 'die')) offer('process', kinds.fault, spend(gone, 'die'), exited);
  if (!process.up) {
    becomesReady(config, world, process, offer);
    return;
  }
  if (config.chatty) chats(world, process, offer);
  reads(config, world, process, offer);
  if (process.turn !== null) results(config, world, process, process.turn, offer);
  else if (process.last !== null && process.lastStarted && has(world, 'twice')) {
    const again: Input = { at, type: 'result', inc, turn: process.last, result: completed };
    offer('agent', kinds.fault, spend(world, 'twice'), again);
  }
  if (process.owes > 0 && process.last !== null) {
    const turn = process.last;
    const input: Input = { at, type: 'ack', inc, turn, none: process.turn !== turn && config.sly };
    offer('agent', kinds.ack, replaceProcess(world, { ...process, owes: process.owes - 1, acked: true }), input);
    if (has(world, 'twice')) {
      offer('agent', kinds.fault, spend(replaceProcess(world, { ...process, acked: true }), 'twice'), input);
    }
  }
  if (process.unsolicited) {
    const input: Input = { at, type: 'unsolicited', inc, phase: 'ended', data: null };
    offer('agent', kinds.unsolicited, replaceProcess(world, { ...process, unsolicited: false }), input);
  } else if (has(world, 'unsolicited') && process.turn === null) {
    const begun = replaceProcess(world, { ...process, unsolicited: true });
    offer('agent', kinds.fault, spend(begun, 'unsolicited'), {
      at,
      type: 'unsolicited',
      inc,
      phase: 'began',
      data: null,
    });
  }
}

function chats(world: World, process: Process, offer: Offer): void {
  const say = { at, type: 'output', inc: process.inc, data: null } as const;
  offer('agent', kinds.fault, world, { ...say, turn: null, kind: 'raw' });
  if (process.turn !== null) offer('agent', kinds.fault, world, { ...say, turn: process.turn, kind: 'text' });
}

function becomesReady(config: Config, world: World, process: Process, offer: Offer): void {
  const up = replaceProcess(world, { ...process, up: true });
  const ready = { at, type: 'agent-ready', inc: process.inc, caps: config.caps } as const;
  const conversation = config.conversation ? `of ${process.inc}` : null;
  const resumed = world.session.conversation ?? conversation;
  offer('agent', kinds.ready, up, { ...ready, conversation: resumed, lost: false });
  if (has(world, 'lost') && world.session.conversation !== null) {
    offer('agent', kinds.fault, spend(up, 'lost'), { ...ready, conversation, lost: true });
  }
}

function reads(config: Config, world: World, process: Process, offer: Offer): void {
  const [message, ...inbox] = process.inbox;
  if (message === undefined) return;
  const { inc } = process;
  const read = { ...process, inbox };
  switch (message.type) {
    case 'prompt': {
      if (process.turn !== null || process.unsolicited) return;
      const begun = { ...read, turn: message.turn, started: true, interrupted: false };
      const input: Input = { at, type: 'turn-started', inc, turn: message.turn };
      offer('agent', kinds.start, replaceProcess(world, { ...begun, lastStarted: true }), input);
      if (config.mute) offer('reading', kinds.fault, replaceProcess(world, { ...begun, started: false }), null);
      return;
    }
    case 'interrupt': {
      const hit = process.turn === message.turn;
      const owes = config.caps.acks && process.last === message.turn ? process.owes + 1 : process.owes;
      const next = replaceProcess(world, { ...read, owes, interrupted: process.interrupted || hit });
      offer('reading', kinds.read, next, null);
      return;
    }
    case 'steer': {
      const next = replaceProcess(world, read);
      const answer = { at, type: 'steered', inc, turn: message.turn, task: message.task } as const;
      if (process.turn === message.turn) offer('agent', kinds.steered, next, { ...answer, taken: true });
      offer('agent', kinds.steered, next, { ...answer, taken: false });
      return;
    }
  }
}

const completed: TurnResult = { outcome: 'completed', empty: false, failure: null, data: null };
const emptied: TurnResult = { outcome: 'completed', empty: true, failure: null, data: null };
const interrupted: TurnResult = { outcome: 'interrupted', empty: true, failure: null, data: null };
const failed: TurnResult = { outcome: 'failed', empty: false, failure: null, data: null };

function results(config: Config, world: World, process: Process, turn: Process['turn'] & number, offer: Offer): void {
  const { inc } = process;
  const over = replaceProcess(world, { ...process, turn: null, started: false, interrupted: false });
  const say = (result: TurnResult): void =>
    offer('agent', kinds.result, over, { at, type: 'result', inc, turn, result });
  say(completed);
  if (process.interrupted) say(interrupted);
  if (process.interrupted && config.sly) {
    say(emptied);
    const told = replaceProcess(over, {
      ...process,
      owes: 0,
      turn: null,
      started: false,
      interrupted: false,
      acked: true,
    });
    if (process.owes > 0) offer('agent', kinds.ack, told, { at, type: 'ack', inc, turn, none: true });
  }
  if (has(world, 'fail')) {
    offer('agent', kinds.fault, spend(over, 'fail'), { at, type: 'result', inc, turn, result: failed });
  }
}

function runnerMoves(config: Config, world: World, runner: Runner, offer: Offer): void {
  const { task, run } = runner;
  const without = { ...world, runners: world.runners.filter((other) => other !== runner) };
  const finish = { at, type: 'finish', task, run, reason: 'runner', data: null } as const;
  const call: Input = { at, type: 'call', task, run, call: runner.made + 1, model: null };
  if (runner.aborted) {
    offer('aborted runner', kinds.fault, without, { ...finish, status: 'completed' });
    offer('aborted runner', kinds.fault, without, call);
    return;
  }
  const kind = kinds.runner + runner.slot;
  if (config.chatty) offer('runner', kinds.fault, world, { at, type: 'progress', task, run, data: null });
  const spec = config.slots[runner.slot];
  if (runner.call === null) {
    const made = runner.made + 1;
    const asking = world.runners.map((other) => (other === runner ? { ...runner, call: made, made } : other));
    if (runner.made < (spec?.turns ?? 0)) offer('runner', kind, { ...world, runners: asking }, call);
    offer('runner', kind, without, { ...finish, status: 'completed' });
  }
  if (config.wild) offer('runner', kinds.fault, without, { ...finish, status: 'failed' });
}
