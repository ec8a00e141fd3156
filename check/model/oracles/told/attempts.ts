/** Who is charged an attempt: the number that a task stands at is the one that its tape tells. */
import type { Task } from '../../../../src/core/model/task.ts';
import { treeGet } from '../../../../src/core/tree.ts';
import type { Report } from '../../report.ts';
import { dropsGrant, type Facts, isLapse, leaderOf } from './facts.ts';

const property = 'rule 10: a task is charged the attempts that its tape tells, and no others';

export function judgeCharges(facts: Facts, tasks: readonly Task[], report: Report): void {
  const { after, input, result } = facts;
  const born = input.type === 'submit' ? treeGet(after.tasks, input.task.id) : undefined;
  if (born !== undefined && born.attempts !== chargesOf(facts, born, 0)) {
    report.fail(property, `${born.id} begins at attempt ${born.attempts}`);
  }
  for (const task of tasks) {
    const is = treeGet(after.tasks, task.id);
    // One that no event speaks of is the same object.
    if (is === undefined || is === task) {
      continue;
    }
    const wanted = chargesOf(facts, task, startOf(facts, task, is));
    if (is.attempts !== wanted) {
      report.fail(property, `${task.id} goes from attempt ${task.attempts} to ${is.attempts}, not ${wanted}`);
    }
  }
  for (const effect of result.effects) {
    if (effect.type !== 'run' && effect.type !== 'prompt') {
      continue;
    }
    const attempts = treeGet(after.tasks, effect.task)?.attempts;
    if (attempts !== undefined && effect.attempt !== attempts) {
      report.fail(
        property,
        `a ${effect.type} of ${effect.task} is attempt ${effect.attempt}, and it is at ${attempts}`,
      );
    }
  }
}

/** Who leads an entry now goes on from the attempts of the task before it, with what that one was charged in this step. */
function startOf(facts: Facts, was: Task, is: Task): number {
  const leader =
    was.stage === 'merged' && was.mergedInto !== null && is.mergedInto === null
      ? leaderOf(facts.before, was.mergedInto)
      : null;
  return leader === null ? was.attempts : chargesOf(facts, leader, leader.attempts);
}

/** The attempts after the step, told by its events, of a task that was at `start`. */
function chargesOf({ result, input }: Facts, task: Task, start: number): number {
  // A runner that was lost is counted with the next one.
  const dies =
    task.mode === 'code'
      ? input.type === 'recovered' || input.type === 'fault'
      : task.mode === 'external' && (input.type === 'fault' || isLapse(input, task.id));
  const pays = dies ? 1 : 0;
  let attempts = (input.type === 'fault' && task.run !== null) || dropsGrant(input, task) ? start - 1 : start;
  let starts = false;
  for (const record of result.records) {
    if (record.type !== 'event' || record.task !== task.id) {
      continue;
    }
    if (record.event.type === 'attempt-retried') {
      attempts = record.event.data.attempt - pays;
    } else if (record.event.type === 'granted' || (record.event.type === 'steered' && record.event.data.delivered)) {
      attempts += 1;
      starts = record.event.type === 'granted';
    }
  }
  const runs = result.effects.some((effect) => effect.type === 'run' && effect.task === task.id);
  return runs && !starts ? attempts + 1 : attempts;
}
