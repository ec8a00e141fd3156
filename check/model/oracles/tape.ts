/** Tapes and statuses: dense, `final` once and last, forward only, the terminal status with it. */
import type { TaskId } from '../../../src/core/model/ids.ts';
import { treeEntries, treeGet } from '../../../src/core/tree.ts';
import type { Report } from '../report.ts';
import type { Move } from './move.ts';

const once = 'final comes exactly once, last, with the terminal status';
const dense = 'seq is dense from 1';
const forward = 'status moves forward only';
const kept = 'whatever was accepted stays until its final';

export function judgeTape({ world, input, result }: Move, report: Report): void {
  const seqs = new Map<TaskId | null, number>([[null, world.session.seq]]);
  const ended = new Set<TaskId>();
  const before = world.session.tasks;
  for (const record of result.records) {
    if (record.type === 'admit') {
      if (input.type !== 'submit' || record.task.id !== input.task.id) {
        report.fail(kept, 'an unknown task is admitted');
      }
      if (treeGet(before, record.task.id) !== undefined) {
        report.fail(kept, 'a task is admitted a second time');
      }
      seqs.set(record.task.id, 0);
      continue;
    }
    if (record.type !== 'event' && record.type !== 'end') {
      continue;
    }
    if (record.task !== null && ended.has(record.task)) {
      report.fail(
        once,
        `${record.type === 'end' ? 'a second final' : record.event.type} follows the final of ${record.task}`,
      );
    }
    const last = seqs.get(record.task) ?? (record.task === null ? 0 : treeGet(before, record.task)?.seq);
    if (last === undefined) {
      report.fail(
        once,
        `${record.type === 'end' ? 'a final' : record.event.type} comes for ${record.task}, which is not open`,
      );
      continue;
    }
    if (record.seq !== last + 1) {
      report.fail(dense, `${record.task ?? 'the session'} goes from ${last} to ${record.seq}`);
    }
    seqs.set(record.task, record.seq);
    if (record.type !== 'end') {
      continue;
    }
    ended.add(record.task);
    if (treeGet(result.session.tasks, record.task) !== undefined) {
      report.fail(once, `${record.task} has a final and is open`);
    }
  }
  for (const [id, task] of treeEntries(before)) {
    const after = treeGet(result.session.tasks, id);
    if (after === undefined) {
      if (!ended.has(id)) {
        report.fail(once, `${id} disappears without a final`);
      }
    } else if (task.status === 'running' && after.status === 'queued') {
      report.fail(forward, `${id} goes back from running to queued`);
    }
  }
  if (
    input.type === 'submit' &&
    !ended.has(input.task.id) &&
    treeGet(result.session.tasks, input.task.id) === undefined
  ) {
    report.fail(kept, 'an admitted task is not there');
  }
}
