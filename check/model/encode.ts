/**
 * Writes a state down in its canonical form. What only counts up is left out, and tokens are replaced by the order of their
 * first appearance, because the core compares tokens for equality alone and order numbers for order alone. The probes and
 * the renaming oracle check that it does; the bounds oracle checks that every new token is really new.
 */
import type { PartEnding, Session, Settlement, TurnResult } from '../../src/core/model/session.ts';
import type { TurnId } from '../../src/core/model/ids.ts';
import { whenBusyPolicies, type Task } from '../../src/core/model/task.ts';
import { timerNames } from '../../src/core/model/timers.ts';
import { isInTool } from '../../src/core/rules/turn.ts';
import { treeGet } from '../../src/core/tree.ts';
import type { Writer } from '../engine/index.ts';
import type { Memory } from './memory.ts';
import type { Process, Runner, World } from './world.ts';
import { has, requestNumber, slotOf } from './world.ts';

const none = 255;

/** Names values by the order in which they are first asked for; 0 is null. */
class Names {
  readonly #seen: unknown[] = [];

  of(value: number | null | undefined): number {
    if (value === null || value === undefined) {
      return 0;
    }
    const known = this.#seen.indexOf(value);
    if (known >= 0) {
      return known + 1;
    }
    return this.#seen.push(value);
  }

  clear(): void {
    this.#seen.length = 0;
  }
}

const turns = new Names();
const incarnations = new Names();
const runs = new Names();

const places = { collecting: 0, waiting: 1, owner: 2, merged: 3, steered: 4, released: 5, unclaimed: 6 } as const;
const scopes = { task: 0, turn: 1, all: 2 } as const;
const phases = { pending: 0, sent: 1, running: 2, draining: 3 } as const;
const intents = { preempt: 1, hold: 2, silence: 3, verdict: 4, release: 5, close: 6, 'give-way': 15 } as const;
const statuses = { completed: 0, failed: 1, cancelled: 2 } as const;
const outcomes = { completed: 1, interrupted: 2, failed: 3 } as const;
const resets = { none: 0, lost: 1, fresh: 2, full: 3, agent: 4 } as const;
const endings = { none: 0, command: 1, task: 2, full: 3 } as const;
const texts = { none: 0, sent: 1, known: 2, over: 3 } as const;
const tools = { none: 0, open: 1, doubtful: 2 } as const;
const slotStates = { unborn: 0, open: 1, ended: 2 } as const;

/** Another conversation than the present one never comes back. */
const isTextIn = ({ conversation }: Session, turn: TurnId | null | undefined): boolean =>
  turn !== null && turn !== undefined && turn === conversation.firstTurn;
const bit = (value: boolean, at: number): number => (value ? 1 << at : 0);
const indexByte = (index: number): number => (index < 0 ? none : index);
const resultCode = (result: TurnResult | null): number =>
  result === null
    ? 0
    : (outcomes[result.outcome] * 2 + (result.empty ? 1 : 0)) |
      bit(result.report?.failure !== undefined, 4) |
      bit(result.report?.failure?.login === true, 5);
const modelCode = (model: string | null | undefined): number => (model === 'm' ? 1 : model === 'n' ? 2 : 0);
const agentCode = (agent: string | null | undefined): number => (agent === 'a' ? 1 : agent === 'b' ? 2 : 0);
/** Three bits: only `b` is assigned with a model. */
const assignedCode = (agent: string | null | undefined, model: string | null | undefined): number =>
  agentCode(agent) | bit(model === 'm', 2);
const parkedCode = ({ parked }: Session): number =>
  parked === null ? 0 : { closing: 1, fault: 2, operator: 3 }[parked.kind];
const requestBits = (requests: readonly number[]): number => requests.reduce((bits, one) => bits | bit(true, one), 0);

/** What of a state differs in some configurations alone. */
interface Varies {
  /** Tasks are moved, so that lane, priority and policy are not those of their slot. */
  readonly moves: boolean;
  /** The conversation keeps prompts. Where none does, it does not matter what was written. */
  readonly keeps: boolean;
  /** A conversation may end otherwise than by a loss, so that it matters whether anything was said in it. */
  readonly ends: boolean;
}

export function encodeWorld(world: World, out: Writer, { moves, keeps, ends }: Varies): void {
  turns.clear();
  incarnations.clear();
  runs.clear();
  for (const left of world.left) {
    out.byte(left);
  }
  encodeSession(world, out, keeps);
  if (ends) {
    encodeTalk(world, out);
  }
  for (const slot of world.slots) {
    const task = slot.state === 'open' ? (treeGet(world.session.tasks, slot.id) ?? null) : null;
    out.byte(
      slotStates[slot.state] |
        bit(slot.asked, 2) |
        bit(slot.inTurn, 3) |
        bit(slot.prompted, 4) |
        (keeps ? texts[slot.text] << 5 : 0) |
        bit(isTextIn(world.session, task?.textIn), 7),
    );
    out.byte(slot.runs | bit(slot.resumes, 6) | bit(slot.cutOff, 7));
    if (slot.state === 'open') {
      encodeTask(world, task, out, moves);
    }
  }
  out.byte(world.processes.length);
  for (const process of world.processes) {
    encodeProcess(world, process, out);
  }
  encodeMemory(world, out);
  out.byte(world.runners.length | bit(world.spoke, 5) | (tools[world.tool] << 6));
  for (const runner of world.runners) {
    encodeRunner(runner, out);
  }
  out.byte(world.timers.length);
  for (const timer of world.timers) {
    out.byte(timerNames.indexOf(timer.name));
    if (typeof timer.of === 'string') {
      out.byte(indexByte(slotOf(world, timer.of)));
    }
  }
}

function encodeSession(world: World, out: Writer, keeps: boolean): void {
  const { session } = world;
  const { hold, agent } = session;
  const up = agent.kind === 'up' ? agent : null;
  const agentKind = { none: 0, starting: 1, up: 2, ending: 3 }[agent.kind];
  out.byte(
    agentKind |
      bit(up?.activity === 'turn', 2) |
      bit(up?.unsolicited === true, 3) |
      bit(session.conversation.reset !== null, 4) |
      // It decides nothing once nobody can be found without a login.
      bit(session.answered && has(world, 'login'), 5) |
      bit(session.conversation.id !== null, 6) |
      bit(session.fenced, 7),
  );
  const throttle = session.throttle === null ? 0 : session.throttle.level === 'all' ? 2 : 1;
  const model = agent.kind === 'starting' || agent.kind === 'up' ? agent.model : null;
  out.byte(
    bit(up?.activity === 'switching', 0) |
      (throttle << 1) |
      (modelCode(model) << 3) |
      bit(world.talk.untold !== null, 5) |
      (parkedCode(session) << 6),
  );
  out.byte(
    (agent.kind === 'none' ? 0 : incarnations.of(agent.incarnation)) | bit(up !== null && up.leavesFor !== null, 7),
  );
  out.byte(session.passedOver === null ? none : indexByte(slotOf(world, session.passedOver.task)));
  out.byte(session.passedOver?.times ?? 0);
  out.byte(session.settling.length);
  for (const settlement of session.settling) {
    encodeSettlement(world, settlement, out);
  }
  if (hold === null) {
    out.byte(none);
    return;
  }
  out.byte(indexByte(slotOf(world, hold.task)));
  const { turn } = hold;
  const intent = turn === null || turn.interrupt === null ? 0 : intents[turn.interrupt.intent];
  out.byte(bit(turn !== null, 1) | (turn === null ? 0 : phases[turn.phase] << 2) | (intent << 4));
  if (turn === null) {
    return;
  }
  out.byte(turns.of(turn.id));
  out.byte(
    bit(turn.protected, 0) |
      bit(turn.interrupt?.acked === true, 1) |
      bit(turn.interrupt?.resent === true, 2) |
      bit(turn.call !== null, 3) |
      bit(keeps && turn.spoke, 6) |
      (modelCode(turn.model) << 4),
  );
  out.byte(
    requestBits(turn.permissionRequests.map(requestNumber)) | bit(isInTool(turn), 6) | bit(keeps && turn.withdrawn, 7),
  );
  out.byte(resultCode(turn.result));
}

/** Of turns only whether one is the first in the conversation, and whether that is the present one. */
function encodeTalk({ session, talk, fleet, slots, processes }: World, out: Writer): void {
  const turn = session.hold?.turn?.id ?? null;
  const firstOf = (first: TurnId | null): number => (first === null ? 0 : first === turn ? 1 : 2);
  const { conversation } = session;
  out.byte(firstOf(conversation.firstTurn) | (firstOf(talk.first) << 2) | bit(talk.name === conversation.id, 4));
  out.byte(
    resets[conversation.reset ?? 'none'] |
      (resets[talk.untold ?? 'none'] << 3) |
      (endings[conversation.ending?.why ?? 'none'] << 6),
  );
  out.byte(resets[talk.owed ?? 'none'] | (agentCode(fleet.has) << 3) | (assignedCode(fleet.wanted, fleet.model) << 5));
  out.byte(
    assignedCode(session.assigned?.agent, session.assigned?.model) |
      (assignedCode(session.assigning?.agent, session.assigning?.model) << 3),
  );
  for (const process of processes) {
    out.byte(agentCode(process.agent));
  }
  for (const { id, state } of slots) {
    out.byte(bit(state === 'open' && treeGet(session.tasks, id)?.beginsFresh === true, 0));
  }
}

function encodeSettlement(world: World, settlement: Settlement, out: Writer): void {
  out.byte(settlementKinds[settlement.kind]);
  out.byte(indexByte(slotOf(world, settlement.entry)));
  if (settlement.kind === 'merged') {
    encodeEnding(settlement.ending, out);
  } else if (settlement.kind === 'steered') {
    out.byte(indexByte(slotOf(world, settlement.from)));
    encodeEnding(settlement.delivered, out);
    encodeEnding(settlement.undelivered, out);
    out.byte(bit(settlement.loss !== null, 0) | bit(settlement.interruptedMidTurn, 1) | bit(settlement.burns, 2));
  }
}

const settlementKinds = { begin: 0, merged: 1, steered: 2 } as const;

const encodeEnding = (ending: PartEnding | null, out: Writer): void =>
  out.byte(ending === null ? none : statuses[ending.status] | ((ending.attempts ?? 0) << 2));

/** The core compares positions and admissions, and finds room for any new position: their order is all that counts. */
function rankOf(world: World, task: Task, by: 'position' | 'admission'): number {
  let rank = 0;
  for (const slot of world.slots) {
    if (slot.state !== 'open') {
      continue;
    }
    const other = treeGet(world.session.tasks, slot.id);
    if (other !== undefined && other[by] < task[by]) {
      rank += 1;
    }
  }
  return rank;
}

/** Where a turn stands among those that are remembered is all that its number means to the agent. */
function encodeMemory({ memory, session }: World, out: Writer): void {
  out.byte(memory.turns.length);
  for (const { turn, heard } of memory.turns) {
    out.byte(turns.of(turn));
    out.byte(bit(heard, 0) | bit(memory.out.includes(turn), 1));
  }
  encodeRewind(session.conversation.rewind, memory, out);
  out.byte(bit(session.hold?.turn?.interrupt?.rollsBack === true, 0) | (memory.out.length << 1));
}

function encodeRewind(rewind: TurnId | null, { turns: read }: Memory, out: Writer): void {
  out.byte(turns.of(rewind));
  out.byte(rewind === null ? none : read.filter(({ turn }) => turn >= rewind).length);
}

function encodeTask(world: World, task: Task | null, out: Writer, moves: boolean): void {
  if (task === null) {
    out.byte(none);
    return;
  }
  out.byte(
    places[task.stage] |
      bit(task.status === 'running', 3) |
      bit(task.delivered, 4) |
      bit(task.started, 5) |
      bit(task.interruptedMidTurn, 6) |
      bit(task.call !== null, 7),
  );
  out.byte(modelCode(task.call?.model));
  out.byte(
    bit(task.holder !== null, 0) | bit(task.holder?.told === true, 1) | ((task.holder?.answered?.call ?? 0) << 2),
  );
  // That it was retried is told; how often decides nothing.
  out.byte(task.attempts | bit(task.retries > 0, 6) | bit(task.overdue, 7));
  out.byte(rankOf(world, task, 'position') | (rankOf(world, task, 'admission') << 4));
  if (moves) {
    out.byte(bit(task.lane === 'interactive', 0) | (whenBusyPolicies.indexOf(task.whenBusy) << 1));
    out.byte(task.priority);
  }
  const { verdict } = task;
  out.byte(
    verdict === null
      ? none
      : statuses[verdict.status] |
          bit(verdict.reason === 'hold_limit', 2) |
          bit(verdict.by?.kind === 'runner', 3) |
          bit(verdict.by?.kind === 'limit', 6) |
          (scopes[verdict.scope] << 4),
  );
  out.byte(runs.of(task.run));
  out.byte(task.mergedInto === null ? none : indexByte(slotOf(world, task.mergedInto)));
  out.byte(task.leads === null ? none : indexByte(slotOf(world, task.leads)));
}

function encodeProcess(world: World, process: Process, out: Writer): void {
  out.byte(incarnations.of(process.inc));
  out.byte(
    bit(process.up, 0) |
      bit(process.leaving, 1) |
      bit(process.started, 2) |
      bit(process.interrupted, 3) |
      bit(process.unsolicited, 4) |
      bit(process.lastStarted, 5) |
      bit(process.acked, 6),
  );
  out.byte(modelCode(process.model) | (process.asked << 2));
  out.byte(requestBits(process.asks));
  out.byte(requestBits(process.unanswered));
  out.byte(process.interrupts);
  out.byte(turns.of(process.turn));
  out.byte(turns.of(process.last));
  out.byte(process.owes);
  out.byte(process.inbox.length);
  for (const message of process.inbox) {
    out.byte({ prompt: 0, interrupt: 1, steer: 2, answer: 3, switch: 4 }[message.type]);
    out.byte(turns.of(message.turn));
    if (message.type === 'prompt') {
      encodeRewind(message.rewind, world.memory, out);
    }
    if (message.type === 'steer') {
      out.byte(indexByte(slotOf(world, message.task)));
    }
    if (message.type === 'answer') {
      out.byte(message.request);
    }
    if (message.type === 'switch') {
      out.byte(modelCode(message.model));
    }
  }
}

function encodeRunner(runner: Runner, out: Writer): void {
  out.byte(runner.slot | bit(runner.aborted, 4) | bit(runner.call !== null, 5) | bit(runner.released, 6));
  out.byte(runs.of(runner.run));
  out.byte(runner.made);
}
