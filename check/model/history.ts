/**
 * What earlier turns of a task have left behind, as its environment saw it: whether the next prompt has to ask the agent to continue,
 * whether an earlier turn was cut off in the middle, and whether the conversation has the text. What a prompt or a start of a runner says of
 * them is judged against this, not against the fields of the task.
 */
import type { Effect } from '../../src/core/model/effects.ts';
import type { Input } from '../../src/core/model/inputs.ts';
import type { Record as StepRecord } from '../../src/core/model/records.ts';
import type { StepResult } from '../../src/core/model/replies.ts';
import type { Session, TurnOutcome } from '../../src/core/model/session.ts';
import type { Task } from '../../src/core/model/task.ts';
import { treeGet } from '../../src/core/tree.ts';
import type { Config } from './config.ts';
import { givenOf } from './oracles/told/facts.ts';
import type { Report } from './report.ts';
import type { Slot, World } from './world.ts';

const property = 'a prompt says that it is resumed, or cut off, exactly when it is';
const once = 'a text goes to the agent whole exactly where its conversation is not known to have it';

type EventRecord = Extract<StepRecord, { type: 'event' }>;

/** The slots after a step of this world's session, in which the agent has said by now what the input is about. */
export function remember(config: Config, world: World, input: Input, result: StepResult): readonly Slot[] {
  const { session: before } = world;
  let after = withdrawn(world.slots, before, result);
  for (const record of result.records) {
    if (record.type === 'event' && record.event.type === 'turn-ended') {
      const owner = record.task === null ? undefined : treeGet(before.tasks, record.task);
      if (owner !== undefined) {
        after = turnOver(after, before, owner, howEnded(config, world, input, record.event.data.outcome));
      }
    }
  }
  for (const effect of result.effects) {
    if (effect.type === 'settle') {
      // The runner goes on with its answer: its next turn begins something new.
      after = change(after, effect.task, { resumes: false, cutOff: false, text: 'none' });
    }
  }
  if (input.type === 'call' && result.reply.kind === 'ok' && treeGet(before.tasks, input.task)?.call === null) {
    after = change(after, input.task, { text: 'none' });
  }
  const losesRunners =
    input.type === 'recovered' || input.type === 'fault' || (input.type === 'timer' && input.name === 'lease');
  return losesRunners ? loseRunners(after, before, input, result) : after;
}

/** The agent does not know any more what it was told. */
export const withoutTexts = (slots: readonly Slot[]): readonly Slot[] =>
  slots.map((slot) => (slot.text === 'known' ? { ...slot, text: 'none' } : slot));

const change = (slots: readonly Slot[], id: Task['id'], fields: Partial<Slot>): readonly Slot[] =>
  slots.map((slot) => (slot.id === id && slot.state === 'open' ? { ...slot, ...fields } : slot));

interface HowEnded {
  /** Nobody knows what became of its last tool call. */
  readonly isCut: boolean;
  /** The agent had confirmed it and said its end, and its conversation keeps what it was told. */
  readonly isKept: boolean;
}

function howEnded(
  config: Config,
  { session, processes, tool, spoke }: World,
  input: Input,
  outcome: TurnOutcome,
): HowEnded {
  const turn = session.hold?.turn ?? null;
  const given = turn === null ? null : givenOf(input, turn);
  const process = processes.find(({ last }) => last === turn?.id);
  const stands = input.type === 'result' || input.type === 'ack';
  // A silent agent may use a tool that it has not announced.
  const isCut = given === null || tool !== 'none' || outcome === 'timed-out';
  // An agent that was interrupted before its model had said a word may have dropped the prompt.
  const isRead = spoke || given?.report?.failure !== undefined;
  const isKept =
    isRead &&
    stands &&
    given !== null &&
    given.report !== null &&
    process?.lastStarted === true &&
    config.caps.keepsPrompts;
  return { isCut, isKept };
}

function turnOver(
  slots: readonly Slot[],
  { tasks }: Session,
  owner: Task,
  { isCut, isKept }: HowEnded,
): readonly Slot[] {
  const entry = owner.leads ?? owner.id;
  return slots.map((slot): Slot => {
    const task = slot.state === 'open' ? treeGet(tasks, slot.id) : undefined;
    if (task === undefined || (task.id !== owner.id && task.mergedInto !== entry)) {
      return slot;
    }
    if (task.stage === 'steered' && !task.delivered) {
      return slot;
    }
    // What was steered into it may be forgotten with the interrupt.
    const text = slot.text === 'sent' ? (isKept && task.stage !== 'steered' ? 'known' : 'none') : slot.text;
    return { ...slot, cutOff: isCut || (slot.cutOff && !isKept), text };
  });
}

/** A task of an entry ends, and the others go on: with their text the agent has one that nobody wants any more. */
function withdrawn(slots: readonly Slot[], { tasks }: Session, { records, session }: StepResult): readonly Slot[] {
  let after = slots;
  for (const record of records) {
    const ended = record.type === 'end' ? treeGet(tasks, record.task) : undefined;
    if (ended === undefined || ended.stage === 'steered') {
      continue;
    }
    const entry = ended.mergedInto ?? ended.leads ?? ended.id;
    after = after.map((slot): Slot => {
      const task = slot.state === 'open' && slot.id !== ended.id ? treeGet(tasks, slot.id) : undefined;
      const isLeft = task !== undefined && treeGet(session.tasks, task.id) !== undefined && task.stage !== 'steered';
      return isLeft && (task.mergedInto ?? task.leads ?? task.id) === entry ? { ...slot, text: 'over' } : slot;
    });
  }
  return after;
}

/** The next runner begins with no turn behind it, and is told that another one was lost. */
function loseRunners(
  slots: readonly Slot[],
  { tasks }: Session,
  input: Input,
  { records, session }: StepResult,
): readonly Slot[] {
  const isLost = (id: Task['id']): boolean =>
    records.some(
      (record): record is EventRecord =>
        record.type === 'event' &&
        record.task === id &&
        (record.event.type === 'attempt-lost' || record.event.type === 'turn-ended'),
    );
  return slots.map((slot) => {
    const task = slot.state === 'open' ? treeGet(tasks, slot.id) : undefined;
    const isOpen = treeGet(session.tasks, slot.id) !== undefined;
    const dies =
      task?.mode === 'code' || (task?.mode === 'external' && input.type !== 'recovered' && task.run !== null);
    return task !== undefined && dies && isOpen && isLost(task.id)
      ? { ...slot, resumes: false, cutOff: true, text: 'none' }
      : slot;
  });
}

type Prompt = Extract<Effect, { type: 'prompt' }>;
type Said = Prompt | Extract<Effect, { type: 'run' }>;

export function judgeHistory({ resumes, cutOff: isCut, id }: Slot, effect: Said, report: Report): void {
  if (effect.type === 'prompt' && effect.resumed !== resumes) {
    report.fail(property, resumes ? `an earlier turn of ${id} is not mentioned` : `${id} had no earlier turn`);
  }
  if (effect.interruptedMidTurn !== isCut) {
    report.fail(property, isCut ? `it is not said that ${id} was cut off` : `${id} was not cut off`);
  }
}

/** A note stands for the text of the task and of all that are merged into it. */
export function judgeText(slots: readonly Slot[], { task, mergedTasks, delivered }: Prompt, report: Report): void {
  const isKnown = slots.every(
    ({ id, state, text }) => state !== 'open' || !(id === task || mergedTasks.includes(id)) || text === 'known',
  );
  if (delivered !== isKnown) {
    report.fail(once, delivered ? `it does not have that of ${task}` : `it has that of ${task}`);
  }
}
