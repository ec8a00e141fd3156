/** Takes one move: applies its input to the session, commits its records, runs its effects, and judges all of it. */
import type { Input } from '../../src/core/model/inputs.ts';
import type { StepResult } from '../../src/core/model/replies.ts';
import type { Task } from '../../src/core/model/task.ts';
import { treeEntries, treeGet } from '../../src/core/tree.ts';
import type { Config } from './config.ts';
import type { Core } from './core.ts';
import { deliver } from './deliver.ts';
import { judge } from './oracles/index.ts';
import { dropsGrant } from './oracles/told/facts.ts';
import { judgeTold } from './oracles/told/index.ts';
import { remember } from './history.ts';
import type { Judged } from './judged.ts';
import { judgeLines, linesAfter } from './line.ts';
import type { Report } from './report.ts';
import { judgeRewound, noteRollback } from './rollback.ts';
import { judgeAssignment, judgeRequest, noteAssignment, noteRequest, settleTalk } from './talk.ts';
import type { Slot, World } from './world.ts';
import { limitsOf, slotId } from './world.ts';

interface Taken {
  readonly world: World;
  readonly result: StepResult | null;
}

/** What all moves of a run have in common. */
export interface Run {
  readonly config: Config;
  readonly core: Core;
  readonly judged: Judged;
  readonly report: Report;
}

/** `offered` is the environment just before the input is applied (what was read, spent or said). */
export function take({ config, core, judged, report }: Run, offered: World, input: Input | null): Taken {
  if (input === null) {
    return { world: offered, result: null };
  }
  let result: StepResult;
  try {
    result = core.step(offered.session, input);
  } catch (error) {
    report.fail('the core breaks none of its own invariants', error instanceof Error ? error.message : String(error));
    return { world: offered, result: null };
  }
  const asked = noteRollback(ask(config, offered, input, result), input, result);
  judgeRewound(asked, input, result, report);
  judgeRequest(asked, input, result, report);
  judgeAssignment(asked, input, result, report);
  const isNew = judged.isNewMove(input);
  if (isNew) {
    judge(core, config, asked, input, result, report);
  }
  const lines = linesAfter(offered, input, result);
  const slots = remember(config, asked, input, result);
  const requested = noteAssignment(noteRequest(asked, input, result), input, result);
  const moved = settleSlots(config, { ...requested, slots, session: result.session, lines }, result, report);
  judgeLines(moved, report);
  const delivered = settleTalk(deliver(config, settleTalk(moved), result.effects, report));
  if (isNew && result.reply.kind !== 'refused' && result.reply.kind !== 'stale') {
    // Last, because nearly every fault is on a tape too, and the other properties say more of it.
    judgeTold(offered.session, input, result, report);
  }
  return { world: delivered, result };
}

/** Writes down whose end the input asks for, before the core has decided what comes of it; and who is born. */
function ask(config: Config, world: World, input: Input, result: StepResult): World {
  if (result.reply.kind === 'refused' || result.reply.kind === 'stale') {
    return world;
  }
  // What a fault of the core or a daemon that closes has taken away is not counted, and what nobody knew of.
  if (input.type === 'timer' && input.name === 'lease') {
    const isDropped = ({ id }: Slot): boolean => {
      const task = treeGet(world.session.tasks, id);
      return task !== undefined && dropsGrant(input, task);
    };
    return forgetRuns(world, isDropped);
  }
  if (input.type === 'fault' || (input.type === 'recovered' && world.session.parked?.kind === 'closing')) {
    const isRun = ({ id }: Slot): boolean => {
      const task = treeGet(world.session.tasks, id);
      // A session that is taken up again knows no runner, only which tasks had one.
      const had = input.type === 'recovered' ? task?.status === 'running' : (task?.run ?? null) !== null;
      return (
        (task?.mode === 'code' && had) || (task?.mode === 'external' && input.type === 'fault' && task.run !== null)
      );
    };
    return forgetRuns(world, isRun);
  }
  if (input.type === 'submit') {
    const slots = world.slots.map((slot, index): Slot => {
      if (slotId(config.slots[index]?.name ?? '', slot.generation) === input.task.id) {
        return { ...slot, id: input.task.id, state: 'open' };
      }
      return slot.state === 'open' && isDisplaced(world, slot, input) ? { ...slot, asked: true } : slot;
    });
    return { ...world, slots };
  }
  const isAsked = (slot: Slot): boolean => {
    if (slot.state !== 'open') {
      return false;
    }
    if (input.type === 'cancel') {
      return slot.id === input.task;
    }
    if (input.type !== 'stop') {
      return false;
    }
    return input.scope === 'session' || (input.scope === 'turn') === isWithOwner(world, slot);
  };
  return input.type === 'cancel' || input.type === 'stop'
    ? { ...world, slots: world.slots.map((slot) => (isAsked(slot) ? { ...slot, asked: true } : slot)) }
    : world;
}

const forgetRuns = (world: World, which: (slot: Slot) => boolean): World => ({
  ...world,
  slots: world.slots.map((slot) => (which(slot) ? { ...slot, runs: slot.runs - 1 } : slot)),
});

/** The new message takes the place of this task, or cuts it short. */
function isDisplaced(world: World, slot: Slot, input: Extract<Input, { type: 'submit' }>): boolean {
  const { mergeGroup, whenBusy } = input.task;
  for (const [id, task] of treeEntries(world.session.tasks)) {
    if (id !== slot.id || mergeGroup === null || task.mergeGroup !== mergeGroup) {
      continue;
    }
    if (whenBusy === 'replace') {
      return input.task.lane === 'interactive' || task.lane === 'background' ? isQueued(world, task) : false;
    }
    if (interrupts(whenBusy)) {
      const { lane } = input.task;
      return isWithOwner(world, slot)
        ? ownerIsInteractive(world) && lane === 'interactive' && isPartOfTurn(world, slot)
        : lane === 'interactive' && isOverruled(world, task);
    }
  }
  return false;
}

const interrupts = (whenBusy: Task['whenBusy']): boolean => whenBusy === 'interrupt' || whenBusy === 'rollback';

/** A later message that interrupts is the last word: it waits to run on, with what it is merged into, or waits to interrupt itself. */
function isOverruled({ session }: World, task: Task): boolean {
  const leader = task.mergedInto === null ? task : leaderOf(session, task.mergedInto);
  if (leader?.lane !== 'interactive' || leader.stage !== 'waiting' || task.stage === 'steered') {
    return false;
  }
  return leader.status === 'running' || interrupts(leader.whenBusy);
}

/** It has not run, and neither has the task that it is merged into. */
function isQueued({ session }: World, task: Task): boolean {
  const leader = task.mergedInto === null ? task : leaderOf(session, task.mergedInto);
  return task.status === 'queued' && task.stage !== 'steered' && leader?.status === 'queued';
}

function leaderOf({ tasks }: World['session'], entry: Task['id']): Task | undefined {
  for (const [, task] of treeEntries(tasks)) {
    if (task.mergedInto === null && (task.leads ?? task.id) === entry) {
      return task;
    }
  }
  return undefined;
}

function ownerIsInteractive({ session }: World): boolean {
  return session.hold !== null && treeGet(session.tasks, session.hold.task)?.lane === 'interactive';
}

/** It owns the session, or goes with the task that does. What leaves its last turn waits on its own, settled or not. */
function isWithOwner({ session }: World, slot: Slot): boolean {
  const owner = session.hold === null ? undefined : treeGet(session.tasks, session.hold.task);
  if (owner === undefined || slot.id === owner.id) {
    return owner !== undefined;
  }
  const task = treeGet(session.tasks, slot.id);
  const entry = owner.leads ?? owner.id;
  const left = session.settling.some((one) => one.kind === 'steered' && one.entry === entry);
  return task?.mergedInto === entry && !(left && task.stage === 'steered');
}

/** A steered text that was not taken yet is no part of the turn. */
function isPartOfTurn({ session }: World, slot: Slot): boolean {
  const task = treeGet(session.tasks, slot.id);
  return task !== undefined && (task.stage !== 'steered' || task.delivered);
}

/** The owner was asked to end with all that its turn has taken. */
function endsWithTurn({ hold, tasks }: World['session']): boolean {
  const verdict = hold === null ? null : (treeGet(tasks, hold.task)?.verdict ?? null);
  return verdict !== null && verdict.status === 'cancelled' && verdict.scope !== 'task';
}

const fresh = {
  asked: false,
  inTurn: false,
  prompted: false,
  resumes: false,
  cutOff: false,
  text: 'none',
  runs: 0,
} as const;

/** Ends slots with their tasks; a recurring one may be submitted again. */
function settleSlots(config: Config, world: World, result: StepResult, report: Report): World {
  const { records } = result;
  let slots = world.slots;
  for (const record of records) {
    if (record.type === 'event' && record.event.type === 'turn-ended' && record.task !== null) {
      const open = slots.findIndex((slot) => slot.id === record.task && slot.state === 'open');
      if (open < 0) {
        report.fail('nothing is appended after final', 'a turn ends on the tape of an ended task');
      }
    }
    if (record.type === 'event' && record.event.type === 'steered' && record.event.data.delivered) {
      const meant = endsWithTurn(world.session);
      slots = slots.map((slot) =>
        slot.id === record.task
          ? { ...slot, inTurn: true, prompted: true, resumes: true, text: 'sent', asked: slot.asked || meant }
          : slot,
      );
    }
    if (record.type !== 'end') {
      continue;
    }
    slots = slots.map((slot, index): Slot => {
      if (slot.id !== record.task || slot.state !== 'open') {
        return slot;
      }
      const spec = config.slots[index];
      const ended = { ...slot, ...fresh };
      return spec?.recurs === true
        ? { ...ended, state: 'unborn', generation: slot.generation + 1 }
        : { ...ended, state: 'ended' };
    });
  }
  return slots === world.slots ? world : { ...world, slots };
}

/**
 * A holder lives in another process. It has no answer to what it asked, and asks the same call again; an answer that the lost node gave in
 * its last step may have been lost with it.
 */
const outlive = (config: Config, { runners }: World): World['runners'] =>
  runners
    .filter(({ slot }) => config.slots[slot]?.mode === 'external')
    .map((runner) => (runner.call === null ? runner : { ...runner, call: null, made: runner.made - 1 }));

/** The node dies, and all that lived in it; the session is taken up again from the records alone. */
export function recover(run: Run, world: World): Taken {
  const { config, core } = run;
  const session = core.rebuild(core.durableOf(world.session), limitsOf(config));
  // The turn that had taken it is over, and that it ends with that turn is durable.
  const ends = (slot: Slot): boolean => {
    const entry = treeGet(world.session.tasks, slot.id)?.mergedInto ?? null;
    return entry !== null && world.session.settling.some((one) => one.entry === entry);
  };
  const slots = world.slots.map((slot) => ({ ...slot, inTurn: slot.inTurn && ends(slot) }));
  const rebuilt: World = { ...world, session, slots, processes: [], runners: outlive(config, world), timers: [] };
  return take(run, rebuilt, { at: 1, type: 'recovered' });
}
