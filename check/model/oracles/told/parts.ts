/** What the tapes say of parts: which of them wait on their own again, who leads an entry now, and what a lost turn costs them. */
import type { Settlement } from '../../../../src/core/model/session.ts';
import type { Task } from '../../../../src/core/model/task.ts';
import { treeGet } from '../../../../src/core/tree.ts';
import { entryOf, type Facts, leaderOf, lossOfParts } from './facts.ts';
import type { Told } from './told.ts';
import { nothing, ofTask } from './told.ts';
import { lostAttempt, mustFail } from './turns.ts';

export function toldOfParts(facts: Facts, tasks: readonly Task[]): readonly Told[] {
  if (facts.before.indexes.parts.root === null) {
    return nothing;
  }
  return tasks.flatMap((task) => (task.mergedInto === null ? nothing : ofPart(facts, task, task.mergedInto)));
}

function ofPart(facts: Facts, part: Task, entry: Task['id']): readonly Told[] {
  const { before, after } = facts;
  const is = treeGet(after.tasks, part.id);
  const leaves = is !== undefined && is.mergedInto === null;
  if (part.stage === 'merged') {
    const leader = leaves ? leaderOf(before, entry) : null;
    return leader === null ? nothing : [ofTask(part.id, 'requeued', { from: leader.id })];
  }
  const { from, loss, burns } = leaving(facts, entry);
  const requeued = leaves && from !== null ? [ofTask(part.id, 'requeued', { from })] : nothing;
  // What the turn had taken shares its fate, unless the turn was to end for another reason.
  const lost = is === undefined ? endsLost(facts, part) : leaves;
  if (loss === null || !part.delivered || !lost) {
    return requeued;
  }
  return [...lostAttempt(part, loss, burns, mustFail(part, burns)), ...requeued];
}

/** The turn that a part leaves: that of the settlement which was decided before, or the one that ends now. */
function leaving(
  { before, end, owner }: Facts,
  entry: Task['id'],
): Pick<Settlement & { kind: 'steered' }, 'loss' | 'burns'> & { from: Task['id'] | null } {
  for (const settlement of before.settling) {
    if (settlement.kind === 'steered' && settlement.entry === entry) {
      return settlement;
    }
  }
  if (owner === null || entryOf(owner) !== entry) {
    return { from: leaderOf(before, entry)?.id ?? null, loss: null, burns: false };
  }
  return { from: owner.id, ...(end === null ? { loss: null, burns: false } : lossOfParts(end)) };
}

/** It fails for its turn, and not for another cause. */
const endsLost = ({ result, end, before }: Facts, part: Task): boolean =>
  result.records.some(
    (record) => record.type === 'end' && record.task === part.id && record.final.status === 'failed',
  ) &&
  (end !== null || before.settling.length > 0);
