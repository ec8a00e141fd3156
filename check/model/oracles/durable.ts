/** The records alone give the session back, and what is refused or stale changes nothing. */
import type { Durable } from '../../../src/core/rebuild.ts';
import { treeGet, treeSize } from '../../../src/core/tree.ts';
import type { Core } from '../core.ts';
import type { Report } from '../report.ts';
import { onWire } from '../world.ts';
import type { Move } from './move.ts';
import { same } from './same.ts';

/** A submit is refused for a stated cause that is really there, and every other is admitted. */
export function judgeRefusal({ world, result, input }: Move, report: Report): void {
  if (input.type !== 'submit' || world.session.fenced) {
    return;
  }
  const { session } = world;
  const property = 'a message is refused exactly when it has to be';
  const code = result.reply.kind === 'refused' ? result.reply.code : 'admitted';
  const open = treeSize(session.tasks);
  const full = open >= session.limits.maxOpen;
  const rejected = input.task.whenBusy === 'reject' && open > 0;
  const owner = session.hold === null ? undefined : treeGet(session.tasks, session.hold.task);
  const ownsOfGroup =
    owner !== undefined &&
    owner.lane === 'interactive' &&
    owner.mergeGroup === input.task.mergeGroup &&
    owner.mergeGroup !== null;
  const rewinds = input.task.whenBusy === 'rollback' && ownsOfGroup && onWire(session);
  const stuck = rewinds && !(session.agent.kind === 'up' && session.agent.caps.rewind);
  const present = session.assigning ?? session.assigned;
  const differs = input.assign?.named === true && present !== null && present.agent !== input.assign.agent;
  const due = differs
    ? 'agent_differs'
    : full
      ? 'queue_full'
      : rejected
        ? 'session_busy'
        : stuck
          ? 'rollback_unsupported'
          : 'admitted';
  if (code !== due) {
    report.fail(property, `${input.task.id} is ${code}, and ought to be ${due}`);
  }
}

export function judgeUnchanged({ world, result, input }: Move, report: Report): void {
  const property = 'what is stale or refused changes nothing';
  if (result.session !== world.session) {
    report.fail(property, `a ${result.reply.kind} ${input.type} makes another session`);
  }
  if (result.records.length > 0) {
    report.fail(property, `a ${result.reply.kind} ${input.type} leaves records`);
  }
  if (result.effects.length > 0) {
    report.fail(property, `a ${result.reply.kind} ${input.type} has effects`);
  }
}

export function judgeDurable(core: Core, move: Move, report: Report): void {
  const { world, result, input } = move;
  const before = core.durableOf(world.session);
  const folded = core.foldRecords(before, result.records);
  const truth = core.durableOf(result.session);
  // A node that lost its lease records nothing; what it still believes is never read again.
  if (result.session.fenced) {
    if (result.records.length > 0) {
      report.fail('a fenced node writes nothing', 'records come with the fence');
    }
    return;
  }
  const detail = difference(folded, truth);
  if (detail !== null) {
    report.fail('the records alone give the session back', `after ${input.type}, ${detail} is not in the records`);
  }
  judgeRows(move, before, report);
}

/** The records of a step end with one row for each open task that has changed, and with the row of the session if that has. */
function judgeRows({ result }: Move, before: Durable, report: Report): void {
  const property =
    'a step writes each row once, after all that happened, and that of the session only where it has changed';
  const written = new Set<string>();
  for (const record of result.records) {
    if (record.type === 'task' || record.type === 'session') {
      const name = record.type === 'task' ? record.task.id : 'the session';
      if (written.has(name)) {
        report.fail(property, `${name} has two rows`);
      }
      written.add(name);
      if (record.type === 'session' && isUntouched(record.session, before.row)) {
        report.fail(property, 'the row of the session is the one before');
      }
    } else if (written.size > 0) {
      report.fail(property, `a record of type ${record.type} follows the rows`);
    }
  }
}

/** No field was set. One may have been set to the same value again: a park after a park. */
function isUntouched({ hold, ...row }: Durable['row'], { hold: wasHold, ...was }: Durable['row']): boolean {
  const values: readonly unknown[] = Object.values(was);
  return same(hold, wasHold) && Object.values(row).every((value, index) => value === values[index]);
}

export function difference(a: Durable, b: Durable): string | null {
  if (!same(a.row, b.row)) {
    return 'the session row';
  }
  if (a.seq !== b.seq) {
    return 'the last seq of the session';
  }
  if (a.open.length !== b.open.length) {
    return 'the set of open tasks';
  }
  for (const one of a.open) {
    const other = b.open.find((entry) => entry.row.id === one.row.id);
    if (other === undefined) {
      return `the open task ${one.row.id}`;
    }
    if (one.seq !== other.seq) {
      return `the last seq of ${one.row.id}`;
    }
    if (!same(one.row, other.row)) {
      return `the row of ${one.row.id}`;
    }
  }
  return null;
}
