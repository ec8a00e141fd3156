/**
 * What earlier turns of a task have left behind, as its environment saw it: whether the next prompt has to ask the agent to continue, and
 * whether an earlier turn was cut off. What a prompt or a start of a runner says of them is judged against this, not against the
 * fields of the task.
 */
import type { Effect } from '../../src/core/model/effects.ts';
import type { Input } from '../../src/core/model/inputs.ts';
import type { Record as StepRecord } from '../../src/core/model/records.ts';
import type { StepResult } from '../../src/core/model/replies.ts';
import type { Session } from '../../src/core/model/session.ts';
import type { Task } from '../../src/core/model/task.ts';
import { treeGet } from '../../src/core/tree.ts';
import type { Report } from './report.ts';
import type { Slot } from './world.ts';

const property = 'a prompt says that it is resumed, or cut off, exactly when it is';

type EventRecord = Extract<StepRecord, { type: 'event' }>;

/** The slots after a step of this session. */
export function remember(slots: readonly Slot[], before: Session, input: Input, result: StepResult): readonly Slot[] {
  let after = slots;
  const isLost = (id: Task['id'] | null): boolean =>
    result.records.some(
      (record) => record.type === 'event' && record.task === id && record.event.type === 'attempt-lost',
    );
  for (const record of result.records) {
    if (record.type === 'event' && record.event.type === 'turn-ended') {
      const isGone = record.event.data.reason !== null;
      const owner = record.task === null ? undefined : treeGet(before.tasks, record.task);
      if (owner !== undefined) {
        after = cutOff(after, before, owner, isGone, isGone || isLost(owner.id));
      }
    }
  }
  for (const effect of result.effects) {
    if (effect.type === 'settle') {
      // The runner goes on with its answer: its next turn begins something new.
      after = change(after, effect.task, { resumes: false, cutOff: false });
    }
  }
  const losesRunners =
    input.type === 'recovered' || input.type === 'fault' || (input.type === 'timer' && input.name === 'lease');
  return losesRunners ? loseRunners(after, before, input, result) : after;
}

const change = (slots: readonly Slot[], id: Task['id'], fields: Partial<Slot>): readonly Slot[] =>
  slots.map((slot) => (slot.id === id && slot.state === 'open' ? { ...slot, ...fields } : slot));

/** A turn has ended. `isGone`: the agent gave no result; `isLost`: it ended before it could end by itself. */
function cutOff(
  slots: readonly Slot[],
  { tasks }: Session,
  owner: Task,
  isGone: boolean,
  isLost: boolean,
): readonly Slot[] {
  const entry = owner.leads ?? owner.id;
  return slots.map((slot) => {
    const task = slot.state === 'open' ? treeGet(tasks, slot.id) : undefined;
    if (task === undefined || (task.id !== owner.id && task.mergedInto !== entry)) {
      return slot;
    }
    const isCut = task.stage === 'steered' ? task.delivered && isGone : isLost;
    return isCut ? { ...slot, cutOff: true } : slot;
  });
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
    return task !== undefined && dies && isOpen && isLost(task.id) ? { ...slot, resumes: false, cutOff: true } : slot;
  });
}

type Said = Extract<Effect, { type: 'prompt' }> | Extract<Effect, { type: 'run' }>;

export function judgeHistory({ resumes, cutOff: isCut, id }: Slot, effect: Said, report: Report): void {
  if (effect.type === 'prompt' && effect.resumed !== resumes) {
    report.fail(property, resumes ? `an earlier turn of ${id} is not mentioned` : `${id} had no earlier turn`);
  }
  if (effect.interruptedMidTurn !== isCut) {
    report.fail(property, isCut ? `it is not said that ${id} was cut off` : `${id} was not cut off`);
  }
}
