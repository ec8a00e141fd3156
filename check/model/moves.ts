/** Every input that can arrive in a state, and every step that the environment can take by itself. */
import { timerNames } from '../../src/core/model/timers.ts';
import type { Actor } from '../../src/core/model/actor.ts';
import { type TurnId, turnId } from '../../src/core/model/ids.ts';
import type { Input, InputOf } from '../../src/core/model/inputs.ts';
import type { ToolPart } from '../../src/core/model/output.ts';
import type { PermissionAction } from '../../src/core/model/permission.ts';
import type { TurnResult } from '../../src/core/model/session.ts';
import { treeGet } from '../../src/core/tree.ts';
import type { Config, SlotSpec } from './config.ts';
import { replaceProcess } from './deliver.ts';
import { withoutTexts } from './history.ts';
import { emptyMemory, hearOf, type Memory, readPrompt } from './memory.ts';
import type { Message, Process, Runner, Slot, Talk, World } from './world.ts';
import { has, kinds, left, requestName, slotId, spend } from './world.ts';
import type { Who } from './world.ts';

/** `world` is the environment just before the input is applied; the session in it has not moved yet. */
type Offer = (who: Who, kind: number, world: World, input: Input | null) => void;

const at = 1;
/** Of another session. */
const otherTask: Actor = { kind: 'task', name: 'other' };
const operator: Actor = { kind: 'person', name: 'operator' };

export function moves(config: Config, world: World, offer: Offer): void {
  senders(config, world, offer);
  operators(world, offer);
  person(world, offer);
  for (const process of world.processes) {
    agentMoves(config, world, process, offer);
  }
  for (const runner of world.runners) {
    runnerMoves(config, world, runner, offer);
  }
  for (const timer of world.timers) {
    if (!config.timers.includes(timer.name)) {
      continue;
    }
    const slot = world.slots.findIndex((other) => other.id === timer.of);
    const ofTask = timer.name === 'collect' || timer.name === 'expiry' || timer.name === 'lease';
    const kind = ofTask ? kinds.collect + Math.max(0, slot) : kinds.timer + timerNames.indexOf(timer.name);
    const timers = world.timers.filter((other) => other !== timer);
    offer('timer', kind, { ...world, timers }, { at, type: 'timer', name: timer.name, subject: timer.of });
  }
  if (has(world, 'fence') && !world.session.fenced) {
    offer('node', kinds.fault, spend(world, 'fence'), { at, type: 'fenced' });
  }
}

export const action: PermissionAction = { kind: 'execute', tool: 'shell', title: 'make', detail: null };

const submitOf = (
  spec: SlotSpec,
  generation: number,
  { expires, fleet }: Config,
): InputOf<'submit'> & { readonly at: number } => ({
  at,
  type: 'submit',
  about: { title: spec.name, source: 'model', author: 'sender' },
  payload: null,
  ...(fleet ? { assign: { agent: spec.agent ?? 'a', model: null, named: spec.agent !== null } } : {}),
  task: {
    id: slotId(spec.name, generation),
    lane: spec.lane,
    mode: spec.mode,
    priority: spec.priority,
    mergeGroup: spec.mergeGroup,
    whenBusy: spec.whenBusy,
    onLost: spec.onLost,
    maxAttempts: spec.maxAttempts,
    conversation: spec.fresh ? 'fresh' : 'current',
    expiresAt: expires ? at + 1 : null,
    model: spec.model,
  },
});

function senders(config: Config, world: World, offer: Offer): void {
  for (const [index, spec] of config.slots.entries()) {
    const slot = world.slots[index];
    if (slot === undefined) {
      continue;
    }
    if (slot.state === 'unborn') {
      offer('sender', kinds.sender, world, submitOf(spec, slot.generation, config));
    }
    if (slot.state !== 'open') {
      continue;
    }
    if (spec.mode === 'external') {
      claims(world, slot.id, offer);
    }
    if (has(world, 'cancel')) {
      const input: Input = { at, type: 'cancel', task: slot.id, reason: 'cancelled', by: operator };
      offer('sender', kinds.sender, spend(world, 'cancel'), input);
    }
    if (has(world, 'edit')) {
      offer('sender', kinds.sender, spend(world, 'edit'), {
        at,
        type: 'edit',
        task: slot.id,
        title: 'reworded',
        payload: 1,
        by: operator,
      });
    }
    if (has(world, 'move')) {
      moveTask(world, index, offer);
    }
  }
}

/** Each program that claims has a name of its own. */
function claims(world: World, task: Slot['id'], offer: Offer): void {
  if (has(world, 'claim') && treeGet(world.session.tasks, task)?.holder === null) {
    const spent = spend(world, 'claim');
    const holder = `holder ${left(spent, 'claim')}`;
    offer('holder', kinds.fault, spent, { at, type: 'claim', task, holder, leaseMs: 1 });
  }
}

function moveTask(world: World, index: number, offer: Offer): void {
  const slot = world.slots[index];
  const task = slot === undefined ? undefined : treeGet(world.session.tasks, slot.id);
  if (task === undefined) {
    return;
  }
  const spent = spend(world, 'move');
  const common = { at, type: 'move', task: task.id, lane: null, priority: null, where: null, by: operator } as const;
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
  if (session.settling.length > 0) {
    offer('node', kinds.settle, world, { at, type: 'continue' });
  }
  if (has(world, 'stop')) {
    for (const scope of ['turn', 'queue', 'session'] as const) {
      offer('operator', kinds.operator, spend(world, 'stop'), { at, type: 'stop', scope, by: operator });
    }
  }
  if (has(world, 'evict') && session.hold !== null) {
    const input: Input = { at, type: 'evict', epoch: session.hold.epoch, by: operator };
    offer('operator', kinds.operator, spend(world, 'evict'), input);
  }
  for (const [budget, kind] of [['park', 'operator'] as const, ['close', 'closing'] as const]) {
    if (has(world, budget)) {
      const input: Input = { at, type: 'park', kind, reason: 'parked', by: operator };
      offer('operator', kinds.operator, spend(world, budget), input);
    }
  }
  if (session.parked !== null) {
    offer('operator', kinds.unpark, world, { at, type: 'unpark', by: operator });
  }
  if (has(world, 'restart') && session.agent.kind !== 'none') {
    offer('operator', kinds.operator, spend(world, 'restart'), { at, type: 'restart-agent', by: operator });
  }
  if (has(world, 'fresh')) {
    offer('operator', kinds.operator, spend(world, 'fresh'), { at, type: 'new-conversation', by: operator });
  }
  if (has(world, 'assign')) {
    for (const [agent, model] of [['a', null] as const, ['b', null] as const, ['b', 'm'] as const]) {
      const input: Input = { at, type: 'assign-agent', agent, model, by: operator };
      offer('operator', kinds.operator, spend(world, 'assign'), input);
    }
  }
  if (has(world, 'throttle')) {
    for (const level of ['background', 'all'] as const) {
      const input: Input = { at, type: 'throttle', throttle: { level, reason: 'rate_limit', until: null } };
      if (session.throttle?.level !== level) {
        offer('node', kinds.operator, spend(world, 'throttle'), input);
      }
    }
  }
  if (session.throttle !== null) {
    offer('node', kinds.lift, world, { at, type: 'throttle', throttle: null });
  }
  if (has(world, 'fault')) {
    offer('node', kinds.fault, spend(world, 'fault'), { at, type: 'fault', reason: 'x' });
  }
  if (has(world, 'room')) {
    offer('node', kinds.operator, spend(world, 'room'), { at, type: 'make-room' });
  }
  if (has(world, 'way') && session.agent.kind === 'up') {
    const { incarnation } = session.agent;
    const turn = session.hold?.turn ?? null;
    // Null: the turn that was meant is over, or none is to be interrupted.
    for (const interrupts of turn === null ? [null] : [null, turn.id]) {
      const input: Input = { at, type: 'give-way', incarnation, interrupts, by: otherTask };
      offer('node', kinds.operator, spend(world, 'way'), input);
    }
  }
}

/** Answers what waits for an answer, or does not. */
function person(world: World, offer: Offer): void {
  const turn = world.session.hold?.turn ?? null;
  for (const request of turn?.permissionRequests ?? []) {
    for (const allow of [true, false]) {
      const input = {
        at,
        type: 'respond',
        turn: turn?.id ?? turnId(0),
        request,
        allow,
        by: operator,
        note: 'noted',
      } as const;
      offer('person', kinds.sender, world, input);
    }
  }
}

function agentMoves(config: Config, world: World, process: Process, offer: Offer): void {
  const { inc } = process;
  const gone = { ...world, processes: world.processes.filter((other) => other !== process) };
  const exited = { at, type: 'agent-exited', incarnation: inc, reason: 'exited', data: 'gone' } as const;
  if (process.leaving) {
    offer('process', kinds.exit, gone, exited);
  } else if (has(world, 'die')) {
    offer('process', kinds.fault, spend(gone, 'die'), exited);
  }
  if (!process.leaving && has(world, 'hangup')) {
    offer('process', kinds.fault, spend(gone, 'hangup'), { ...exited, reason: 'ended', loss: 'channel_broken' });
  }
  if (!process.leaving && has(world, 'kill')) {
    offer('process', kinds.fault, spend(gone, 'kill'), { ...exited, loss: 'agent_killed' });
  }
  if (!process.up) {
    becomesReady(config, world, process, offer);
    return;
  }
  if (config.chatty) {
    chats(world, process, offer);
  }
  reads(config, world, process, offer);
  if (process.turn !== null) {
    usesTool(world, process, process.turn, offer);
    speaks(config, world, process, process.turn, offer);
    requests(config, world, process, process.turn, offer);
    // While it waits for an answer it does nothing else, unless it is a liar.
    if (process.asks.length === 0 || config.sly) {
      results(config, world, process, process.turn, offer);
    }
  } else if (process.last !== null && process.lastStarted && has(world, 'twice')) {
    const again: Input = { at, type: 'result', incarnation: inc, turn: process.last, result: completed };
    offer('agent', kinds.fault, spend(world, 'twice'), again);
  }
  if (process.owes > 0 && process.last !== null) {
    const turn = process.last;
    const input: Input = { at, type: 'ack', incarnation: inc, turn, noResult: process.turn !== turn && config.sly };
    offer('agent', kinds.ack, replaceProcess(world, { ...process, owes: process.owes - 1, acked: true }), input);
    if (has(world, 'twice')) {
      offer('agent', kinds.fault, spend(replaceProcess(world, { ...process, acked: true }), 'twice'), input);
    }
  }
  if (process.unsolicited) {
    const input: Input = { at, type: 'unsolicited', incarnation: inc, phase: 'ended', data: 'own' };
    offer('agent', kinds.unsolicited, replaceProcess(world, { ...process, unsolicited: false }), input);
  } else if (has(world, 'unsolicited') && process.turn === null) {
    const begun = replaceProcess(world, { ...process, unsolicited: true });
    offer('agent', kinds.fault, spend(begun, 'unsolicited'), {
      at,
      type: 'unsolicited',
      incarnation: inc,
      phase: 'began',
      data: 'own',
    });
  }
}

/** Its model has read the prompt, and says the first word. Where no conversation keeps that, it changes nothing. */
function speaks({ caps }: Config, world: World, process: Process, turn: TurnId, offer: Offer): void {
  if (caps.keepsPrompts && !world.spoke && !process.leaving && process.last === turn) {
    const said = { at, type: 'output', incarnation: process.inc, turn, part: { kind: 'text', text: 'word' } } as const;
    offer('agent', kinds.fault, { ...world, spoke: true }, said);
  }
}

/**
 * It begins to use a tool, or that ends. One that ends behind an interrupt may have been cut off in the middle. Nobody hears what a process says
 * of it that is being ended.
 */
function usesTool(world: World, process: Process, turn: TurnId, offer: Offer): void {
  const say = (status: ToolPart['status'], tool: World['tool'], before: World): void => {
    const part: ToolPart = { kind: 'tool', id: null, name: 'shell', action: 'execute', title: 'make', status };
    const next = { ...before, tool, spoke: true };
    offer('agent', kinds.fault, next, { at, type: 'output', incarnation: process.inc, turn, part });
  };
  if (process.leaving || process.last !== turn) {
    return;
  }
  if (world.tool === 'open') {
    const tool = process.interrupts > 0 ? 'doubtful' : 'none';
    say('completed', tool, world);
    say('failed', tool, world);
  } else if (world.tool === 'none' && has(world, 'tool')) {
    say('started', 'open', spend(world, 'tool'));
  }
}

function requests(config: Config, world: World, process: Process, turn: TurnId, offer: Offer): void {
  const { inc, asks, unanswered } = process;
  if (has(world, 'ask') && (!process.interrupted || config.sly)) {
    const one = process.asked + 1;
    const asking = { ...process, asked: one, asks: [...asks, one], unanswered: [...unanswered, one] };
    for (const verdict of config.verdicts) {
      const input: Input = {
        at,
        type: 'permission-requested',
        incarnation: inc,
        turn,
        request: requestName(one),
        policyDecision: verdict,
        policyNote: null,
        action: action,
      };
      offer('agent', kinds.fault, spend(replaceProcess(world, asking), 'ask'), input);
    }
  }
  if (!has(world, 'withdraw')) {
    return;
  }
  for (const one of unanswered) {
    const without = (list: readonly number[]): readonly number[] => list.filter((other) => other !== one);
    const after = replaceProcess(world, { ...process, asks: without(asks), unanswered: without(unanswered) });
    offer('agent', kinds.fault, spend(after, 'withdraw'), {
      at,
      type: 'permission-withdrawn',
      incarnation: inc,
      turn,
      request: requestName(one),
    });
  }
}

function chats(world: World, process: Process, offer: Offer): void {
  const say = { at, type: 'output', incarnation: process.inc } as const;
  offer('agent', kinds.fault, world, { ...say, turn: null, part: { kind: 'raw', data: 'raw' } });
  if (process.turn === null) {
    return;
  }
  offer('agent', kinds.fault, world, { ...say, turn: process.turn, part: { kind: 'text', text: 'chat' } });
}

function becomesReady(config: Config, world: World, process: Process, offer: Offer): void {
  // A process that is being ended has nothing to say any more.
  const isHeard = world.session.agent.kind === 'starting' && !process.leaving;
  const up = replaceProcess(world, { ...process, up: true });
  const ready = { at, type: 'agent-ready', incarnation: process.inc, caps: config.caps } as const;
  const conversation = config.conversation ? `of ${process.inc}` : null;
  const resumed = world.session.conversation.id ?? conversation;
  const named = isHeard ? { ...up, talk: { ...up.talk, name: resumed } } : up;
  offer('agent', kinds.ready, named, { ...ready, conversation: resumed, conversationReset: false });
  if (has(world, 'lost') && world.session.conversation.id !== null) {
    const talk: Talk = isHeard ? { name: conversation, first: null, owed: null, untold: 'lost' } : up.talk;
    const slots = process.leaving ? up.slots : withoutTexts(up.slots);
    offer('agent', kinds.fault, spend({ ...up, talk, slots, memory: emptyMemory }, 'lost'), {
      ...ready,
      conversation,
      conversationReset: true,
    });
  }
}

/** Where nobody can rewind, what the agent remembers is left out of the state. */
const remembers = ({ caps }: Config, { memory }: World, { turn, rewind }: Message & { type: 'prompt' }): Memory =>
  caps.rewind ? readPrompt(memory, turn, rewind) : memory;

/** The session hears of the turn, unless it ends the process already. */
const heardOf = (world: World, { leaving }: Process, turn: TurnId): World =>
  leaving ? world : { ...world, memory: hearOf(world.memory, turn) };

function reads(config: Config, world: World, process: Process, offer: Offer): void {
  const [message, ...inbox] = process.inbox;
  if (message === undefined) {
    return;
  }
  const { inc } = process;
  const read = { ...process, inbox };
  switch (message.type) {
    case 'prompt': {
      if (process.turn !== null || process.unsolicited) {
        return;
      }
      const begun = {
        ...read,
        turn: message.turn,
        started: true,
        interrupted: false,
        asked: 0,
        asks: [],
        unanswered: [],
      };
      const input: Input = { at, type: 'turn-started', incarnation: inc, turn: message.turn };
      // What a process says that is being ended is not heard: the next one is told again.
      const heard = { ...world, memory: remembers(config, world, message) };
      const told = process.leaving ? heard : { ...heard, talk: { ...heard.talk, untold: null } };
      const confirmed = replaceProcess(told, { ...begun, lastStarted: true });
      offer('agent', kinds.start, heardOf(confirmed, process, message.turn), input);
      if (config.mute) {
        offer('reading', kinds.fault, replaceProcess(told, { ...begun, started: false }), null);
      }
      return;
    }
    case 'interrupt': {
      const hit = process.turn === message.turn;
      const owes = config.caps.acks && process.last === message.turn ? process.owes + 1 : process.owes;
      // With the interrupt its driver tells it that nobody will answer.
      const asks = hit ? [] : process.asks;
      const next = replaceProcess(world, { ...read, owes, asks, interrupted: process.interrupted || hit });
      offer('reading', kinds.read, next, null);
      return;
    }
    case 'steer': {
      const next = replaceProcess(world, read);
      const answer = { at, type: 'steered', incarnation: inc, turn: message.turn, task: message.task } as const;
      if (process.turn === message.turn) {
        offer('agent', kinds.steered, next, { ...answer, taken: true });
      }
      offer('agent', kinds.steered, next, { ...answer, taken: false });
      return;
    }
    case 'answer': {
      const asks = process.turn === message.turn ? process.asks.filter((one) => one !== message.request) : process.asks;
      offer('reading', kinds.read, replaceProcess(world, { ...read, asks }), null);
      return;
    }
    case 'switch': {
      const { model } = message;
      const told: Input = { at, type: 'switched', incarnation: inc, model, ok: true };
      offer('agent', kinds.switched, replaceProcess(world, { ...read, model }), told);
      const kept = replaceProcess(world, read);
      if (has(world, 'refuse')) {
        offer('agent', kinds.fault, spend(kept, 'refuse'), { ...told, ok: false });
      }
      if (has(world, 'mum')) {
        offer('reading', kinds.fault, spend(kept, 'mum'), null);
      }
      return;
    }
  }
}

/** All that can come with the end of a turn, so that nothing of it is lost on the way to the tape. */
const usage = { inputTokens: 3, outputTokens: 4 };
const cost = { amount: 5, currency: 'USD' };
const completed: TurnResult = { outcome: 'completed', empty: false, report: { text: 'answer', usage, cost } };
const emptied: TurnResult = { outcome: 'completed', empty: true, report: { text: '' } };
const interrupted: TurnResult = { outcome: 'interrupted', empty: true, report: { text: 'half', usage } };
const failed: TurnResult = { outcome: 'failed', empty: false, report: { text: 'sorry', error: 'code 1' } };
const overloaded: TurnResult = {
  ...failed,
  report: { text: '', failure: { class: 'overloaded', transient: true, message: '', hint: '' } },
};
const outgrown: TurnResult = {
  ...failed,
  report: { text: '', failure: { class: 'context', transient: false, message: '', hint: '' } },
};
const loggedOut: TurnResult = {
  ...failed,
  report: { text: '', failure: { class: 'auth', transient: true, login: true, message: '', hint: '' } },
};

function results(config: Config, world: World, process: Process, turn: Process['turn'] & number, offer: Offer): void {
  const { inc } = process;
  const ended = { ...process, turn: null, started: false, interrupted: false, asked: 0, asks: [], unanswered: [] };
  const over = replaceProcess(world, ended);
  const heard = heardOf(over, process, turn);
  const say = (result: TurnResult): void =>
    offer('agent', kinds.result, result.outcome === 'failed' ? over : heard, {
      at,
      type: 'result',
      incarnation: inc,
      turn,
      result,
    });
  say(completed);
  if (process.interrupted) {
    say(interrupted);
  }
  if (process.interrupted && config.sly) {
    say(emptied);
    const told = replaceProcess(heard, { ...ended, owes: 0, acked: true });
    if (process.owes > 0) {
      offer('agent', kinds.ack, told, { at, type: 'ack', incarnation: inc, turn, noResult: true });
    }
  }
  if (has(world, 'fail')) {
    offer('agent', kinds.fault, spend(over, 'fail'), { at, type: 'result', incarnation: inc, turn, result: failed });
  }
  if (config.strained) {
    say(overloaded);
  }
  if (has(world, 'pass')) {
    offer('agent', kinds.fault, spend(over, 'pass'), {
      at,
      type: 'result',
      incarnation: inc,
      turn,
      result: overloaded,
    });
  }
  if (has(world, 'limit')) {
    const input: Input = { at, type: 'turn-limit', incarnation: inc, turn, limit: 'output', bound: 1 };
    offer('node', kinds.fault, spend(world, 'limit'), input);
  }
  if (has(world, 'full')) {
    const input: Input = { at, type: 'result', incarnation: inc, turn, result: outgrown };
    offer('agent', kinds.fault, spend(over, 'full'), input);
  }
  if (has(world, 'login')) {
    offer('agent', kinds.fault, spend(over, 'login'), {
      at,
      type: 'result',
      incarnation: inc,
      turn,
      result: loggedOut,
    });
  }
}

function runnerMoves(config: Config, world: World, runner: Runner, offer: Offer): void {
  const { task, run } = runner;
  const without = { ...world, runners: world.runners.filter((other) => other !== runner) };
  const finish = { at, type: 'finish', task, run, reason: 'runner', result: 'returned' } as const;
  const model = config.slots[runner.slot]?.models[runner.made] ?? null;
  const call: Input = { at, type: 'call', task, run, call: runner.made + 1, model };
  if (runner.aborted) {
    offer('aborted runner', kinds.fault, without, { ...finish, status: 'completed' });
    offer('aborted runner', kinds.fault, without, call);
    return;
  }
  const kind = kinds.runner + runner.slot;
  const spec = config.slots[runner.slot];
  if (spec?.mode === 'external') {
    if (world.session.fenced) {
      // Its calls come to the node that takes the session over.
      return;
    }
    if (config.chatty) {
      asksAgain(world, runner, offer);
    }
  }
  if (config.chatty) {
    offer('runner', kinds.fault, world, { at, type: 'progress', task, run, data: 'half' });
  }
  if (has(world, 'release') && !runner.released) {
    const released = world.runners.map((other) => (other === runner ? { ...runner, released: true } : other));
    offer('runner', kinds.fault, spend({ ...world, runners: released }, 'release'), { at, type: 'release', task, run });
  }
  if (runner.call === null || runner.released) {
    const made = runner.made + 1;
    const asking = world.runners.map((other) => (other === runner ? { ...runner, call: made, made } : other));
    if (!runner.released && runner.made < (spec?.turns ?? 0)) {
      offer('runner', kind, { ...world, runners: asking }, call);
    }
    offer('runner', kind, without, { ...finish, status: 'completed' });
  }
  if (config.wild) {
    offer('runner', kinds.fault, without, { ...finish, status: 'failed' });
  }
}

/** It says that it lives, and asks again what it has no answer to, or had one that was lost on the way. */
function asksAgain(world: World, { task, run, made, call }: Runner, offer: Offer): void {
  offer('holder', kinds.fault, world, { at, type: 'heartbeat', task, run });
  const holder = treeGet(world.session.tasks, task)?.holder;
  if (holder?.told === false) {
    offer('holder', kinds.fault, world, { at, type: 'claim', task, holder: holder.name, leaseMs: holder.leaseMs });
  }
  if (made > 0) {
    offer('holder', kinds.fault, world, { at, type: 'call', task, run, call: call ?? made, model: null });
  }
}
